import type Big from 'big.js'
import { assert } from '../assert.ts'

/** The tier that a quantity reaches, its upper bound included, and where that tier begins. The last one never ends. */
export function reachedTier<Tier extends { readonly upTo: string | null }>(
  tiers: readonly Tier[],
  quantity: Big,
): { tier: Tier; from: string } {
  const found = tiers.findIndex((tier) => tier.upTo === null || quantity.lte(tier.upTo))
  const index = found === -1 ? tiers.length - 1 : found
  const tier = tiers[index]
  assert(tier, 'a tiered price has a tier')
  return { tier, from: tiers[index - 1]?.upTo ?? '0' }
}
