import Big from 'big.js'
import { greater, lesser } from './decimal.ts'
import type { CommitmentPrice } from './price.ts'
import type { RatingStep } from './rated-price.ts'

/**
 * Units up to the commitment at the unit amount, units above it at the unit amount times the factor, and with a true-up
 * never less than the commitment. 100 committed at 1.00, factor 1.5: 120 units are 130.00.
 */
export function rateCommitment(price: CommitmentPrice, quantity: Big): RatingStep[] {
  const committed = new Big(price.committedQuantity)
  const within = lesser(quantity, committed)
  const above = greater(new Big(0), quantity.minus(committed))
  const overageAmount = new Big(price.unitAmount).times(price.overageFactor ?? '1')
  const steps: RatingStep[] = [units('committed', within, new Big(price.unitAmount))]
  if (above.gt(0)) steps.push(units('overage', above, overageAmount))
  if (price.isTruedUp === true && within.lt(committed)) {
    steps.push({ kind: 'true_up', amount: committed.minus(within).times(price.unitAmount).toFixed() })
  }
  return steps
}

function units(kind: 'committed' | 'overage', quantity: Big, unitAmount: Big): RatingStep {
  return {
    kind,
    quantity: quantity.toFixed(),
    unitAmount: unitAmount.toFixed(),
    amount: quantity.times(unitAmount).toFixed(),
  }
}
