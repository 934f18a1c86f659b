import type { PerUnitPrice, Price } from './price.ts'

/** The plain price: the quantity times a unit amount. */
export function perUnitPrice(unitAmount: string): PerUnitPrice {
  return { model: 'per_unit', unitAmount }
}

/**
 * What one unit costs, whatever the quantity, in major units; null where it depends on it: tiers, packages, an included
 * quantity, bounds. "0.60 per 1,000 requests" has none either: 0.0006 is not what was agreed.
 */
export function unitPriceOf(price: Price): string | null {
  if (price.model !== 'per_unit') return null
  const { model: _model, unitAmount, ...others } = price
  return Object.keys(others).length === 0 ? unitAmount : null
}
