import { sql } from 'kysely'
import type { RecordedResource, RestorableData, WantedInstance } from '#domain/finding.ts'
import { encodeId } from '#domain/identifier.ts'
import type { ServiceDifference } from '#domain/instance-configuration.ts'
import type { ObservedState, SeenContainer } from '#domain/repair.ts'
import type { Db } from './database.ts'

export interface Standing {
  readonly wants: WantedInstance['wants']
  /** Another text whenever something has begun or ended in between. */
  readonly mark: string
}

/**
 * What is wanted of each live instance of a server, or of some of them, by id. Something is wanted only while nothing else is at work on it: its state and
 * its subscription's phase agree, no build order is open, and it is not just being stopped at a limit. Seen ready it is wanted to run at once: at the end of
 * its build before it is active, at the end of a suspension before its phase is.
 */
export async function readStandings(
  db: Db,
  serverId: string,
  instanceIds: readonly string[] | null,
): Promise<Map<string, Standing>> {
  const { rows } = await sql<{ id: string; wants: Standing['wants']; mark: string }>`
    select instance.id,
      case when exists (select from build_orders where subscription_id = subscription.id and state in ('planned', 'running'))
          then 'nothing'
        when exists (select from limits where instance_id = instance.id and hold->>'way' = 'stop')
          then case when instance.state = 'limited' and not exists (select from limits
            where instance_id = instance.id and hold is not null and held_at is null) then 'stopped' else 'nothing' end
        when instance.state in ('running', 'limited') and subscription.phase in ('building', 'active', 'suspended')
          then 'running'
        when instance.state = 'suspended' and subscription.phase = 'suspended' then 'stopped'
        else 'nothing' end as wants,
      concat_ws('/', instance.state, instance.state_at, instance.generation, subscription.phase,
        instance.service_generations, instance.container_limits, md5(instance.variables::text),
        (select string_agg(hold::text || held_at, ',' order by code) from limits where instance_id = instance.id)) as mark
    from instances instance join subscriptions subscription on subscription.id = instance.subscription_id
    where instance.server_id = ${serverId} and instance.destroyed_at is null ${andAmong(instanceIds)}`.execute(
    db,
  )
  return new Map(rows.map(({ id, wants, mark }) => [id, { wants, mark: `${wants}/${mark}` }]))
}

function andAmong(instanceIds: readonly string[] | null) {
  return instanceIds === null ? sql`` : sql`and instance.id = any(${instanceIds}::uuid[])`
}

/** What is recorded as made on a server; of some instances, or of all that ever were there. */
export async function listRecorded(
  db: Db,
  serverId: string,
  instanceIds: readonly string[] | null,
): Promise<RecordedResource[]> {
  const query = db
    .selectFrom('resources')
    .select(['instance_id', 'kind', 'name', 'external_id'])
    .where('server_id', '=', serverId)
    .where('removed_at', 'is', null)
    .orderBy('made_at')
  const rows = await (
    instanceIds === null ? query : query.where('instance_id', '=', sql<string>`any(${instanceIds}::uuid[])`)
  ).execute()
  return rows.map((row) => ({
    instance: encodeId('instance', row.instance_id),
    kind: row.kind,
    name: row.name,
    externalId: row.external_id,
  }))
}

/**
 * The newest kept backup of each live instance of a server, or of some of them, by the instance's id: its own, or the one that it
 * began with.
 */
export async function listRestorable(
  db: Db,
  serverId: string,
  instanceIds: readonly string[] | null,
): Promise<Map<string, RestorableData>> {
  const { rows } = await sql<{
    id: string
    backup: string
    taken_at: string
    customer: string
    product: string
  }>`
    select distinct on (instance.id) instance.id, backup.id as backup, backup.taken_at, customer.code as customer, product.code as product
    from backups backup
      join instances saved on saved.id = backup.instance_id
      join instances instance on (instance.id = saved.id or instance.restored_from_backup_id = backup.id)
        and instance.destroyed_at is null
      join subscriptions subscription on subscription.id = instance.subscription_id
      join customers customer on customer.id = subscription.customer_id
      join subscription_lines line on line.subscription_id = subscription.id
      join products product on product.id = line.product_id
      join product_applications made on made.product_id = line.product_id and made.version = line.product_version
      join application_versions version on version.id = saved.application_version_id and version.application_id = made.application_id
    where backup.server_id = ${serverId} and backup.state = 'kept' ${andAmong(instanceIds)}
    order by instance.id, backup.taken_at desc, line.position`.execute(db)
  return new Map(
    rows.map(({ id, backup, taken_at: takenAt, customer, product }) => [
      id,
      { backup: encodeId('backup', backup), takenAt, customer, product },
    ]),
  )
}

/** What was seen of an instance, by its id. */
export interface SeenInstance {
  readonly state: ObservedState
  readonly differences: readonly ServiceDifference[]
  readonly containers: readonly SeenContainer[]
}

/** What was seen of instances, all at one instant. */
export async function saveObserved(
  db: Db,
  instances: ReadonlyMap<string, SeenInstance>,
  at: string,
): Promise<void> {
  if (instances.size === 0) return
  const rows = [...instances].map(([id, seen]) => ({ id, ...seen }))
  await sql`
    update instances set observed_state = seen.state, observed_at = ${at}, observed_differences = seen.differences,
      observed_containers = seen.containers
    from json_to_recordset(${JSON.stringify(rows)}::json) as seen (id uuid, state text, differences jsonb, containers jsonb)
    where instances.id = seen.id and (observed_at is null or observed_at < ${at}::timestamptz)`.execute(db)
}

/** How often an instance was repaired, or a repair of it failed, without being asked, since an instant. */
export async function countRepairs(
  db: Db,
  of: { subscriptionId: string; instance: string; since: string },
): Promise<number> {
  const { count } = await db
    .selectFrom('events')
    .select((row) => row.fn.countAll<string>().as('count'))
    .where('subscription_id', '=', of.subscriptionId)
    .where('kind', 'in', ['instance.repaired', 'instance.repair_failed'])
    .where('occurred_at', '>', of.since)
    .where(sql<boolean>`data @> ${JSON.stringify({ instance: of.instance, by: 'reconcile' })}::jsonb`)
    .executeTakeFirstOrThrow()
  return Number(count)
}
