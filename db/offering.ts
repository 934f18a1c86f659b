import { sql } from 'kysely'
import type { LinkOffer } from '#domain/application.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { InstanceState } from '#domain/instance.ts'
import type { OfferingInstance } from '#domain/link.ts'
import type { Db } from './database.ts'

export interface OfferingQuery {
  readonly kinds: readonly string[]
  /** Null: all servers. */
  readonly serverId: string | null
  /** Of the environment in which something is wanted. */
  readonly prefix: string
  readonly customerId: string
  /** Ids of targets that were named. */
  readonly named: readonly string[]
  /** Only those that run, instead of all that will. */
  readonly isRunning?: true
}

const running: readonly InstanceState[] = ['running', 'limited']
const offering: readonly InstanceState[] = ['ordered', 'building', 'suspended', ...running]

/**
 * Instances that offer one of the kinds to an environment, oldest first: its own, those that are shared or preferred, and of the
 * customer's others those that were named. One that ends, or whose end is agreed, offers nothing any more.
 */
export async function listOffering(db: Db, query: OfferingQuery): Promise<OfferingInstance[]> {
  const { kinds, serverId, prefix, customerId, named } = query
  const states = query.isRunning === true ? running : offering
  const { rows } = await sql<OfferingRow>`
    select instance.id, instance.name, instance.subscription_id, instance.server_id, environment.prefix,
      version.definition -> 'offers' as offers,
      array(select kind from preferred_offers where instance_id = instance.id and server_id = instance.server_id) as preferred_for
    from instances instance
      join subscriptions subscription on subscription.id = instance.subscription_id
      join environments environment on environment.id = instance.environment_id
      join application_versions version on version.id = instance.application_version_id
    where (${serverId}::uuid is null or instance.server_id = ${serverId}) and instance.state = any(${states})
      and subscription.cancel_requested_at is null
      and jsonb_path_query_array(version.definition, '$.offers[*].kind') ?| ${kinds}::text[]
      and (environment.prefix = ${prefix}
        or version.definition @> '{"offers": [{"isShared": true}]}'
        or exists (select from preferred_offers where instance_id = instance.id)
        or instance.id = any(${named}::uuid[]) and environment.customer_id = ${customerId})
    order by instance.id`.execute(db)
  return rows.map((row) => ({
    instance: encodeId('instance', row.id),
    name: row.name,
    subscription: row.subscription_id,
    environment: row.prefix,
    server: row.server_id,
    offers: row.offers,
    preferredFor: row.preferred_for,
  }))
}

interface OfferingRow {
  readonly id: string
  readonly name: string
  readonly subscription_id: string
  readonly server_id: string
  readonly prefix: string
  readonly offers: readonly LinkOffer[]
  readonly preferred_for: readonly string[]
}

/**
 * Refuses to end what others need: instances that are linked to it and cannot do without, and whose own end is not agreed.
 * @throws `offer_in_use`
 */
export async function refuseNeededOffers(db: Db, subscriptionId: string): Promise<void> {
  const { rows } = await sql<{ name: string; kind: string }>`
    select wanting.name, link.kind
    from links link
      join instances offering on offering.id = link.offering_instance_id
      join instances wanting on wanting.id = link.wanting_instance_id
      join subscriptions subscription on subscription.id = wanting.subscription_id
    where offering.subscription_id = ${subscriptionId} and wanting.subscription_id <> ${subscriptionId}
      and link.is_required and link.state in ('planned', 'made') and wanting.state <> 'destroyed'
      and subscription.phase <> 'ended' and subscription.cancel_requested_at is null
    order by wanting.id`.execute(db)
  if (rows.length === 0) return
  const users = rows.map(({ name, kind }) => `${name} (${kind})`).join(', ')
  throw new BusinessError('offer_in_use', `It is needed by ${users}: cancel that first.`)
}
