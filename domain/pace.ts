import { assert } from './assert.ts'

/** How much is let in: so much a second, and so much at once of what was not used. */
export interface Pace {
  readonly perSecond: number
  readonly burst: number
}

/** What is left of a pace, at an instant. In thousandths: whole numbers, so that who has waited long enough is let in. */
export interface Allowance {
  readonly leftThousandths: number
  readonly atMs: number
}

/**
 * Takes of what a pace allows. What is refused takes nothing, so who is patient is let in; a clock that goes back gives nothing.
 * @param before undefined for who comes first
 * @param cost whole, and no more than the burst: more could never be let in
 * @returns how long to wait, 0 where it was taken
 * @example takeOf({ perSecond: 10, burst: 20 }, undefined, { cost: 20, nowMs: 0 }) // taken; 1 more: in 100 ms
 */
export function takeOf(
  { perSecond, burst }: Pace,
  before: Allowance | undefined,
  { cost, nowMs }: { cost: number; nowMs: number },
): { readonly waitMs: number; readonly allowance: Allowance } {
  assert(cost <= burst, 'what is asked for fits into the burst')
  const { leftThousandths, atMs } = before ?? { leftThousandths: burst * 1_000, atMs: nowMs }
  const given = Math.max(0, nowMs - atMs) * perSecond
  const left = Math.min(burst * 1_000, leftThousandths + given)
  const lacking = cost * 1_000 - left
  const nextMs = Math.max(atMs, nowMs)
  if (lacking <= 0) return { waitMs: 0, allowance: { leftThousandths: -lacking, atMs: nextMs } }
  return { waitMs: Math.ceil(lacking / perSecond), allowance: { leftThousandths: left, atMs: nextMs } }
}
