import Big from 'big.js'
import { unreachable } from '../assert.ts'
import { currencyExponent } from '../money.ts'
import type { GridStep, PackagePrice, PercentagePrice, Price } from './price.ts'

interface Words {
  readonly money: (amount: string) => string
  readonly unit: string
}

/**
 * The price without its period, as `priceSentence` and the history of a change say it: `1.00 USD per GiB`,
 * `0.60 USD per 1,000 requests`, `10 GiB included, then 1.00 USD per GiB`.
 * @param unit of the product, from the table of units
 * @throws `currency_unknown`
 */
export function describePriceModel(price: Price, currency: string, unit: string): string {
  const words: Words = { money: (amount) => `${decimals(amount, currency)} ${currency}`, unit }
  const { includedQuantity, greatestQuantity, leastAmount, greatestAmount } = price
  const included = includedQuantity === undefined ? '' : `${counted(includedQuantity, unit)} included, then `
  const limits = [
    greatestQuantity === undefined ? '' : `, at most ${counted(greatestQuantity, unit)} billed`,
    leastAmount === undefined ? '' : `, at least ${words.money(leastAmount)}`,
    greatestAmount === undefined ? '' : `, at most ${words.money(greatestAmount)}`,
  ]
  return `${included}${describeModel(price, words)}${limits.join('')}`
}

function describeModel(price: Price, words: Words): string {
  const { money, unit } = words
  switch (price.model) {
    case 'per_unit':
      return `${money(price.unitAmount)} per ${price.perUnits === undefined ? unit : counted(price.perUnits, unit)}`
    case 'flat':
      return money(price.amount)
    case 'graduated':
    case 'volume': {
      const each = price.packageSize === undefined ? unit : `started ${counted(price.packageSize, unit)}`
      const tiers = price.tiers.map(
        (tier) => `${money(tier.unitAmount)} per ${each}${plus(tier.flatAmount, words)}`,
      )
      const of = price.packageSize === undefined ? unit : 'package'
      const mode = price.model === 'volume' ? 'all at the price of the tier reached' : 'each at its own tier'
      return `${bounded(price.tiers, tiers, (bound) => counted(bound, of))}; ${mode}`
    }
    case 'graduated_percentage': {
      const tiers = price.tiers.map((tier) => `${grouped(tier.ratePercent)} %${plus(tier.flatAmount, words)}`)
      return `${bounded(price.tiers, tiers, money)}; each part of the value at its own tier`
    }
    case 'stairstep': {
      const steps = price.tiers.map((tier) => money(tier.flatAmount))
      return `${bounded(price.tiers, steps, (bound) => counted(bound, unit))}, whatever is used of the step`
    }
    case 'package':
      return describePackage(price, words)
    case 'percentage':
      return describePercentage(price, words)
    case 'commitment': {
      const overage = money(new Big(price.unitAmount).times(price.overageFactor ?? '1').toFixed())
      const committed = `${counted(price.committedQuantity, unit)} ${price.isTruedUp ? 'owed at least' : 'committed'}`
      return `${money(price.unitAmount)} per ${unit}, ${committed}, ${overage} per ${unit} above`
    }
    case 'grid': {
      const fixed = price.fixedAmount === undefined ? [] : [money(price.fixedAmount)]
      return [...fixed, ...price.steps.map((step) => describeStep(step, words))].join('; ')
    }
    case 'formula':
      return `by formula: ${price.formula}`
    default:
      return unreachable(price)
  }
}

function describePackage(price: PackagePrice, { money, unit }: Words): string {
  const kind = { up: 'started ', down: 'full ', exact: '' }[price.rounding ?? 'up']
  const least = price.minimumPackages ?? 0
  const minimum = least > 0 ? `, at least ${least} of them` : ''
  return `${money(price.packageAmount)} per ${kind}${counted(price.packageSize, unit)}${minimum}`
}

function describePercentage(price: PercentagePrice, { money }: Words): string {
  const parts = [
    `${grouped(price.ratePercent)} % of the value`,
    price.amountPerEvent === undefined ? '' : ` + ${money(price.amountPerEvent)} per event`,
    price.leastPerEvent === undefined ? '' : `, at least ${money(price.leastPerEvent)} per event`,
    price.greatestPerEvent === undefined ? '' : `, at most ${money(price.greatestPerEvent)} per event`,
    price.freeEvents === undefined ? '' : `, the first ${price.freeEvents} events free`,
    price.freeValue === undefined ? '' : `, the first ${money(price.freeValue)} free`,
  ]
  return parts.join('')
}

function describeStep(step: GridStep, { money, unit }: Words): string {
  const value = step.value ?? unit
  const bound = `${step.isFromExcluded === true ? 'above' : 'from'} ${grouped(step.from)} ${value}`
  return `${bound} ${money(step.amount)}${step.kind === 'fixed' ? '' : ' each'}`
}

function plus(flatAmount: string | undefined, { money }: Words): string {
  return flatAmount === undefined || new Big(flatAmount).eq(0) ? '' : ` + ${money(flatAmount)}`
}

/** `up to 10 GiB 5.00 USD, above 4.00 USD`; a single tier has no bound to name. */
function bounded(
  tiers: readonly { readonly upTo: string | null }[],
  texts: readonly string[],
  bound: (upTo: string) => string,
): string {
  if (tiers.length === 1) return texts[0] ?? ''
  return tiers
    .map(({ upTo }, index) => `${upTo === null ? 'above' : `up to ${bound(upTo)}`} ${texts[index] ?? ''}`)
    .join(', ')
}

/** `1 user`, `1,000 GiB`: units written in small letters are words, and have a plural. */
export function counted(quantity: string, unit: string): string {
  const isWord = unit === unit.toLowerCase()
  return `${grouped(quantity)} ${unit}${isWord && !new Big(quantity).eq(1) ? 's' : ''}`
}

/** All decimals that the price has, and at least those of its currency. */
function decimals(amount: string, currency: string): string {
  const exact = new Big(amount)
  const written = exact.toFixed().split('.')[1]?.length ?? 0
  return grouped(exact.toFixed(Math.max(written, currencyExponent(currency))))
}

/** 1000000.50 is 1,000,000.50. */
export function grouped(digits: string): string {
  const [whole = '', fraction] = digits.split('.')
  const thousands = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? thousands : `${thousands}.${fraction}`
}
