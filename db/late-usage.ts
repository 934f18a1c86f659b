import Big from 'big.js'
import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { cycleHolding } from '#domain/calendar.ts'
import type { LateUsagePart } from '#domain/invoice/lines.ts'
import type { Price } from '#domain/pricing/price.ts'
import { convertUnit } from '#domain/unit.ts'
import type { LineContext } from './billable-line.ts'
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

/**
 * What came after its window was billed and is on no document yet (D-11), one part a window. A metric that is summed grows by
 * the events themselves; of a gauge the whole window is measured anew, and the part is what that changes.
 */
export async function readLateParts(db: Db, contexts: readonly LineContext[]): Promise<LateUsagePart[]> {
  const metered = contexts.filter(({ line }) => line.metric !== null && line.billingType === 'usage')
  if (metered.length === 0) return []
  const rows = await readLateEvents(db, [...new Set(metered.map(({ subscription }) => subscription.id))])
  if (rows.length === 0) return []
  const byLine = new Map(metered.map((context) => [context.line.id, context]))
  const known = rows.filter((row) => byLine.has(row.line_id))
  const meters = await readMeters(
    db,
    known.flatMap((row) => byLine.get(row.line_id)?.instanceId ?? []),
  )
  const parts: LateUsagePart[] = []
  for (const events of Map.groupBy(known, (row) => row.window_id).values()) {
    const context = byLine.get(events[0]?.line_id ?? '')
    assert(context, 'a late event belongs to a line of the bill')
    parts.push(await toPart(db, context, events, meters))
  }
  return parts
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
