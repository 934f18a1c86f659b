import { addDays, compareDates, cycleHolding, dateIn, startOfDay } from '#domain/calendar.ts'
import type { UsagePart } from '#domain/invoice/lines.ts'
import { presentUsage, type PresentUsage } from '#domain/invoice/present-usage.ts'
import type { UsageCondition } from '#domain/usage-filter.ts'
import { readBillInputs } from './bill-input.ts'
import type { Db } from './database.ts'
import { boundaryToCome, type ReadDocument } from './read/standing.ts'
import { listDocuments } from './subscription-documents.ts'
import { definedMetric, measureUsages, readMeters } from './usage-measure.ts'

/** A bill to come, as far as it tells what is used now. */
type BillToCome = Pick<ReadDocument, 'input' | 'sources' | 'timeZone'>

/** The present usage of one metered line. */
export interface PresentLine extends PresentUsage {
  readonly lineId: string
  readonly description: string
  readonly metric: string
  readonly instanceId: string | null
  readonly timeZone: string
  readonly isSum: boolean
  readonly usageFilter: readonly UsageCondition[]
}

export interface PresentCost {
  readonly lines: readonly PresentLine[]
  /** Of all metered lines in the periods that run, before discounts and tax. */
  readonly costMinor: number
  /** The first day of the earliest of these periods; null where nothing is metered. */
  readonly periodStartsOn: string | null
}

/**
 * What a subscription has used and what it costs in the billing periods that run, computed by the function that bills are made
 * by from what was measured so far. Nothing is locked.
 * @param now of the subscription's own time
 * @throws what a part is refused with that cannot be priced
 */
export async function readPresentCost(db: Db, subscriptionId: string, now: string): Promise<PresentCost> {
  const documents = (await listDocuments(db, subscriptionId)).filter(({ closed_at }) => closed_at === null)
  const bills = documents.map((document) => ({
    reason: 'period' as const,
    document,
    subscriptionIds: [subscriptionId],
    asOf: boundaryToCome(document, dateIn(document.time_zone, now)),
    now,
  }))
  const inputs = await readBillInputs(db, bills, { isPreview: true })
  const toCome = documents.flatMap(({ time_zone: timeZone }, index) => {
    const bill = inputs[index] ?? null
    return bill === null ? [] : [{ input: bill.input, sources: bill.sources, timeZone }]
  })
  return await presentCostOf(db, toCome, { subscriptionId, now })
}

/**
 * The same of bills that were read already. A line that ended within its period counts until the period is over: its use is a part of
 * what the period costs.
 * @throws what a part is refused with that cannot be priced
 */
export async function presentCostOf(
  db: Db,
  bills: readonly BillToCome[],
  { subscriptionId, now }: { subscriptionId: string; now: string },
): Promise<PresentCost> {
  const parts = bills.flatMap((bill) => {
    const running = runningParts(bill, { subscriptionId, today: dateIn(bill.timeZone, now) })
    return running.map((part) => ({
      part,
      bill,
      instanceId: bill.sources.get(part.line.id)?.instanceId ?? null,
    }))
  })
  const meters = await readMeters(
    db,
    parts.flatMap(({ instanceId }) => instanceId ?? []),
  )
  const lines = parts.map(({ part, bill: { input, timeZone }, instanceId }): PresentLine => {
    const { id: lineId, description, metric } = part.line
    const { usageFilter } = part.line.terms
    const rule = definedMetric(meters, { instanceId, metric })
    const isSum = rule === undefined || rule.kind === 'counter'
    const terms = { currency: input.currency, timeZone, at: now, isSum }
    const of = { lineId, description, metric: metric ?? '', instanceId, timeZone, isSum, usageFilter }
    return { ...of, ...presentUsage(part, input.usageOf(part), terms) }
  })
  const known = new Set(lines.map(({ lineId }) => lineId))
  const billedMinor = bills.reduce((sum, bill) => {
    const whole = { subscriptionId, today: dateIn(bill.timeZone, now), known }
    return sum + billedWholly(bill, whole)
  }, 0)
  return {
    lines,
    costMinor: lines.reduce((sum, line) => sum + line.costMinor, billedMinor),
    periodStartsOn: lines.map(({ period }) => period.start).toSorted(compareDates)[0] ?? null,
  }
}

interface Running {
  readonly subscriptionId: string
  readonly today: string
}

/** Metered parts of cycles that run, which have begun. */
function runningParts({ input }: BillToCome, { subscriptionId, today }: Running): UsagePart[] {
  const metered = input.parts.filter((part) => part.kind === 'usage')
  return metered.filter(
    ({ line, servicePeriod, cycle }) =>
      line.subscriptionId === subscriptionId &&
      compareDates(servicePeriod.start, today) <= 0 &&
      compareDates(today, cycle.end) < 0,
  )
}

/** Of lines that ended in a cycle that runs, and of which all was billed early: nothing of them is due any more. */
function billedWholly(
  { input }: BillToCome,
  { subscriptionId, today, known }: Running & { known: ReadonlySet<string> },
): number {
  const ended = input.lines.filter(
    (line) =>
      line.billingType === 'usage' &&
      line.interval !== null &&
      line.subscriptionId === subscriptionId &&
      line.endsOn !== null &&
      compareDates(line.endsOn, today) <= 0 &&
      !known.has(line.id),
  )
  return ended.reduce((sum, { billed, interval, billingCycleAnchor }) => {
    const cycle = interval && cycleHolding(billingCycleAnchor, interval, today)
    const inCycle = billed.filter(
      ({ kind, servicePeriod }) =>
        (kind === 'usage' || kind === 'late_usage') &&
        servicePeriod !== null &&
        cycle !== null &&
        compareDates(cycle.start, servicePeriod.start) <= 0,
    )
    return inCycle.reduce((whole, { ratedMinor }) => whole + ratedMinor, sum)
  }, 0)
}

/** The usage of one day, in the unit of its line. */
export interface DayOfUsage {
  readonly date: string
  readonly quantity: string
}

/** The days of the period that have begun, of each of the lines. */
export async function readDaysOfUsage(
  db: Db,
  subscriptionId: string,
  { lines, now }: { lines: readonly PresentLine[]; now: string },
): Promise<ReadonlyMap<PresentLine, readonly DayOfUsage[]>> {
  const asked = lines.flatMap((line) => daysUntil(line, now).map((date) => ({ line, date })))
  const answers = await measureUsages(
    db,
    asked.map(({ line: { instanceId, metric, unit, timeZone, usageFilter }, date }) => ({
      subscriptionId,
      instanceId,
      metric,
      unit,
      usageFilter,
      window: { start: startOfDay(timeZone, date), end: startOfDay(timeZone, addDays(date, 1)) },
      isLast: false,
    })),
    { withLate: true },
  )
  const days = asked.map(({ line, date }, index) => ({
    line,
    day: { date, quantity: answers[index]?.usage.quantity ?? '0' },
  }))
  const grouped = Map.groupBy(days, ({ line }) => line)
  return new Map([...grouped].map(([line, of]) => [line, of.map(({ day }) => day)]))
}

/** A chart of more days shows the newest of them. */
const mostDays = 92

function daysUntil({ period, timeZone }: PresentLine, now: string): string[] {
  const today = dateIn(timeZone, now)
  const dates: string[] = []
  for (let date = period.start; compareDates(date, today) <= 0 && compareDates(date, period.end) < 0;) {
    dates.push(date)
    date = addDays(date, 1)
  }
  return dates.slice(-mostDays)
}
