import { addDays, compareDates, dateIn, startOfDay } from '#domain/calendar.ts'
import { presentUsage, type PresentUsage } from '#domain/invoice/present-usage.ts'
import type { UsageCondition } from '#domain/usage-filter.ts'
import { readBillInputs } from './bill-input.ts'
import type { Db } from './database.ts'
import { boundaryToCome } from './read/standing.ts'
import { listDocuments } from './subscription-documents.ts'
import { definedMetric, measureUsages, readMeters } from './usage-measure.ts'

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
  const parts = inputs.flatMap((bill, index) => {
    const { time_zone: timeZone = 'UTC' } = documents[index] ?? {}
    const today = dateIn(timeZone, now)
    return (bill?.input.parts ?? []).flatMap((part) => {
      if (bill === null || part.kind !== 'usage') return []
      const isRunning =
        compareDates(part.cycle.start, today) <= 0 && compareDates(today, part.servicePeriod.end) < 0
      const instanceId = bill.sources.get(part.line.id)?.instanceId ?? null
      return isRunning ? [{ part, measured: bill.input.usageOf(part), bill, timeZone, instanceId }] : []
    })
  })
  const meters = await readMeters(
    db,
    parts.flatMap(({ instanceId }) => instanceId ?? []),
  )
  const lines = parts.map(({ part, measured, bill, timeZone, instanceId }): PresentLine => {
    const rule = definedMetric(meters, { instanceId, metric: part.line.metric })
    const terms = {
      currency: bill.input.currency,
      timeZone,
      at: now,
      isSum: rule === undefined || rule.kind === 'counter',
    }
    const { id: lineId, description, metric } = part.line
    const { usageFilter } = part.line.terms
    const { isSum } = terms
    const of = { lineId, description, metric: metric ?? '', instanceId, timeZone, isSum, usageFilter }
    return { ...of, ...presentUsage(part, measured, terms) }
  })
  return {
    lines,
    costMinor: lines.reduce((sum, line) => sum + line.costMinor, 0),
    periodStartsOn: lines.map(({ period }) => period.start).toSorted(compareDates)[0] ?? null,
  }
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
