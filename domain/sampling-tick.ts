import { spread } from './spread.ts'

/** How often a limit is looked at that nothing but a reading shows to be crossed: a crossing is to be held within a minute or so (D-33). */
export const limitLookMs = 30_000

/**
 * How long a sampler sleeps before it looks at limits, or, where its next tick comes before that, at everything.
 * @param of `tickAtMs` and `nowMs` in ms since 1970; `isWatched`: some limit is to be looked at between ticks
 * @example ten minutes before a tick half a minute, ten seconds before it ten seconds, and one too late 1 ms
 */
export function nextLook(of: {
  readonly tickAtMs: number
  readonly nowMs: number
  readonly isWatched: boolean
}): {
  readonly kind: 'tick' | 'limits'
  readonly waitMs: number
} {
  const untilTickMs = Math.max(1, of.tickAtMs - of.nowMs)
  if (of.isWatched && untilTickMs > limitLookMs) return { kind: 'limits', waitMs: limitLookMs }
  return { kind: 'tick', waitMs: untilTickMs }
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
