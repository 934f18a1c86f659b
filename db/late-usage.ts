import Big from 'big.js'
import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { cycleHolding } from '#domain/calendar.ts'
import type { LateUsagePart } from '#domain/invoice/lines.ts'
import type { Price } from '#domain/pricing/price.ts'
import { convertUnit } from '#domain/unit.ts'
import { readBillableLines, type LineContext } from './billable-line.ts'
import type { Db } from './database.ts'
import { measureUsages, type Meter, readMeters } from './usage-measure.ts'

/** An event that waits, and the window that was billed without it. */
interface LateRow {
  readonly event_id: string
  readonly quantity: string
  readonly unit: string
  readonly line_id: string
  readonly window_id: string
  readonly window_starts_at: string
  readonly window_ends_at: string
  readonly starts_on: string
  readonly ends_on: string
  readonly price: Price | null
  /** Billed in the window, and late since. */
  readonly billed_quantity: string
  readonly billed_events: number
}

/** A part, and the line that it is of: one of the bills, or one of their subscriptions whose document is closed. */
export interface LatePart {
  readonly part: LateUsagePart
  readonly context: LineContext
}

/**
 * What came after its window was billed and is on no document yet (D-11), one part a window. A metric that is summed grows by
 * the events themselves; of a gauge the whole window is measured anew, and the part is what that changes. Of a line whose
 * document was closed, by a change of plan, it comes with the next bill of the subscription.
 */
export async function readLateParts(
  db: Db,
  contexts: readonly LineContext[],
  { isLocked }: { isLocked: boolean },
): Promise<LatePart[]> {
  const subscriptionIds = [...new Set(contexts.map(({ subscription }) => subscription.id))]
  if (subscriptionIds.length === 0) return []
  let rows = await readLateEvents(db, subscriptionIds)
  if (rows.length === 0) return []
  const byLine = new Map(contexts.map((context) => [context.line.id, context]))
  const left = await readLeftLines(
    db,
    rows.filter((row) => !byLine.has(row.line_id)).map((row) => row.line_id),
    { isLocked },
  )
  for (const context of left) byLine.set(context.line.id, context)
  // Until they were locked another bill of the subscription may have taken it.
  if (left.length > 0 && isLocked) rows = await readLateEvents(db, subscriptionIds)
  const known = rows.filter((row) => byLine.has(row.line_id))
  const meters = await readMeters(
    db,
    known.flatMap((row) => byLine.get(row.line_id)?.instanceId ?? []),
  )
  const parts: LatePart[] = []
  for (const events of Map.groupBy(known, (row) => row.window_id).values()) {
    const context = byLine.get(events[0]?.line_id ?? '')
    assert(context, 'a late event belongs to a line of the bill')
    parts.push({ part: await toPart(db, context, events, meters), context })
  }
  return parts
}

/** Each part on the bill of its line, or else on the first bill of its subscription. */
export function placeLateParts<
  Bill extends { readonly own: readonly LineContext[]; readonly byLine: ReadonlyMap<string, unknown> },
>(bills: readonly Bill[], late: readonly LatePart[]): ReadonlyMap<Bill, readonly LatePart[]> {
  const place = ({ part: { line } }: LatePart) =>
    bills.find(({ byLine }) => byLine.has(line.id)) ??
    bills.find(({ own }) => own.some(({ subscription }) => subscription.id === line.subscriptionId))
  const placed = late.flatMap((of) => {
    const bill = place(of)
    return bill === undefined ? [] : [{ bill, of }]
  })
  const grouped = Map.groupBy(placed, ({ bill }) => bill)
  return new Map([...grouped].map(([bill, found]) => [bill, found.map(({ of }) => of)]))
}

