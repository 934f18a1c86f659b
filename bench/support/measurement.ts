export type Unit = 'ms' | 'ms/s' | 'MiB' | 'KiB' | '/s' | 'actions'

/** What a value is held against, seen in the same run: the machine is noisy, so ratios say more than numbers. */
export interface Comparison {
  /** A peer was measured too; a limit is a number that somebody promised. */
  readonly kind: 'peer' | 'limit'
  readonly title: string
  readonly values: readonly number[]
}

/** A number that is aimed at. */
export function limitOf(value: number): Comparison {
  return { kind: 'limit', title: 'aim', values: [value] }
}

/** All hold between medians; what is left out is not asked for. */
export interface Aim {
  readonly ratioAtMost?: number
  /** For what is better the greater it is. */
  readonly ratioAtLeast?: number
  readonly moreAtMost?: number
}

export interface Measurement {
  readonly measure: string
  readonly unit: Unit
  /** One a repetition. */
  readonly values: readonly number[]
  readonly against: Comparison
  readonly aim: Aim
}

/** A benchmark that this machine cannot carry out, and why. */
export interface NotMeasured {
  readonly measure: string
  readonly reason: string
}

export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

export function spreadOf(values: readonly number[]): Spread {
  return { min: percentile(values, 0), median: percentile(values, 0.5), max: percentile(values, 1) }
}

/**
 * The smallest value that a share of all values does not exceed (nearest rank): never a value that was not seen. The
 * median of an even number is the lower of the two in the middle.
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (value === undefined) throw new Error('nothing was measured')
  return value
}

/** Null where the other side is 0. */
export function ratioOf({ values, against }: Measurement): number | null {
  const other = spreadOf(against.values).median
  return other === 0 ? null : spreadOf(values).median / other
}

/** Null: nothing was aimed at. */
export function isMet(measurement: Measurement): boolean | null {
  const { values, against, aim } = measurement
  if (Object.keys(aim).length === 0) return null
  const value = spreadOf(values).median
  const other = spreadOf(against.values).median
  return (
    value <= other * (aim.ratioAtMost ?? Infinity) &&
    value >= other * (aim.ratioAtLeast ?? 0) &&
    value - other <= (aim.moreAtMost ?? Infinity)
  )
}
