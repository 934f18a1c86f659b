import type { MetricDefinition } from './application.ts'
import { addDays, compareDates, cycleHolding, type Period } from './calendar.ts'
import type { RecurringPart, UsagePart } from './invoice/lines.ts'
import type { Price } from './pricing/price.ts'
import { unitNames } from './unit.ts'

/** What a person or a program said of an instance, such as 12 users, from a day on. */
export interface RecordedValue {
  readonly code: string
  /** Decimal of 0 or more. */
  readonly value: string
  readonly startsOn: string
}

/** The values that a price looks up by name; none but for grids. */
export function valuesNamedBy(price: Price): string[] {
  if (price.model !== 'grid') return []
  return [...new Set(price.steps.flatMap((step) => step.value ?? []))]
}

/**
 * The day whose recorded value a period is priced by: its first where it is billed in advance, its last where in arrears.
 */
export function valueDay({ line, servicePeriod }: RecurringPart | UsagePart): string {
  return line.billingTiming === 'advance' ? servicePeriod.start : addDays(servicePeriod.end, -1)
}

/** What was recorded last on a day or before it; undefined where nothing was by then. */
export function recordedOn(values: readonly RecordedValue[], code: string, day: string): string | undefined {
  return values
    .filter((recorded) => recorded.code === code && compareDates(recorded.startsOn, day) <= 0)
    .toSorted((first, second) => compareDates(first.startsOn, second.startsOn))
    .at(-1)?.value
}

/**
 * Which metric measures a named value: the one of that code, in its own unit, or `disk_gib`, the metric `disk` in GiB.
 * Hyphens of a code are underscores in the name.
 */
export function metricOfValue(
  name: string,
  metrics: readonly Pick<MetricDefinition, 'code' | 'unit'>[],
): { readonly metric: string; readonly unit: string } | undefined {
  for (const { code, unit } of metrics) {
    const named = code.replaceAll('-', '_')
    if (name === named) return { metric: code, unit }
    const asked = unitNames.find((candidate) => name === `${named}_${candidate.toLowerCase()}`)
    if (asked !== undefined) return { metric: code, unit: asked }
  }
  return undefined
}

/** What a measured value is measured over: the period itself in arrears, and in advance the cycle before it. */
export function measuredPeriod({ line, servicePeriod, cycle }: RecurringPart | UsagePart): Period {
  if (line.billingTiming !== 'advance' || line.interval === null) return servicePeriod
  const before = cycleHolding(line.billingCycleAnchor, line.interval, addDays(cycle.start, -1))
  return { start: before.start, end: servicePeriod.start }
}
