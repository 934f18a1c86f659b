import { sql } from 'kysely'
import type { LinkWant } from '#domain/application.ts'
import { encodeId } from '#domain/identifier.ts'
import type { LinkReason } from '#domain/link-plan.ts'
import type { ChosenOffer, WantingInstance } from '#domain/link.ts'
import { within, type Db } from './database.ts'
import { insertEvent, type EventKind } from './event.ts'

/** A link that is to be made, with what an offer is chosen for. */
export interface LinkToMake {
  readonly id: string
  readonly wantingInstanceId: string
  readonly customerId: string
  /** Null where its application wants it no more. */
  readonly want: LinkWant | null
  readonly wanting: WantingInstance
  /** Null: it waits for an offer. */
  readonly offeringInstanceId: string | null
}

/** Links of a server's instances that run and still lack something, oldest first. */
export async function listLinksToMake(db: Db, serverId: string): Promise<LinkToMake[]> {
  const { rows } = await sql<ToMakeRow>`
    select link.id, link.offering_instance_id, instance.id as instance_id, instance.name, instance.subscription_id,
      instance.server_id, environment.prefix, environment.customer_id,
      jsonb_path_query_first(version.definition, '$.wants[*] ? (@.name == $name)', jsonb_build_object('name', link.name)) as want
    from links link
      join instances instance on instance.id = link.wanting_instance_id
      join environments environment on environment.id = instance.environment_id
      join application_versions version on version.id = instance.application_version_id
    where link.state in ('waiting', 'planned') and instance.server_id = ${serverId}
      and instance.state in ('running', 'limited')
    order by link.id`.execute(db)
  return rows.map((row) => ({
    id: row.id,
    wantingInstanceId: row.instance_id,
    customerId: row.customer_id,
    want: row.want,
    offeringInstanceId: row.offering_instance_id,
    wanting: {
      instance: encodeId('instance', row.instance_id),
      subscription: row.subscription_id,
      environment: row.prefix,
      server: row.server_id,
      name: row.name,
      wants: row.want === null ? [] : [row.want],
      named: {},
    },
  }))
}

interface ToMakeRow {
  readonly id: string
  readonly offering_instance_id: string | null
  readonly instance_id: string
  readonly name: string
  readonly subscription_id: string
  readonly server_id: string
  readonly prefix: string
  readonly customer_id: string
  readonly want: LinkWant | null
}

/** Gives a link that waits its offer: it is made next. False: it does not wait any more. */
export async function takeOffer(
  db: Db,
  linkId: string,
  { offeringInstanceId, reason }: { offeringInstanceId: string; reason: ChosenOffer['reason'] },
): Promise<boolean> {
  const taken = await db
    .updateTable('links')
    .set({ offering_instance_id: offeringInstanceId, reason, state: 'planned' })
    .where('id', '=', linkId)
    .where('state', '=', 'waiting')
    .executeTakeFirst()
  return taken.numUpdatedRows > 0n
}

export async function markLinkMade(db: Db, linkId: string, madeAt: string): Promise<void> {
  await within(db, async (tx) => {
    const made = await tx
      .updateTable('links')
      .set({ state: 'made', made_at: madeAt, failure_detail: null })
      .where('id', '=', linkId)
      .where('state', '=', 'planned')
      .executeTakeFirst()
    if (made.numUpdatedRows > 0n) await tellOfLink(tx, linkId, 'link.made')
  })
}

/** It stays planned, and is tried again. */
export async function failLink(db: Db, linkId: string, detail: string): Promise<void> {
  await db
    .updateTable('links')
    .set({ failure_detail: detail.slice(0, 500) })
    .where('id', '=', linkId)
    .execute()
}

/**
 * Ends a link whose offer or whose instance goes. One that is not required waits for another offer.
 * @param gone the side that goes
 */
