import { sql } from 'kysely'
import { dateIn } from '#domain/calendar.ts'
import { fieldError } from '#domain/errors.ts'
import { planPriceRevision, type RevisedLine } from '#domain/price-revision.ts'
import { describePriceModel } from '#domain/pricing/describe.ts'
import type { Price } from '#domain/pricing/price.ts'
import type { PriceRevision } from '#domain/pricing/revision.ts'
import { defaultTerms } from '#domain/terms.ts'
import { announce } from './announcement.ts'
import type { Tx } from './database.ts'
import { insertEvents } from './event.ts'
import { newIds } from './identifier.ts'
import { listLinesOf, toLine, type LineRow } from './line-change.ts'

export interface RevisionRequest {
  readonly revision: PriceRevision
  /** The first day of the new prices. */
  readonly startsOn: string
  /** Null: of every product. */
  readonly productId: string | null
  /** Null: every subscription in real time. */
  readonly subscriptionIds: readonly string[] | null
  readonly requestId: string
  readonly actor: string
  readonly now: string
}

export interface RevisedPrices {
  readonly revised: readonly (RevisedLine & {
    readonly row: LineRow
    readonly subscription: RevisedSubscription
  })[]
  readonly passedBy: readonly { readonly row: LineRow; readonly reason: string }[]
}

/**
 * What new prices would mean from a day on: the lines that get them, and those that are passed by and why. The lines are
 * locked, so that what is applied is what was planned.
 * @throws `date_range_invalid` for a day that is past, `price_negative`
 */
export async function planRevision(tx: Tx, request: RevisionRequest): Promise<RevisedPrices> {
  const subscriptions = await lockSubscriptions(tx, request)
  const rows = await listLinesOf(tx, [...subscriptions.keys()])
  const { productId, startsOn, revision } = request
  const plans = [...subscriptions.values()].map((subscription) => {
    const today = dateIn(subscription.time_zone, subscription.now_at ?? request.now)
    if (startsOn < today)
      throw fieldError('/starts_on', 'date_range_invalid', `New prices begin on ${today} or later.`)
    const own = rows.filter((row) => row.subscription_id === subscription.id && isOn(row, today))
    const asked = own.filter((row) => productId === null || row.product_id === productId)
    if (subscription.is_cancelled)
      return { revised: [], passedBy: asked.map((row) => ({ row, reason: 'its subscription is cancelled' })) }
    const plan = planPriceRevision(asked.map(toRevisable), { startsOn, today, revision })
    const rowOf = new Map(asked.map((row) => [row.id, row]))
    return {
      revised: plan.revised.flatMap((line) => {
        const row = rowOf.get(line.id)
        return row ? [{ ...line, row, subscription }] : []
      }),
      passedBy: plan.passedBy.flatMap(({ id, reason }) => {
        const row = rowOf.get(id)
        return row ? [{ row, reason }] : []
      }),
    }
  })
  return {
    revised: plans.flatMap(({ revised }) => revised),
    passedBy: plans.flatMap(({ passedBy }) => passedBy),
  }
}

function isOn(row: LineRow, today: string): boolean {
  return row.ends_on === null || (row.ends_on > today && row.ends_on > row.starts_on)
}

function toRevisable(row: LineRow) {
  return { id: row.id, line: toLine(row), price: row.price, terms: { ...defaultTerms, ...row.terms } }
}

interface RevisedSubscription {
  readonly id: string
  readonly customer_id: string
  readonly currency: string
  readonly time_zone: string
  /** Now, of its test clock. */
  readonly now_at: string | null
  readonly is_cancelled: boolean
}

