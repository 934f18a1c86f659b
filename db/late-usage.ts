import Big from 'big.js'
import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { cycleHolding } from '#domain/calendar.ts'
import { BusinessError } from '#domain/errors.ts'
import { isClosingUsage } from '#domain/invoice/due.ts'
import { isBounded } from '#domain/invoice/explanation.ts'
import type { LateUsagePart, MeasuredUsage, UsagePart } from '#domain/invoice/lines.ts'
import { convertUnit } from '#domain/unit.ts'
import type { MetricRule, UsageQuantity } from '#domain/usage.ts'
import { readBillableLines, type LineContext } from './billable-line.ts'
import type { Db } from './database.ts'
import { readLateWindows, type LateWindow } from './late-window.ts'
import { applyFormulas, namedByFormulas } from './quantity-formula.ts'
import { claimWindows, settleWindows } from './unsettled-window.ts'
import {
  definedMetric,
  measureUsages,
  readMeters,
  type Meter,
  type UsageAnswer,
  type UsageQuestion,
} from './usage-measure.ts'

/** A part, and the line that it is of: one of the bills, or one of their subscriptions whose document is closed. */
export interface LatePart {
  readonly part: LateUsagePart
  readonly context: LineContext
}

/**
 * What came after its window was billed and is on no document yet (D-11), one part a window. A metric that is summed grows by
 * the events themselves; a gauge, whatever had readings that were late, and a share of single values of which one was taken
 * back or some cost nothing, is measured anew, and the part is what that changes.
 * Of a line whose document was closed, by a change of plan, it comes with the next bill of the subscription.
 * @param isLocked windows that turn out to be as they were billed are settled
 */
export async function readLateParts(
  db: Db,
  contexts: readonly LineContext[],
  { isLocked }: { isLocked: boolean },
): Promise<LatePart[]> {
  const subscriptionIds = [...new Set(contexts.map(({ subscription }) => subscription.id))]
  if (subscriptionIds.length === 0) return []
  let rows = await readLateWindows(db, subscriptionIds)
  if (rows.length === 0) return []
  const byLine = new Map(contexts.map((context) => [context.line.id, context]))
  const left = await readLeftLines(
    db,
    rows.filter((row) => !byLine.has(row.line_id)).map((row) => row.line_id),
    { isLocked },
  )
  for (const context of left) byLine.set(context.line.id, context)
  // Until they were locked another bill of the subscription may have taken it.
  if (left.length > 0 && isLocked) rows = await readLateWindows(db, subscriptionIds)
  const known = rows.flatMap((row) => {
    const context = byLine.get(row.line_id)
    return context === undefined ? [] : [{ row, context }]
  })
  if (isLocked)
    await claimWindows(
      db,
      known.flatMap(({ row }) => (row.is_unsettled ? row.window_id : [])),
    )
  const parts = await toParts(db, known)
  if (isLocked) {
    const unchanged = known.filter((_, index) => parts[index] === null)
    await settleWindows(
      db,
      unchanged.map(({ row }) => row.window_id),
    )
  }
  return known.flatMap(({ context }, index) => {
    const part = parts[index]
    return part ? [{ part, context }] : []
  })
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

interface KnownWindow {
  readonly row: LateWindow
  readonly context: LineContext
}

/** In the order of the windows; null where all is as it was billed, undefined where nobody can tell yet. */
async function toParts(db: Db, known: readonly KnownWindow[]): Promise<(LateUsagePart | null | undefined)[]> {
  const meters = await readMeters(
    db,
    known.flatMap(({ context }) => context.instanceId ?? []),
  )
  const anew = known.filter((of) => of.row.is_unsettled || isPricedTogether(of) || !isSum(of.context, meters))
  const parts = new Map(anew.map((of) => [of, partOf(of)]))
  const named = namedByFormulas(
    [...parts].map(([of, part]) => ({ part, question: questionOf(of) })),
    meters,
  )
  const questions = [...anew.map(questionOf), ...named.map(({ question }) => question)]
  const answers = await measureUsages(db, questions, { withLate: true, meters })
  const measured = new Map(anew.map((of, index) => [of, answers[index]]))
  const byFormula = applyFormulas(named, answers.slice(anew.length))
  return known.map((of) => {
    const answer = measured.get(of)
    const part = parts.get(of)
    if (answer === undefined || part === undefined) return grownByEvents(of)
    const quantity = knownQuantity(() => byFormula(part, answer.usage))
    return quantity && withValues(of, answer, differenceOf(of, quantity))
  })
}

/** As its period is billed: what was read has no single values. */
function withValues(
  of: KnownWindow,
  { usage, eventQuantities }: UsageAnswer,
  part: LateUsagePart | null,
): LateUsagePart | null {
  if (part === null || !isPricedTogether(of) || usage.readingCount > 0) return part
  return { ...part, valuesByNow: eventQuantities() }
}

/** What the first values of a period cost nothing for is given once, as what it costs at least; and one that takes back another is none. */
function isPricedTogether({ row, context }: KnownWindow): boolean {
  const price = row.price ?? context.line.price
  if (price.model !== 'percentage') return false
  const isAnyFree = price.freeEvents !== undefined || price.freeValue !== undefined
  return isAnyFree || isBounded(price) || row.events.some((event) => event.is_reversal)
}

/** A formula that refuses what was measured holds up no bill: the window waits. */
function knownQuantity(read: () => UsageQuantity): UsageQuantity | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof BusinessError) return undefined
    throw error
  }
}

