import { sql } from 'kysely'
import { encodeId } from '#domain/identifier.ts'
import type { Db } from '../database.ts'

/**
 * A place in the order of events: the transaction that wrote it, then its number. Numbers alone would not do: they are
 * taken before the commit, so a later number can be seen first and the earlier one be missed.
 */
export interface EventPosition {
  readonly transactionId: string
  readonly id: number
}

export interface EventFilter {
  readonly subscriptionId: string | null
  readonly buildOrderId: string | null
}

/** Everything of a filter. */
function filteredEvents(db: Db, filter: EventFilter) {
  let query = db.selectFrom('events').selectAll()
  if (filter.subscriptionId !== null) query = query.where('subscription_id', '=', filter.subscriptionId)
  if (filter.buildOrderId !== null) query = query.where('build_order_id', '=', filter.buildOrderId)
  return query
}

/** Events that everybody sees the same: those of transactions older than the oldest that still runs. */
function settledEvents(db: Db, filter: EventFilter) {
  return filteredEvents(db, filter).where(
    sql<boolean>`transaction_id < pg_snapshot_xmin(pg_current_snapshot())`,
  )
}

/** The newest events as they are now, for a page that nobody pages through from here. */
export async function listNewestEvents(db: Db, request: EventFilter & { limit: number }) {
  return await filteredEvents(db, request).orderBy('id', 'desc').limit(request.limit).execute()
}

/** The timeline of an order, newest first: what names it, and what happened to its subscriptions. */
export async function listEventsOfOrder(db: Db, { orderId, limit }: { orderId: string; limit: number }) {
  const ofIt = sql<boolean>`id in (
    select id from events where data ? 'order' and data->>'order' = ${encodeId('order', orderId)}
    union
    select id from events where subscription_id in (select id from subscriptions where order_id = ${orderId}))`
  return await db.selectFrom('events').selectAll().where(ofIt).orderBy('id', 'desc').limit(limit).execute()
}

/** What happened to one instance, newest first: events name it by its id, or by its name. */
export async function listEventsOfInstance(
  db: Db,
  of: { subscriptionId: string; instance: string; name: string; limit: number },
) {
  return await db
    .selectFrom('events')
    .selectAll()
    .where('subscription_id', '=', of.subscriptionId)
    .where('kind', 'like', 'instance.%')
    .where(sql<boolean>`coalesce(data->>'instance' = ${of.instance}, data->>'name' = ${of.name})`)
    .orderBy('id', 'desc')
    .limit(of.limit)
    .execute()
}

export type EventRow = Awaited<ReturnType<typeof listEventsAfter>>[number]

/** The next events in their order, oldest first. */
export async function listEventsAfter(
  db: Db,
  request: EventFilter & { position: EventPosition; limit: number },
) {
  const { position } = request
  return await settledEvents(db, request)
    .where(sql<boolean>`(transaction_id, id) > (${position.transactionId}::xid8, ${position.id}::bigint)`)
    .orderBy('transaction_id')
    .orderBy('id')
    .limit(request.limit)
    .execute()
}

/** Events newest first, before a position or from the newest. */
export async function listEventsBefore(
  db: Db,
  request: EventFilter & { position: EventPosition | null; limit: number },
) {
  const { position } = request
  const query = settledEvents(db, request)
    .orderBy('transaction_id', 'desc')
    .orderBy('id', 'desc')
    .limit(request.limit)
  if (position === null) return await query.execute()
  return await query
    .where(sql<boolean>`(transaction_id, id) < (${position.transactionId}::xid8, ${position.id}::bigint)`)
    .execute()
}

/** The end of the line: what is written from now on comes after it. */
export async function newestPosition(db: Db): Promise<EventPosition> {
  const { rows } = await sql<{ transaction_id: string }>`
    select (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1)::text as transaction_id`.execute(db)
  return { transactionId: rows[0]?.transaction_id ?? '0', id: Number.MAX_SAFE_INTEGER }
}
