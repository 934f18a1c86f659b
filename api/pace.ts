import { BusinessError } from '#domain/errors.ts'
import { takeOf, type Allowance, type Pace } from '#domain/pace.ts'
import type { ApiContext } from './frame.ts'

export interface NamedPace extends Pace {
  readonly name: string
}

/**
 * Refuses those who come too fast, and tells them when to come again. Each process keeps the paces for itself, so several let in so
 * much more, and one that starts again lets in a burst again.
 *
 * `who` is a peer or a word of ours, never a text of who asks: there are no more of them than there are peers.
 * @throws `too_many_requests`
 */
export type KeepPace = (
  ctx: ApiContext,
  pace: NamedPace,
  by: { readonly who: string; readonly cost?: number },
) => void

export function createPaces(): KeepPace {
  const allowances = new Map<string, Allowance>()
  return (ctx, pace, { who, cost = 1 }) => {
    const key = `${pace.name}/${who}`
    // The time that passes, which nobody can set.
    const nowMs = Math.floor(performance.now())
    const { waitMs, allowance } = takeOf(pace, allowances.get(key), { cost, nowMs })
    allowances.set(key, allowance)
    if (waitMs === 0) return
    const seconds = Math.ceil(waitMs / 1_000)
    ctx.set('retryAfterSeconds', seconds)
    throw new BusinessError('too_many_requests', `More comes than is let in. Come again in ${seconds} s.`)
  }
}
