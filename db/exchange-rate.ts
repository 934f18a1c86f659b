import { sql } from 'kysely'
import type { ExchangeRate } from '#domain/exchange-rate.ts'
import type { Db } from './database.ts'
import { newId } from './identifier.ts'

export async function insertExchangeRate(db: Db, rate: ExchangeRate): Promise<string> {
  const id = newId()
  await db
    .insertInto('exchange_rates')
    .values({
      id,
      base: rate.base,
      quote: rate.quote,
      rate: rate.rate,
      source: rate.source,
      valid_on: rate.validOn,
    })
    .execute()
  return id
}

/** What `getExchangeRate` decides from for a day: of each pair of currencies, each way round, the one that holds then. */
export async function readExchangeRates(db: Db, on: string): Promise<ExchangeRate[]> {
  const rows = await db
    .selectFrom('exchange_rates')
    .select(['id', 'base', 'quote', 'rate', 'source', 'valid_on'])
    .distinctOn(['base', 'quote'])
    .where('valid_on', '<=', on)
    .orderBy('base')
    .orderBy('quote')
    .orderBy('valid_on', 'desc')
    .orderBy('id', 'desc')
    .execute()
  return rows.map(toRate)
}

/** Every rate from or to some currencies, in the order in which they were recorded: for prices of many days. */
export async function readExchangeRatesOf(db: Db, currencies: readonly string[]): Promise<ExchangeRate[]> {
  const rows = await db
    .selectFrom('exchange_rates')
    .select(['base', 'quote', 'rate', 'source', 'valid_on'])
    .where((rate) =>
      rate.or([
        rate('base', '=', sql<string>`any(${currencies}::text[])`),
        rate('quote', '=', sql<string>`any(${currencies}::text[])`),
      ]),
    )
    .orderBy('id')
    .execute()
  return rows.map(toRate)
}

function toRate(row: {
  base: string
  quote: string
  rate: string
  source: string
  valid_on: string
}): ExchangeRate {
  const { base, quote, rate, source, valid_on: validOn } = row
  return { base, quote, rate, source, validOn }
}
