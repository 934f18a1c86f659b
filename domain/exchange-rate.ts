import Big from 'big.js'
import { compareDates } from './calendar.ts'
import { BusinessError } from './errors.ts'
import { divide } from './money.ts'

/** 1 of the base is `rate` of the quote, as a source published it for a day. */
export interface ExchangeRate {
  readonly base: string
  readonly quote: string
  readonly rate: string
  /** Who says so, as documents name it, such as `ECB`. */
  readonly source: string
  readonly validOn: string
}

export interface ExchangeQuestion {
  readonly from: string
  readonly to: string
  readonly on: string
}

/**
 * The rate that holds for two currencies on a day, either way round: the one of the latest day up to it, as sources rest
 * at weekends. Of one day the pair that was asked for goes before its inverse, and what was recorded later before what
 * was recorded earlier. Rates are never chained: USD to EUR is not answered by USD to GBP and GBP to EUR.
 * @param rates in the order in which they were recorded
 * @throws `exchange_rate_missing`: never a guessed rate
 */
export function getExchangeRate(rates: readonly ExchangeRate[], question: ExchangeQuestion): ExchangeRate {
  const found = findExchangeRate(rates, question)
  if (found) return found
  const { from, to, on } = question
  throw new BusinessError(
    'exchange_rate_missing',
    `There is no exchange rate between ${from} and ${to} for ${on} or before. Add it to the exchange rates.`,
  )
}

/** As `getExchangeRate`; undefined where there is none. */
export function findExchangeRate(
  rates: readonly ExchangeRate[],
  { from, to, on }: ExchangeQuestion,
): ExchangeRate | undefined {
  const [best] = rates
    .filter((rate) => isBetween(rate, from, to) && compareDates(rate.validOn, on) <= 0)
    .toReversed()
    .toSorted(
      (one, other) =>
        compareDates(other.validOn, one.validOn) || Number(other.base === from) - Number(one.base === from),
    )
  return best
}

function isBetween({ base, quote }: ExchangeRate, from: string, to: string): boolean {
  return (base === from && quote === to) || (base === to && quote === from)
}

/**
 * An exact amount in major units of one of a rate's currencies in the other: at 1 EUR = 1.25 USD, 10 EUR are 12.5 USD and
 * 10 USD are 8 EUR. Nothing is rounded but the 40th decimal of a quotient.
 */
export function exchange(amount: Big, from: string, rate: ExchangeRate): Big {
  return from === rate.base ? amount.times(rate.rate) : divide(amount, new Big(rate.rate))
}

/** As a document states it: `1 EUR = 1.25 USD`. */
export function describeExchangeRate({ base, quote, rate }: ExchangeRate): string {
  return `1 ${base} = ${new Big(rate).toFixed()} ${quote}`
}