export async function takeLinkBack(
  db: Db,
  linkId: string,
  { gone, now }: { gone: 'wanting' | 'offering'; now: string },
): Promise<void> {
  await within(db, async (tx) => {
    const link = await tx
      .selectFrom('links')
      .selectAll()
      .where('id', '=', linkId)
      .where('state', '<>', 'taken_back')
      .forUpdate()
      .executeTakeFirst()
    if (!link) return
    if (link.state !== 'waiting') await tellOfLink(tx, linkId, 'link.taken_back')
    const waits = gone === 'offering' && !link.is_required
    await tx
      .updateTable('links')
      .set({
        state: waits ? 'waiting' : 'taken_back',
        ...(waits ? { offering_instance_id: null, reason: null, failure_detail: null } : {}),
        taken_back_at: now,
      })
      .where('id', '=', linkId)
      .execute()
  })
}

async function tellOfLink(db: Db, linkId: string, kind: EventKind): Promise<void> {
  const link = await db
    .selectFrom('links')
    .innerJoin('instances as wanting', 'wanting.id', 'links.wanting_instance_id')
    .innerJoin('subscriptions', 'subscriptions.id', 'wanting.subscription_id')
    .leftJoin('instances as offering', 'offering.id', 'links.offering_instance_id')
    .select([
      'links.name',
      'links.kind',
      'links.reason',
      'wanting.subscription_id',
      'subscriptions.customer_id',
    ])
    .select(['wanting.id as wanting_id', 'offering.id as offering_id', 'offering.name as offering_name'])
    .where('links.id', '=', linkId)
    .executeTakeFirstOrThrow()
  const reason: LinkReason | null = link.reason
  await insertEvent(db, {
    kind,
    customerId: link.customer_id,
    subscriptionId: link.subscription_id,
    data: {
      link: encodeId('link', linkId),
      instance: encodeId('instance', link.wanting_id),
      name: link.name,
      kind: link.kind,
      reason,
      offer: link.offering_id === null ? null : encodeId('instance', link.offering_id),
      offer_name: link.offering_name,
    },
  })
}

export interface LinkSides {
  readonly id: string
  readonly is_required: boolean
  readonly wanting_instance_id: string
  /** The instance that wants is the subscription's. */
  readonly isWanting: boolean
  /** The end of what wants is agreed. */
  readonly isEndAgreed: boolean
}

/** Links on a server in which the instances of a subscription are one side, that have not ended. */
export async function listLinksOfSubscription(
  db: Db,
  { subscriptionId, serverId }: { subscriptionId: string; serverId: string },
): Promise<LinkSides[]> {
  const rows = await db
    .selectFrom('links')
    .innerJoin('instances as wanting', 'wanting.id', 'links.wanting_instance_id')
    .innerJoin('subscriptions', 'subscriptions.id', 'wanting.subscription_id')
    .leftJoin('instances as offering', 'offering.id', 'links.offering_instance_id')
    .select(['links.id', 'links.is_required', 'links.wanting_instance_id', 'cancel_requested_at'])
    .select(['wanting.subscription_id as wanting_in'])
    .where('links.state', '<>', 'taken_back')
    .where('wanting.server_id', '=', serverId)
    .where((of) =>
      of.or([
        of('wanting.subscription_id', '=', subscriptionId),
        of('offering.subscription_id', '=', subscriptionId),
      ]),
    )
    .orderBy('links.id')
    .execute()
  return rows.map(({ wanting_in: wantingIn, cancel_requested_at: cancelledAt, ...link }) => ({
    ...link,
    isEndAgreed: cancelledAt !== null,
    isWanting: wantingIn === subscriptionId,
  }))
}

/**
 * Whether something is to be done about links when the subscription's instances come or go: they want or offer something.
 */
export async function hasLinks(db: Db, subscriptionId: string): Promise<boolean> {
  const { rows } = await sql<{ has: boolean }>`
    select exists (
      select from instances instance join application_versions version on version.id = instance.application_version_id
      where instance.subscription_id = ${subscriptionId} and version.definition ?| array['wants', 'offers']) as has`.execute(
    db,
  )
  return rows[0]?.has === true
}