/** Those of the lines whose documents bill nothing any more. */
async function readLeftLines(
  db: Db,
  lineIds: readonly string[],
  { isLocked }: { isLocked: boolean },
): Promise<LineContext[]> {
  if (lineIds.length === 0) return []
  const rows = await db
    .selectFrom('subscription_lines as line')
    .innerJoin('subscription_documents as document', 'document.id', 'line.document_id')
    .select(['line.id', 'line.subscription_id'])
    .where('line.id', '=', sql<string>`any(${lineIds}::uuid[])`)
    .where('document.closed_at', 'is not', null)
    .execute()
  if (rows.length === 0) return []
  const subscriptionIds = [...new Set(rows.map((row) => row.subscription_id))]
  const [contexts = []] = await readBillableLines(
    db,
    [{ reason: 'final', document: null, subscriptionIds }],
    { isLocked },
  )
  return contexts.filter(({ line }) => rows.some(({ id }) => id === line.id))
}

async function readLateEvents(db: Db, subscriptionIds: readonly string[]): Promise<LateRow[]> {
  const { rows } = await sql<LateRow>`
    select distinct on (event.id) event.id as event_id, event.quantity, event.unit, line.id as line_id, frozen.id as window_id,
      lower(frozen.window_period) as window_starts_at, upper(frozen.window_period) as window_ends_at,
      lower(billed.service_period) as starts_on, upper(billed.service_period) as ends_on,
      billed.explanation -> 'price' as price, frozen.quantity + late.quantity as billed_quantity,
      (frozen.event_count + late.event_count)::integer as billed_events
    from usage_events event
    join subscription_lines line on line.subscription_id = event.subscription_id and line.metric = event.metric
    join usage_windows frozen on frozen.subscription_line_id = line.id and frozen.metric = event.metric and not frozen.is_late
      and lower(frozen.window_period) < event.occurred_at and event.occurred_at <= upper(frozen.window_period)
    join invoice_lines billed on billed.subscription_line_id = line.id and billed.usage_window_id = frozen.id
    cross join lateral (
      select coalesce(sum(quantity), 0) as quantity, coalesce(sum(event_count), 0) as event_count from usage_windows
      where subscription_line_id = line.id and is_late and window_period = frozen.window_period
    ) late
    where event.subscription_id = any(${subscriptionIds}::uuid[]) and event.is_late and event.late_window_id is null
    order by event.id, billed.revision desc`.execute(db)
  return rows
}

async function toPart(
  db: Db,
  context: LineContext,
  events: readonly LateRow[],
  meters: ReadonlyMap<string, Meter>,
): Promise<LateUsagePart> {
  const { line } = context
  const [first] = events
  assert(first && line.interval, 'a late window has events and a line that recurs')
  const servicePeriod = { start: first.starts_on, end: first.ends_on }
  const quantities = events.map((event) => convertUnit(new Big(event.quantity), event.unit, line.unit))
  const isSummed = isSum(context, meters)
  const late = isSummed
    ? quantities.reduce((total, quantity) => total.plus(quantity), new Big(0))
    : (await remeasure(db, context, first)).minus(first.billed_quantity)
  return {
    kind: 'late_usage',
    line,
    servicePeriod,
    cycle: cycleHolding(line.billingCycleAnchor, line.interval, servicePeriod.start),
    price: first.price ?? line.price,
    billedQuantity: new Big(first.billed_quantity).toFixed(),
    billedEvents: first.billed_events,
    late: {
      usage: {
        quantity: late.toFixed(),
        unit: line.unit,
        readingCount: 0,
        eventCount: events.length,
        firstReadAt: null,
        lastReadAt: null,
      },
      ...(isSummed
        ? { events: { kind: 'each', values: quantities.map((quantity) => quantity.toFixed()) } }
        : {}),
    },
    eventIds: events.map((event) => event.event_id),
  }
}

function isSum({ instanceId, line }: LineContext, meters: ReadonlyMap<string, Meter>): boolean {
  const rule = meters.get(instanceId ?? '')?.metrics.find(({ code }) => code === line.metric)
  return rule === undefined || rule.kind === 'counter'
}

async function remeasure(db: Db, context: LineContext, row: LateRow): Promise<Big> {
  const { line, subscription, instanceId } = context
  const window = { start: row.window_starts_at, end: row.window_ends_at }
  const question = { subscriptionId: subscription.id, instanceId, unit: line.unit, window, isLast: false }
  const [answer] = await measureUsages(db, [{ ...question, metric: line.metric ?? '' }], { withLate: true })
  assert(answer, 'every question has an answer')
  return new Big(answer.usage.quantity)
}
