import { spread } from './spread.ts'

/** How often a limit is looked at that nothing but a reading shows to be crossed: a crossing is to be held within a minute or so (D-33). */
export const limitLookMs = 30_000

/**
 * How often a metric may be read that says so itself. Never more often than a pass over a server takes, and often enough for the
 * bill of a period, which waits six hours for a reading past its end.
 */
export const metricIntervalBounds = { leastS: 10, greatestS: 14_400 } as const

/**
 * How long a sampler sleeps before it looks at what is due between ticks, or, where its next tick comes before that, at everything.
 * @param of `tickAtMs` and `nowMs` in ms since 1970; `isWatched`: something is to be looked at between ticks; `lookEveryMs`: as often
 * as the most frequent metric is read, at instants of the server's own; without it each half minute
 * @example ten minutes before a tick half a minute, ten seconds before it ten seconds, and one too late 1 ms
 */
export function nextLook(of: {
  readonly serverId: string
  readonly tickAtMs: number
  readonly nowMs: number
  readonly isWatched: boolean
  readonly lookEveryMs?: number | undefined
}): {
  readonly kind: 'tick' | 'limits'
  readonly waitMs: number
} {
  const untilTickMs = Math.max(1, of.tickAtMs - of.nowMs)
  const untilLookMs =
    of.lookEveryMs === undefined ? limitLookMs : untilNextTickMs({ ...of, intervalMs: of.lookEveryMs })
  if (of.isWatched && untilTickMs > untilLookMs) return { kind: 'limits', waitMs: untilLookMs }
  return { kind: 'tick', waitMs: untilTickMs }
}

/**
 * How often a server is looked at between its ticks, in ms; undefined: no metric says how often it is read.
 * @param of `intervalsS` of its metrics, in s; `hasWatchedLimits`: some limit is held by what is read
 */
export function lookInterval(of: {
  readonly intervalsS: readonly number[]
  readonly hasWatchedLimits: boolean
}): number | undefined {
  if (of.intervalsS.length === 0) return undefined
  const shortestMs = Math.min(...of.intervalsS) * 1_000
  return of.hasWatchedLimits ? Math.min(shortestMs, limitLookMs) : shortestMs
}

/** A look that comes a little before its instant, by another clock, is the look of that instant. */
const earlyMs = 1_000

/**
 * Whether a metric with an interval of its own is to be read: once between two of its instants, which lie as the ticks of its server do.
 * @param of `lookedAtMs` and `nowMs` in ms since 1970; undefined: it was never read
 * @example read at 12:00:00, each 60 s: at 12:00:30 not yet, at 12:01:00 it is due, and at 12:07:12 once
 */
export function isDue(of: {
  readonly serverId: string
  readonly intervalMs: number
  readonly lookedAtMs: number | undefined
  readonly nowMs: number
}): boolean {
  if (of.lookedAtMs === undefined) return true
  const ownMs = spread(of.serverId) % of.intervalMs
  const turn = (atMs: number) => Math.floor((atMs - ownMs + earlyMs) / of.intervalMs)
  return turn(of.nowMs) > turn(of.lookedAtMs)
}

/**
 * How long a server's sampler waits until its next tick, from 1 ms to the interval. Ticks of a server lie a whole interval apart,
 * at an instant of their own within it that its id alone says: servers are not all asked at the same second, after an outage or a
 * common start neither, and a tick that took long moves no later one. A wait of a whole interval follows a tick at its instant.
 * @param of `serverId` `srv_…`; `nowMs` in ms since 1970
 */
export function untilNextTickMs(of: {
  readonly serverId: string
  readonly intervalMs: number
  readonly nowMs: number
}): number {
  const ownMs = spread(of.serverId) % of.intervalMs
  const sinceOwnMs = (of.nowMs - ownMs) % of.intervalMs
  return of.intervalMs - (sinceOwnMs < 0 ? sinceOwnMs + of.intervalMs : sinceOwnMs)
}
