import Big from 'big.js'
import { divide } from '../money.ts'
import { greater, wholeParts } from './decimal.ts'
import type { PackagePrice } from './price.ts'
import type { RatingStep } from './rated-price.ts'

/**
 * Each started package: 5.00 per 100, 0 units are 0.00, 1 unit is 5.00, 101 units are 10.00. Rounded down, only full ones
 * count; exact, a part of one costs its part.
 */
export function ratePackage(price: PackagePrice, quantity: Big): RatingStep {
  const counted = packagesIn(quantity, new Big(price.packageSize), price.rounding ?? 'up')
  const packages = greater(counted, new Big(price.minimumPackages ?? 0))
  return {
    kind: 'package',
    packages: packages.toFixed(),
    packageSize: price.packageSize,
    packageAmount: price.packageAmount,
    amount: packages.times(price.packageAmount).toFixed(),
  }
}

/** Where a tiered price counts in packages, the started packages of a quantity; else the quantity. */
export function countPackages(
  packageSize: string | undefined,
  quantity: Big,
): { quantity: Big; steps: RatingStep[] } {
  if (packageSize === undefined) return { quantity, steps: [] }
  const packages = packagesIn(quantity, new Big(packageSize), 'up')
  return {
    quantity: packages,
    steps: [{ kind: 'counted_in_packages', packages: packages.toFixed(), packageSize }],
  }
}

function packagesIn(quantity: Big, size: Big, rounding: 'up' | 'down' | 'exact'): Big {
  if (rounding === 'exact') return divide(quantity, size)
  const { count, hasRest } = wholeParts(quantity, size)
  return hasRest && rounding === 'up' ? count.plus(1) : count
}
