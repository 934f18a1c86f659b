import Big from 'big.js'
import { roundMinor } from '../money.ts'
import { applyShare, type Share } from '../proration.ts'
import { greater, lesser, sumOf } from './decimal.ts'

/**
 * What a minimum commitment adds to a period: commitment 100.00, lines 70.00, true-up 30.00. Lines above it add
 * nothing. Amounts in one unit, whichever.
 * @param counted everything that counts towards the commitment, also what was billed before
 */
export function trueUp(minimum: Big, counted: readonly Big[]): Big {
  return greater(new Big(0), minimum.minus(sumOf(counted)))
}

/** The commitment of a partial period, rounded half away from zero: 100.00 for 2 of 29 days is 6.90. */
export function prorateMinimum(minimumMinor: number, share: Share): number {
  return roundMinor(applyShare(new Big(minimumMinor), share))
}

/**
 * A maximum for several lines: in order, they fill what is left of it, and the rest of each is its discount. Maximum 170,
 * billed 160, lines 15 and 7: discounts 5 and 7, net 10.
 */
export function fillMaximum(
  maximum: Big,
  alreadyBilled: Big,
  lines: readonly Big[],
): { discounts: Big[]; net: Big } {
  let left = greater(new Big(0), maximum.minus(alreadyBilled))
  const discounts = lines.map((line) => {
    const billed = lesser(line, left)
    left = left.minus(billed)
    return line.minus(billed)
  })
  return { discounts, net: sumOf(lines).minus(sumOf(discounts)) }
}
