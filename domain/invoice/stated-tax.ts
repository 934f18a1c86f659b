import { exchange, getExchangeRate, type ExchangeRate } from '../exchange-rate.ts'
import { fromMinor, roundHalfAwayFromZero } from '../money.ts'

/** The tax of a document in the seller's own currency, and what it was converted by. */
export interface StatedTax {
  readonly currency: string
  /** Positive on a credit note too, as the document's own sums are. */
  readonly taxMinor: number
  readonly rate: ExchangeRate
}

/** The tax to state, with the currency that it is in and the day on which it becomes due. */
export interface TaxToState {
  readonly currency: string
  readonly taxMinor: number
  readonly issuedOn: string
}

/**
 * Tax in the seller's currency, rounded once: 20.00 USD at 1 EUR = 1.25 USD are 16.00 EUR (article 230 of directive
 * 2006/112/EC). The rate is that of the day of issue. Null where there is nothing to convert: the currency is the
 * seller's, or no tax is charged.
 * @throws `exchange_rate_missing`: a document whose tax cannot be stated is not issued
 */
export function stateTax(
  tax: TaxToState,
  sellerCurrency: string,
  rates: readonly ExchangeRate[],
): StatedTax | null {
  if (tax.currency === sellerCurrency || tax.taxMinor === 0) return null
  return convertTax(
    tax,
    sellerCurrency,
    getExchangeRate(rates, { from: tax.currency, to: sellerCurrency, on: tax.issuedOn }),
  )
}

/** What takes back a document takes its tax back at the rate that it was stated by; what stated nothing has nothing to take back. */
export function stateCorrectedTax(
  tax: Omit<TaxToState, 'issuedOn'>,
  corrected: StatedTax | null,
): StatedTax | null {
  return corrected === null || tax.taxMinor === 0 ? null : convertTax(tax, corrected.currency, corrected.rate)
}

function convertTax(tax: Omit<TaxToState, 'issuedOn'>, to: string, rate: ExchangeRate): StatedTax {
  const amount = exchange(fromMinor(tax.taxMinor, tax.currency), tax.currency, rate)
  return { currency: to, taxMinor: roundHalfAwayFromZero(amount, to), rate }
}
