import Big from 'big.js'
import { assert } from './assert.ts'
import { BusinessError } from './errors.ts'

/** Decimals of a currency's minor unit, from ISO 4217 list one. A currency that is not here cannot be used. */
const exponents: Readonly<Record<string, number>> = {
  AED: 2, ARS: 2, AUD: 2, BGN: 2, BHD: 3, BRL: 2, CAD: 2, CHF: 2, CLF: 4, CLP: 0, CNY: 2, COP: 2, CZK: 2, DKK: 2, EGP: 2,
  EUR: 2, GBP: 2, HKD: 2, HUF: 2, IDR: 2, ILS: 2, INR: 2, IQD: 3, ISK: 0, JOD: 3, JPY: 0, KES: 2, KRW: 0, KWD: 3, LYD: 3,
  MAD: 2, MXN: 2, MYR: 2, NGN: 2, NOK: 2, NZD: 2, OMR: 3, PEN: 2, PHP: 2, PKR: 2, PLN: 2, PYG: 0, QAR: 2, RON: 2, RSD: 2,
  SAR: 2, SEK: 2, SGD: 2, THB: 2, TND: 3, TRY: 2, TWD: 2, UAH: 2, UGX: 0, USD: 2, UYU: 2, VND: 0, XAF: 0, XOF: 0, ZAR: 2,
} // prettier-ignore

/**
 * Decimals of the currency's minor unit: USD 2, JPY 0, KWD 3.
 * @throws `currency_unknown`
 */
export function currencyExponent(currency: string): number {
  const exponent = Object.hasOwn(exponents, currency) ? exponents[currency] : undefined
  if (exponent === undefined) {
    throw new BusinessError(
      'currency_unknown',
      `${currency} is not a currency of ISO 4217 that this installation knows.`,
    )
  }
  return exponent
}

/** What becomes of a remainder: to the nearest with halves away from zero (ours), away from zero, towards it, or halves to even. */
export type RoundingMode = 'nearest' | 'up' | 'down' | 'half_even'

const bigModes: Readonly<Record<RoundingMode, 0 | 1 | 2 | 3>> = {
  nearest: Big.roundHalfUp,
  up: Big.roundUp,
  down: Big.roundDown,
  half_even: Big.roundHalfEven,
}

/**
 * The one place where a decimal is rounded. Digits are counted after the point, negative ones before it: 1.5 to 0 digits
 * is 2, -1.5 is -2, 1234 to -1 digits is 1230. 7.365 to 2 digits is 7.37, and 7.36 with halves to even.
 */
export function roundDecimal(value: Big, digits: number, mode: RoundingMode = 'nearest'): Big {
  return value.round(digits, bigModes[mode])
}

/** To a multiple of a step: 8.81 to a step of 0.05 is 8.80, 8.825 is 8.85. */
export function roundToStep(value: Big, step: Big, mode: RoundingMode = 'nearest'): Big {
  assert(step.gt(0), `a rounding step is more than 0, got ${step.toFixed()}`)
  return roundDecimal(divide(value, step), 0, mode).times(step)
}

/**
 * An exact amount in minor units to an integer of them.
 * @throws `amount_too_large`: a single usage event can come to more than an integer holds exactly
 */
export function roundMinor(amountMinor: Big, mode: RoundingMode = 'nearest'): number {
  const value = Number(roundDecimal(amountMinor, 0, mode).toFixed(0))
  if (!Number.isSafeInteger(value))
    throw new BusinessError(
      'amount_too_large',
      `${amountMinor.toFixed(0)} in minor units is more than an amount can be, which is ${Number.MAX_SAFE_INTEGER}.`,
    )
  return value === 0 ? 0 : value
}

/**
 * The one rounding of an invoice line: an exact amount in major units to an integer in minor units, half away from zero.
 * 0.125 USD gives 13, -0.125 USD gives -13, 1234.5678 JPY gives 1235.
 */
export function roundHalfAwayFromZero(amount: Big, currency: string): number {
  return roundMinor(amount.times(new Big(10).pow(currencyExponent(currency))))
}

const quotientDecimals = 40

