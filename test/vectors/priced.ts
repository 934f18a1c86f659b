import type Big from 'big.js'
import type { Price, PriceTier } from '#domain/pricing/price.ts'
import { ratePrice } from '#domain/pricing/rate.ts'
import type { RatedPrice, RatingStep } from '#domain/pricing/rated-price.ts'
import { decimal, has, type Inputs } from './calendar-inputs.ts'

/** A decimal in text, as prices hold it; what is left out is 0. */
export function written(value: unknown): string {
  return decimal(value ?? 0).toFixed()
}

export function listOf(inputs: Inputs, name: string): readonly Inputs[] {
  const value = inputs[name]
  if (!Array.isArray(value)) throw new Error(`${name} is no list`)
  return value as Inputs[]
}

export function upToOf(tier: Inputs): string | null {
  return has(tier, 'up_to') ? written(tier['up_to']) : null
}

export function tiersOf(inputs: Inputs, name = 'tiers'): PriceTier[] {
  return listOf(inputs, name).map((tier) => ({
    upTo: upToOf(tier),
    unitAmount: written(tier['unit_amount']),
    flatAmount: written(tier['flat_amount']),
  }))
}

export function rate(price: Price, quantity: unknown): RatedPrice {
  return ratePrice(price, decimal(quantity))
}

export function rateFlat(amount: unknown): Big {
  return rate({ model: 'flat', amount: written(amount) }, 0).amount
}

export function perUnit(unitAmount: unknown): Price {
  return { model: 'per_unit', unitAmount: written(unitAmount) }
}

export function roundingOf(value: unknown, fallback: 'up' | 'down' | 'exact'): 'up' | 'down' | 'exact' {
  if (value === undefined || value === null) return fallback
  if (value === 'up' || value === 'down') return value
  if (value === 'none' || value === 'exact') return 'exact'
  throw new Error(`packages are not rounded ${JSON.stringify(value)}`)
}

export function packagePrice(inputs: Inputs): Price {
  return {
    model: 'package',
    packageSize: written(inputs['package_size']),
    packageAmount: written(inputs['package_amount']),
    rounding: roundingOf(inputs['round'], inputs['partial_packages'] === true ? 'exact' : 'up'),
    minimumPackages: Number(inputs['minimum_packages'] ?? 0),
    includedQuantity: written(inputs['free_units'] ?? inputs['included']),
  }
}

export function packagesOf(steps: readonly RatingStep[]): string {
  const step = steps.find((step) => 'packages' in step)
  return step?.packages ?? '0'
}