function isSum({ instanceId, line }: LineContext, meters: ReadonlyMap<string, Meter>): boolean {
  if (line.terms.quantityFormula !== null) return false
  const rule = definedMetric(meters, { instanceId, metric: line.metric })
  if (rule === undefined) return true
  return rule.kind === 'counter' && rule.rounding === undefined && !isCounted(rule)
}

/** Each event is one, whatever its quantity. */
function isCounted({ aggregation }: MetricRule): boolean {
  return aggregation === 'count' || aggregation === 'unique_count'
}

function questionOf({ row, context }: KnownWindow): UsageQuestion {
  const { line, subscription, instanceId } = context
  return {
    subscriptionId: subscription.id,
    lineId: line.id,
    instanceId,
    metric: line.metric ?? '',
    usageFilter: line.terms.usageFilter,
    unit: line.unit,
    window: { start: row.window_starts_at, end: row.window_ends_at },
    isLast: isClosingUsage(partOf({ row, context }), subscription.endsOn),
  }
}

/** Events of a sum are their own quantity, each with its value. */
function grownByEvents({ row, context }: KnownWindow): LateUsagePart {
  const { unit } = context.line
  const quantities = row.events.map((event) => convertUnit(new Big(event.quantity), event.unit, unit))
  const quantity = quantities.reduce((total, one) => total.plus(one), new Big(0)).toFixed()
  const values = quantities.map((one) => one.toFixed())
  return lateOf(
    { row, context },
    {
      usage: { ...noReadings, quantity, unit, eventCount: row.events.length },
      events: { kind: 'each', values },
    },
  )
}

const noReadings = { readingCount: 0, firstReadAt: null, lastReadAt: null }

/** What the whole window, measured anew, changes. */
function differenceOf({ row, context }: KnownWindow, usage: UsageQuantity): LateUsagePart | null {
  const quantity = new Big(usage.quantity).minus(row.billed_quantity)
  if (quantity.eq(0) && row.events.length === 0) return null
  return lateOf(
    { row, context },
    {
      usage: {
        ...usage,
        quantity: quantity.toFixed(),
        readingCount: Math.max(0, usage.readingCount - row.billed_readings),
        eventCount: row.events.length,
      },
    },
  )
}

function lateOf(known: KnownWindow, late: MeasuredUsage): LateUsagePart {
  const { row, context } = known
  const { line, servicePeriod, cycle } = partOf(known)
  return {
    kind: 'late_usage',
    line,
    servicePeriod,
    cycle,
    price: row.price ?? context.line.price,
    billedQuantity: new Big(row.billed_quantity).toFixed(),
    ...(row.cycle_quantity === null
      ? { billedMinor: row.billed_minor }
      : { billedQuantity: new Big(row.cycle_quantity).toFixed(), isOfSplitCycle: true }),
    late,
    eventIds: row.events.map(({ id }) => id),
  }
}

/** The part of which the window was frozen. */
function partOf({ row, context: { line } }: KnownWindow): UsagePart {
  assert(line.interval, 'a metered line recurs')
  const servicePeriod = { start: row.starts_on, end: row.ends_on }
  const cycle = cycleHolding(line.billingCycleAnchor, line.interval, servicePeriod.start)
  return { kind: 'usage', line, servicePeriod, cycle }
}
