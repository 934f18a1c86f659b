import Big from 'big.js'
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

/**
 * The one rounding of an invoice line: an exact amount in major units to an integer in minor units, half away from zero.
 * 0.125 USD gives 13, -0.125 USD gives -13, 1234.5678 JPY gives 1235.
 */
export function roundHalfAwayFromZero(amount: Big, currency: string): number {
  const minor = amount.times(new Big(10).pow(currencyExponent(currency))).round(0, Big.roundHalfUp)
  const value = Number(minor.toFixed(0))
  if (!Number.isSafeInteger(value))
    throw new RangeError(`amount beyond the safe range: ${amount.toFixed()} ${currency}`)
  return value === 0 ? 0 : value
}

/** An integer amount in minor units as exact major units: 1050 USD gives 10.5. */
export function fromMinor(amountMinor: number, currency: string): Big {
  return new Big(amountMinor).div(new Big(10).pow(currencyExponent(currency)))
}

/** The amount as digits with all decimals of its currency and the currency's code: `10.50 USD`, `1235 JPY`. */
export function formatMoney(amountMinor: number, currency: string): string {
  return `${fromMinor(amountMinor, currency).toFixed(currencyExponent(currency))} ${currency}`
}
