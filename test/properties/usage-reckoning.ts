import type { TakenEvent, TakenReading } from './usage-story.ts'

/**
 * What each period comes to, in bytes, computed from scratch out of what is known: no code of the product, no decimals, no SQL.
 * A step of a counter is of the period in which its later reading was taken, the end of a period included. A period that was
 * billed unread ends with the first reading after it.
 */
export function reckonUsage(
  known: { readonly readings: readonly TakenReading[]; readonly events: readonly TakenEvent[] },
  /** From the first start to the last end, which is open. */
  boundariesMs: readonly number[],
  /** Indexes of boundaries at which the counter was not read in time. */
  unreadBoundaries: ReadonlySet<number>,
): { readonly network: bigint[]; readonly disk: bigint[] } {
  const network = known.readings.filter(({ metric }) => metric === 'network')
  const readAtBoundaries = boundariesMs.map((boundaryMs, index) => {
    if (!unreadBoundaries.has(index)) return boundaryMs
    return network.reduce(
      (first, { readAtMs }) => (readAtMs >= boundaryMs ? Math.min(first, readAtMs) : first),
      Infinity,
    )
  })
  const steps = stepsOf(network)
  const levels = levelsOf(known.readings.filter(({ metric }) => metric === 'disk'))
  const periods = boundariesMs.slice(1).map((_, index) => index)
  return {
    network: periods.map((period) => {
      const grown = steps.filter(isBetween(readAtBoundaries, period)).map(({ bytes }) => bytes)
      const pushed = known.events
        .filter(({ occurredAtMs }) => isBetween(boundariesMs, period)({ atMs: occurredAtMs }))
        .map(({ bytes }) => bytes)
      return [...grown, ...pushed].reduce((sum, bytes) => sum + bytes, 0n)
    }),
    disk: periods.map((period) => {
      const inside = levels.filter(isBetween(boundariesMs, period))
      const before = levels.filter(({ atMs }) => atMs <= (boundariesMs[period] ?? 0))
      if (inside.length === 0) return before.at(-1)?.bytes ?? 0n
      return inside.reduce((most, { bytes }) => (bytes > most ? bytes : most), 0n)
    }),
  }
}

function isBetween(boundariesMs: readonly number[], period: number) {
  const [startMs = 0, endMs = 0] = boundariesMs.slice(period, period + 2)
  return ({ atMs }: { readonly atMs: number }) => atMs > startMs && atMs <= endMs
}

/** What every series grew by, and when that was seen. */
function stepsOf(readings: readonly TakenReading[]): { atMs: number; bytes: bigint }[] {
  const bySeries = Map.groupBy(readings, ({ series }) => series)
  return [...bySeries.values()].flatMap((ofSeries) => {
    const inOrder = ofSeries.toSorted((one, other) => one.readAtMs - other.readAtMs)
    return inOrder.map(({ bytes, isOpening, readAtMs: atMs }, index) => {
      const before = inOrder[index - 1]?.bytes ?? 0n
      if (isOpening) return { atMs, bytes: 0n }
      return { atMs, bytes: bytes < before ? bytes : bytes - before }
    })
  })
}

/** What all volumes held together at each moment at which any was read. */
function levelsOf(readings: readonly TakenReading[]): { atMs: number; bytes: bigint }[] {
  const byMoment = Map.groupBy(readings, ({ readAtMs }) => readAtMs)
  return [...byMoment]
    .map(([atMs, together]) => ({ atMs, bytes: together.reduce((sum, { bytes }) => sum + bytes, 0n) }))
    .toSorted((one, other) => one.atMs - other.atMs)
}