/** Lock order as ever: subscriptions by id, then their documents by id; who has these has the lines. */
async function lockSubscriptions(
  tx: Tx,
  { subscriptionIds }: RevisionRequest,
): Promise<ReadonlyMap<string, RevisedSubscription>> {
  let query = tx
    .selectFrom('subscriptions')
    .innerJoin('customers', 'customers.id', 'subscriptions.customer_id')
    .leftJoin('test_clocks', 'test_clocks.id', 'subscriptions.test_clock_id')
    .select(['subscriptions.id', 'subscriptions.customer_id', 'subscriptions.currency'])
    .select(['customers.time_zone', 'test_clocks.now_at'])
    .select(sql<boolean>`cancel_requested_at is not null`.as('is_cancelled'))
    .where('subscriptions.phase', 'in', ['active', 'suspended'])
    .orderBy('subscriptions.id')
    .forNoKeyUpdate('subscriptions')
  query =
    subscriptionIds === null
      ? query.where('subscriptions.test_clock_id', 'is', null)
      : query.where('subscriptions.id', '=', sql<string>`any(${subscriptionIds}::uuid[])`)
  const rows = await query.execute()
  await tx
    .selectFrom('subscription_documents')
    .select('id')
    .where('id', 'in', (select) =>
      select
        .selectFrom('subscription_lines')
        .select('document_id')
        .where('subscription_id', '=', sql<string>`any(${rows.map(({ id }) => id)}::uuid[])`)
        .where('document_id', 'is not', null)
        .$castTo<{ document_id: string }>(),
    )
    .orderBy('id')
    .forNoKeyUpdate()
    .execute()
  return new Map(rows.map((row) => [row.id, row]))
}

/** Ends the lines and opens their successors at the new prices, all in a few statements, however many there are. */
export async function applyRevision(
  tx: Tx,
  request: RevisionRequest,
  { revised }: RevisedPrices,
): Promise<void> {
  const ids = newIds(revised.length)
  const changes = revised.flatMap(({ id, newPrice, change, row }, index) =>
    change.successor === null
      ? []
      : [
          {
            id,
            new_id: ids[index] ?? '',
            ended_on: change.line.endsOn,
            starts_on: change.successor.startsOn,
            ends_on: change.successor.endsOn,
            price: newPrice,
            closed_by: row.closed_by,
          },
        ],
  )
  await writeLines(tx, request.requestId, changes)
  const price = (of: Price, { subscription, row }: RevisedPrices['revised'][number]) => ({
    price: describePriceModel(of, subscription.currency, row.unit),
  })
  await announce(
    tx,
    request.requestId,
    revised.map((line) => ({
      subscription: line.subscription,
      firstLineId: line.row.first_line_id,
      before: price(line.oldPrice, line),
      after: price(line.newPrice, line),
      effectiveOn: line.change.successor?.startsOn ?? request.startsOn,
    })),
  )
  await insertEvents(
    tx,
    revised.map(({ row, oldPrice, newPrice, change, subscription }) => ({
      kind: 'subscription.changed' as const,
      customerId: subscription.customer_id,
      subscriptionId: subscription.id,
      businessAt: subscription.now_at ?? request.now,
      data: {
        product: row.description,
        from: describePriceModel(oldPrice, subscription.currency, row.unit),
        to: describePriceModel(newPrice, subscription.currency, row.unit),
        effective_on: change.successor?.startsOn ?? request.startsOn,
        actor: request.actor,
      },
    })),
  )
}

async function writeLines(tx: Tx, requestId: string, changes: readonly object[]): Promise<void> {
  const rows = sql`jsonb_to_recordset(${JSON.stringify(changes)}::jsonb) as change
    (id uuid, new_id uuid, ended_on date, starts_on date, ends_on date, price jsonb, closed_by text)`
  await sql`
    update subscription_lines line set ends_on = change.ended_on, closed_by = ${requestId}
    from ${rows} where line.id = change.id`.execute(tx)
  await sql`
    insert into subscription_lines
    select (jsonb_populate_record(line, jsonb_build_object('id', change.new_id, 'starts_on', change.starts_on,
      'ends_on', change.ends_on, 'price', change.price, 'price_list_item_id', null, 'conversion', null, 'opened_by', ${requestId}::text,
      'closed_by', change.closed_by, 'created_at', now()))).*
    from ${rows} join subscription_lines line on line.id = change.id`.execute(tx)
}