/**
 * A quotient of 40 decimals, the last one rounded half away from zero: exact enough that only the one rounding after it
 * counts. By whole numbers of any size, which is twenty times as fast as big.js by digits: a document spreads a discount over
 * thirty thousand lines.
 */
export function divide(dividend: Big, divisor: Big): Big {
  const shift = quotientDecimals + exponentOf(dividend) - exponentOf(divisor)
  const numerator = digitsOf(dividend) * 10n ** BigInt(Math.max(shift, 0))
  const denominator = digitsOf(divisor) * 10n ** BigInt(Math.max(-shift, 0))
  const quotient = (numerator * 2n + denominator) / (denominator * 2n)
  const sign = dividend.s === divisor.s || quotient === 0n ? '' : '-'
  return new Big(`${sign}${quotient}e-${quotientDecimals}`)
}

/** A number is its digits times ten to its exponent. */
function digitsOf(value: Big): bigint {
  return BigInt(value.c.join(''))
}

function exponentOf(value: Big): number {
  return value.e - value.c.length + 1
}

/**
 * Rounds every part so that together they are exactly the total: each is rounded down, then those that lost most get one
 * unit back, the first of equals first. 3.3333 three times with a total of 10 gives 4, 3, 3.
 * @param parts exact amounts in minor units; they sum to the total but for its own rounding
 */
export function roundToTotal(parts: readonly Big[], totalMinor: number): number[] {
  const floors = parts.map((part) => floor(part))
  const missing = totalMinor - floors.reduce((sum, minor) => sum + minor, 0)
  assert(missing >= 0 && missing <= parts.length, `parts do not add up to ${totalMinor}`)
  const winners = new Set(
    parts
      .map((part, index) => ({ index, lost: part.minus(floors[index] ?? 0) }))
      .toSorted((first, second) => second.lost.cmp(first.lost) || first.index - second.index)
      .slice(0, missing)
      .map(({ index }) => index),
  )
  return floors.map((minor, index) => (winners.has(index) ? minor + 1 : minor))
}

function floor(value: Big): number {
  return roundMinor(value, value.lt(0) ? 'up' : 'down')
}

/**
 * Spreads an amount over parts by their weight, to the minor unit: 1000 over three equal parts is 334, 333, 333. Weights
 * that sum to nothing count as equal.
 */
export function spread(amountMinor: number, weights: readonly Big[]): number[] {
  return weights.length === 0 ? [] : roundToTotal(exactShares(new Big(amountMinor), weights), amountMinor)
}

/** As `spread`, before any rounding. */
export function exactShares(amount: Big, weights: readonly Big[]): Big[] {
  const sum = weights.reduce((total, weight) => total.plus(weight), new Big(0))
  if (sum.eq(0)) return weights.map(() => divide(amount, new Big(weights.length)))
  return weights.map((weight) => divide(amount.times(weight), sum))
}

/** An integer amount in minor units as exact major units: 1050 USD gives 10.5. */
export function fromMinor(amountMinor: number, currency: string): Big {
  return new Big(amountMinor).div(new Big(10).pow(currencyExponent(currency)))
}

/** The amount as digits with all decimals of its currency, as it is typed and as machines read it: 1050 USD gives `10.50`. */
export function decimalAmount(amountMinor: number, currency: string): string {
  return fromMinor(amountMinor, currency).toFixed(currencyExponent(currency))
}

/** The same with the currency's code: `10.50 USD`, `1235 JPY`. */
export function formatMoney(amountMinor: number, currency: string): string {
  return `${decimalAmount(amountMinor, currency)} ${currency}`
}

/**
 * The minor units of an amount as people write it: `12.50` USD gives 1250. Nothing is rounded: 12.505 is no amount in USD.
 * @throws `field_invalid`
 */
export function parseAmount(text: string, currency: string): number {
  const isDecimal = /^\d{1,12}(\.\d{1,4})?$/.test(text)
  const amountMinor = isDecimal ? roundHalfAwayFromZero(new Big(text), currency) : 0
  if (isDecimal && fromMinor(amountMinor, currency).eq(text)) return amountMinor
  throw new BusinessError('field_invalid', `${text} is no amount in ${currency}. Write it as it is printed.`)
}
