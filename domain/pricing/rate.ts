import Big from 'big.js'
import { unreachable } from '../assert.ts'
import { rateCommitment } from './commitment.ts'
import { divide } from '../money.ts'
import { applyShare } from '../proration.ts'
import { greater } from './decimal.ts'
import { evaluateFormula } from './formula.ts'
import { rateGraduated, rateGraduatedPercentage } from './graduated.ts'
import { rateGrid } from './grid.ts'
import { ratePackage } from './package.ts'
import { ratePercentage } from './percentage.ts'
import type { FormulaPrice, PerUnitPrice, Price, PriceModifiers } from './price.ts'
import { sumSteps, type RatedPrice, type RatingContext, type RatingStep } from './rated-price.ts'
import { rateStairstep } from './stairstep.ts'
import { rateVolume } from './volume.ts'

/**
 * What a quantity comes to at a price: exact, in major units, with the steps that led there. The included quantity comes
 * off first, then the greatest quantity cuts, then the model prices, then least and greatest amount hold. The caller
 * prorates the result and rounds it once: 10 GiB included, 1.00 per GiB, 13 used is 3.00.
 * @param quantity in the product's unit; the value, in money, of a percentage price
 * @throws `formula_invalid`, `formula_too_expensive` and what else a formula is refused with
 */
export function ratePrice(price: Price, quantity: Big, context: RatingContext = {}): RatedPrice {
  const counted = countQuantity(price, quantity)
  const priced = [...counted.steps, ...rateModel(price, counted.quantity, context)]
  const steps = [...priced, ...boundAmount(price, sumSteps(priced), context)]
  return { amount: sumSteps(steps), billedQuantity: counted.quantity, steps }
}

function countQuantity(price: PriceModifiers, quantity: Big): { quantity: Big; steps: RatingStep[] } {
  const steps: RatingStep[] = []
  let counted = quantity
  if (price.includedQuantity !== undefined) {
    counted = greater(new Big(0), quantity.minus(price.includedQuantity))
    steps.push({ kind: 'included', quantity: quantity.minus(counted).toFixed() })
  }
  if (price.greatestQuantity !== undefined && counted.gt(price.greatestQuantity)) {
    steps.push({ kind: 'above_greatest', quantity: counted.minus(price.greatestQuantity).toFixed() })
    counted = new Big(price.greatestQuantity)
  }
  return { quantity: counted, steps }
}

function rateModel(price: Price, quantity: Big, context: RatingContext): readonly RatingStep[] {
  switch (price.model) {
    case 'per_unit':
      return [ratePerUnit(price, quantity)]
    case 'flat':
      return [{ kind: 'flat', amount: new Big(price.amount).toFixed() }]
    case 'graduated':
      return rateGraduated(price, quantity)
    case 'graduated_percentage':
      return rateGraduatedPercentage(price, quantity)
    case 'volume':
      return rateVolume(price, quantity, new Big(context.tierQuantity ?? quantity))
    case 'stairstep':
      return [rateStairstep(price, quantity)]
    case 'package':
      return [ratePackage(price, quantity)]
    case 'percentage':
      return ratePercentage(price, quantity, context.events)
    case 'commitment':
      return rateCommitment(price, quantity)
    case 'grid':
      return rateGrid(price, quantity, context.values ?? {})
    case 'formula':
      return [rateFormula(price, quantity, context)]
    default:
      return unreachable(price)
  }
}

function ratePerUnit(price: PerUnitPrice, quantity: Big): RatingStep {
  const full = quantity.times(price.unitAmount)
  const amount = price.perUnits === undefined ? full : divide(full, new Big(price.perUnits))
  return {
    kind: 'units',
    quantity: quantity.toFixed(),
    unitAmount: price.unitAmount,
    ...(price.perUnits === undefined ? {} : { perUnits: price.perUnits }),
    amount: amount.toFixed(),
  }
}

function rateFormula(price: FormulaPrice, quantity: Big, context: RatingContext): RatingStep {
  const values = { ...context.values, quantity: quantity.toFixed() }
  const amount = evaluateFormula(price.formula, { ...context, values })
  return { kind: 'formula', formula: price.formula, amount: amount.toFixed() }
}

/** The greatest amount wins over a least one: a customer was promised to pay no more. */
function boundAmount(price: PriceModifiers, rated: Big, context: RatingContext): RatingStep[] {
  const steps: RatingStep[] = []
  const least = boundInForce(price.leastAmount, context)
  const raised = least?.gt(rated) ? least : rated
  if (least?.gt(rated))
    steps.push({ kind: 'least', bound: least.toFixed(), amount: least.minus(rated).toFixed() })
  const greatest = boundInForce(price.greatestAmount, context)
  if (greatest?.lt(raised))
    steps.push({ kind: 'greatest', bound: greatest.toFixed(), amount: greatest.minus(raised).toFixed() })
  return steps
}

function boundInForce(bound: string | undefined, { boundShare }: RatingContext): Big | undefined {
  if (bound === undefined) return undefined
  return boundShare === undefined ? new Big(bound) : applyShare(new Big(bound), boundShare)
}
