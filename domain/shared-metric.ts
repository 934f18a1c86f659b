import type { MetricDefinition, MetricSource } from './application.ts'
import { atField, fieldError } from './errors.ts'
import { getUnit } from './unit.ts'
import { aggregationsOf, type MetricRule } from './usage.ts'

/** What one value of a metric is of. */
export const metricLevels = ['container', 'volume', 'instance', 'environment', 'customer'] as const
export type MetricLevel = (typeof metricLevels)[number]

/** `event`: a counter of amounts that are pushed only. */
export const sharedMetricKinds = ['counter', 'gauge', 'event'] as const

/** The source type of what comes as usage events and by no adapter. */
export const pushedSource = 'pushed'

/** A metric that an operator defines once, for any number of applications and products. */
export interface SharedMetric extends Omit<MetricRule, 'kind'> {
  readonly code: string
  readonly title: string
  readonly unit: string
  readonly kind: (typeof sharedMetricKinds)[number]
  readonly level: MetricLevel
  /** Type of the one source that may give it, or `pushed`; null: as each application says. */
  readonly sourceType: string | null
  /** What was missed is filled in later: only sources that keep history may give it. */
  readonly needsHistory: boolean
}

/** Comes as usage events only: products name it, and no application reads it. */
export function isPushed({ sourceType }: Pick<SharedMetric, 'sourceType'>): boolean {
  return sourceType === pushedSource
}

/**
 * Refuses what could not be measured: a counter by its highest value, an event that is read, a volume's size of a container.
 * @throws `unit_unknown`, `field_invalid`, `field_required`, each with the pointer of its field
 */
export function checkSharedMetric(metric: SharedMetric): void {
  atField('/unit', () => getUnit(metric.unit))
  const { kind, aggregation, sourceType } = metric
  const possible = aggregationsOf(kind === 'gauge' ? 'gauge' : 'counter')
  if (!possible.includes(aggregation)) {
    const detail = `A ${kind} is aggregated by ${possible.join(', ')}.`
    throw fieldError('/aggregation', 'field_invalid', detail)
  }
  requireWith('/percent', metric.percent, aggregation === 'percentile', 'percentile')
  requireWith('/bucket_s', metric.bucketSeconds, aggregation === 'bucket_max', 'bucket_max')
  if (kind === 'event' && sourceType !== pushedSource)
    throw fieldError('/source_type', 'field_invalid', 'Events are pushed: leave the source out.')
  if (kind === 'counter' && sourceType === pushedSource)
    throw fieldError('/kind', 'field_invalid', 'A counter that is pushed only is of the kind event.')
  if (metric.needsHistory && isPushed(metric))
    throw fieldError('/needs_history', 'field_invalid', 'What is pushed comes late by itself.')
  const wrong = sourceType === null ? undefined : levelRefusal(metric.level, sourceType)
  if (wrong !== undefined) throw fieldError('/level', 'field_invalid', wrong)
}

function requireWith(pointer: string, value: number | undefined, isWanted: boolean, of: string): void {
  if ((value !== undefined) === isWanted) return
  if (isWanted) throw fieldError(pointer, 'field_required', `${of} needs it.`)
  throw fieldError(pointer, 'field_invalid', `It belongs to ${of}.`)
}

/** Engine figures are of containers, a volume's size of a volume; the other sources may be asked for anything else. */
function levelRefusal(level: MetricLevel, sourceType: string): string | undefined {
  const own = sourceType.startsWith('engine-')
    ? 'container'
    : sourceType === 'volume-disk'
      ? 'volume'
      : undefined
  if (own === level || (own === undefined && level !== 'container' && level !== 'volume')) return undefined
  return own === undefined
    ? `${sourceType} gives no value of a ${level}.`
    : `${sourceType} gives values of a ${own}, not of a ${level}.`
}

/**
 * Why an application may not have a shared metric read from a source; undefined where it may.
 * @param keepsHistory whether the source has what was missed
 */
export function sourceRefusal(
  metric: SharedMetric,
  source: MetricSource,
  keepsHistory: boolean,
): string | undefined {
  if (isPushed(metric)) return 'is pushed as usage events and read from nowhere; let the product name it'
  if (metric.sourceType !== null && metric.sourceType !== source.type)
    return `is read from ${metric.sourceType}, as it is defined; write that source`
  const wrong = levelRefusal(metric.level, source.type)
  if (wrong !== undefined) return `is of a ${metric.level}; choose another source: ${wrong}`
  if (metric.needsHistory && !keepsHistory)
    return 'is to be filled in where it was missed; choose a source that keeps history'
  return undefined
}

/** As an application has it that reads it from its own source. */
export function definedBy(metric: SharedMetric, source: MetricSource): MetricDefinition {
  const { level: _level, sourceType: _type, needsHistory: _history, kind, ...measure } = metric
  return { ...measure, kind: kind === 'gauge' ? 'gauge' : 'counter', source, isShared: true }
}

/** As those measure it who have no application: what is pushed. */
export function definedAsPushed(metric: SharedMetric): MetricDefinition {
  return definedBy(metric, { type: pushedSource })
}
