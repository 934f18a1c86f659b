import Big from 'big.js'
import { divide, sumOf } from './decimal.ts'

/**
 * An amount spread over parts by their weight. Whole, the shares are integers that add up to the amount exactly: each part
 * gets its share rounded down, and what is left goes one by one to the largest remainders, the first of equals first.
 * 1000 over three equal parts is 334, 333, 333. No share exceeds its weight unless the amount exceeds their sum.
 * @param amount 0 or more; an integer if the shares are whole
 * @param weights 0 or more; where all are 0, nothing is spread
 */
export function spreadByWeight(amount: Big, weights: readonly Big[], isWhole: boolean): Big[] {
  const whole = sumOf(weights)
  if (whole.eq(0)) return weights.map(() => new Big(0))
  const exact = weights.map((weight) => divide(amount.times(weight), whole))
  if (!isWhole) return exact
  const floors = exact.map((share) => share.round(0, Big.roundDown))
  const left = Number(amount.minus(sumOf(floors)).toFixed(0))
  const largestFirst = exact
    .map((share, index) => ({ index, remainder: share.minus(floors[index] ?? 0) }))
    .toSorted((first, second) => second.remainder.cmp(first.remainder) || first.index - second.index)
  const raised = new Set(largestFirst.slice(0, left).map(({ index }) => index))
  return floors.map((floor, index) => (raised.has(index) ? floor.plus(1) : floor))
}
