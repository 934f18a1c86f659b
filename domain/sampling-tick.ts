import { spread } from './spread.ts'

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
