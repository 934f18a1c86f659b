import Big from 'big.js'
import { unreachable } from '../assert.ts'
import { atField, fieldError } from '../errors.ts'
import { checkFormula, type FormulaNames } from './formula.ts'
import type { GridStep, Price } from './price.ts'

/**
 * Refuses a price before it is stored, with the pointer of the field that is wrong.
 * @param pointer of the price in the request, such as `/price`
 * @param names what a formula may name
 * @throws `price_negative`; `tiers_invalid` for a hole, an overlap, or a last tier that ends; `formula_invalid`,
 *   `formula_not_allowed`, `formula_too_expensive`; `field_invalid` for what is no decimal or out of its range
 */
export function checkPrice(price: Price, pointer: string, names: FormulaNames): void {
  checkModel(price, pointer, names)
  const { includedQuantity, greatestQuantity, leastAmount, greatestAmount } = price
  if (includedQuantity !== undefined) checkDecimal(includedQuantity, `${pointer}/includedQuantity`)
  if (greatestQuantity !== undefined) checkDecimal(greatestQuantity, `${pointer}/greatestQuantity`)
  checkBounds(leastAmount, greatestAmount, pointer, 'Amount')
}

function checkModel(price: Price, pointer: string, names: FormulaNames): void {
  switch (price.model) {
    case 'per_unit':
      checkAmount(price.unitAmount, `${pointer}/unitAmount`)
      return price.perUnits === undefined ? undefined : checkSize(price.perUnits, `${pointer}/perUnits`)
    case 'flat':
      return checkAmount(price.amount, `${pointer}/amount`)
    case 'graduated':
    case 'volume':
      if (price.packageSize !== undefined) checkSize(price.packageSize, `${pointer}/packageSize`)
      return checkTiers(price.tiers, pointer)
    case 'graduated_percentage':
    case 'stairstep':
      return checkTiers(price.tiers, pointer)
    case 'package':
      checkSize(price.packageSize, `${pointer}/packageSize`)
      checkAmount(price.packageAmount, `${pointer}/packageAmount`)
      return checkCount(price.minimumPackages, `${pointer}/minimumPackages`)
    case 'percentage':
      checkAmount(price.ratePercent, `${pointer}/ratePercent`)
      if (price.amountPerEvent !== undefined) checkAmount(price.amountPerEvent, `${pointer}/amountPerEvent`)
      if (price.freeValue !== undefined) checkDecimal(price.freeValue, `${pointer}/freeValue`)
      checkCount(price.freeEvents, `${pointer}/freeEvents`)
      return checkBounds(price.leastPerEvent, price.greatestPerEvent, pointer, 'PerEvent')
    case 'commitment':
      checkAmount(price.unitAmount, `${pointer}/unitAmount`)
      checkDecimal(price.committedQuantity, `${pointer}/committedQuantity`)
      return checkDecimal(price.overageFactor ?? '1', `${pointer}/overageFactor`)
    case 'grid':
      if (price.fixedAmount !== undefined) checkAmount(price.fixedAmount, `${pointer}/fixedAmount`)
      return checkGrid(price.steps, pointer)
    case 'formula':
      return atField(`${pointer}/formula`, () => checkFormula(price.formula, withQuantity(names)))
    default:
      return unreachable(price)
  }
}

/** The line's own quantity always has a value. */
function withQuantity(names: FormulaNames): FormulaNames {
  return { ...names, values: [...names.values, 'quantity'] }
}

interface AnyTier {
  readonly upTo: string | null
  readonly unitAmount?: string
  readonly ratePercent?: string
  readonly flatAmount?: string
}

function checkTiers(tiers: readonly AnyTier[], pointer: string): void {
  if (tiers.length === 0) throw fieldError(`${pointer}/tiers`, 'tiers_invalid', 'There is no tier.')
  let below: Big | undefined
  for (const [index, tier] of tiers.entries()) {
    const at = `${pointer}/tiers/${index}`
    for (const field of ['unitAmount', 'ratePercent', 'flatAmount'] as const) {
      const amount = tier[field]
      if (amount !== undefined) checkAmount(amount, `${at}/${field}`)
    }
    below = checkUpperBound(tier, below, index === tiers.length - 1, `${at}/upTo`)
  }
}

function checkUpperBound(
  tier: AnyTier,
  below: Big | undefined,
  isLast: boolean,
  pointer: string,
): Big | undefined {
  if (isLast !== (tier.upTo === null)) {
    const detail = isLast
      ? 'The last tier has no upper bound, so that no quantity is without a price.'
      : 'Only the last tier is without an upper bound.'
    throw fieldError(pointer, 'tiers_invalid', detail)
  }
  if (tier.upTo === null) return below
  checkDecimal(tier.upTo, pointer)
  const bound = new Big(tier.upTo)
  if (below && bound.lte(below)) {
    const detail = `Tiers go up: ${tier.upTo} does not lie above ${below.toFixed()}.`
    throw fieldError(pointer, 'tiers_invalid', detail)
  }
  return bound
}

function checkGrid(steps: readonly GridStep[], pointer: string): void {
  const seen = new Set<string>()
  for (const [index, step] of steps.entries()) {
    const at = `${pointer}/steps/${index}`
    checkDecimal(step.from, `${at}/from`)
    checkAmount(step.amount, `${at}/amount`)
    const bound = [step.value, step.kind, new Big(step.from).toFixed(), step.isFromExcluded ?? false]
    const key = JSON.stringify(bound)
    if (seen.has(key))
      throw fieldError(`${at}/from`, 'tiers_invalid', `Two steps of one value begin at ${step.from}.`)
    seen.add(key)
  }
}

function checkBounds(
  least: string | undefined,
  greatest: string | undefined,
  pointer: string,
  suffix: 'Amount' | 'PerEvent',
): void {
  if (least !== undefined) checkAmount(least, `${pointer}/least${suffix}`)
  if (greatest !== undefined) checkAmount(greatest, `${pointer}/greatest${suffix}`)
  if (least !== undefined && greatest !== undefined && new Big(least).gt(greatest)) {
    throw fieldError(
      `${pointer}/least${suffix}`,
      'field_invalid',
      `The least, ${least}, lies above the greatest, ${greatest}.`,
    )
  }
}

function checkAmount(text: string, pointer: string): void {
  if (/^-\d/.test(text) && /[1-9]/.test(text)) {
    throw fieldError(pointer, 'price_negative', 'A price is 0 or more.')
  }
  checkDecimal(text, pointer)
}

function checkDecimal(text: string, pointer: string): void {
  if (!/^\d{1,15}(\.\d{1,20})?$/.test(text)) {
    throw fieldError(pointer, 'field_invalid', `This is a decimal of 0 or more, such as 12.5, not ${text}.`)
  }
}

function checkSize(text: string, pointer: string): void {
  checkDecimal(text, pointer)
  if (new Big(text).eq(0)) throw fieldError(pointer, 'field_invalid', 'This is a number above 0.')
}

function checkCount(count: number | undefined, pointer: string): void {
  if (count !== undefined && (!Number.isSafeInteger(count) || count < 0)) {
    throw fieldError(pointer, 'field_invalid', 'This is a whole number of 0 or more.')
  }
}
