import { sql } from 'kysely'
import { dateIn } from '#domain/calendar.ts'
import { stateCorrectedTax, stateTax, type StatedTax } from '#domain/invoice/stated-tax.ts'
import type { Tx } from './database.ts'
import { readExchangeRates } from './exchange-rate.ts'
import type { NewInvoice } from './invoice.ts'
import type { SellerFacts } from './party.ts'

/** What documents state of their tax in the seller's currency. @throws `exchange_rate_missing` of one that cannot be issued */
export type StatedTaxOf = (invoice: NewInvoice) => StatedTax | null

/** Reads the rates of the days on which documents are issued, and what those that are corrected stated. */
export async function readStatedTaxes(
  tx: Tx,
  invoices: readonly NewInvoice[],
  { currency, statesTaxInOwnCurrency, timeZone }: SellerFacts,
): Promise<StatedTaxOf> {
  const foreign = invoices.filter(({ draft }) => draft.currency !== currency && draft.taxMinor !== 0)
  if (foreign.length === 0) return () => null
  const corrected = await readCorrected(
    tx,
    foreign.flatMap(({ correctsId }) => correctsId ?? []),
  )
  const issued = (invoice: NewInvoice) => dateIn(timeZone, invoice.now)
  const days = statesTaxInOwnCurrency ? new Set(foreign.map(issued)) : new Set<string>()
  const rates = new Map<string, Awaited<ReturnType<typeof readExchangeRates>>>()
  for (const day of days) rates.set(day, await readExchangeRates(tx, day))
  return (invoice) => {
    const { draft, correctsId } = invoice
    const tax = { currency: draft.currency, taxMinor: Math.abs(draft.taxMinor) }
    if (correctsId) return stateCorrectedTax(tax, corrected.get(correctsId) ?? null)
    if (!statesTaxInOwnCurrency) return null
    const issuedOn = issued(invoice)
    return stateTax({ ...tax, issuedOn }, currency, rates.get(issuedOn) ?? [])
  }
}

async function readCorrected(tx: Tx, ids: readonly string[]): Promise<ReadonlyMap<string, StatedTax>> {
  if (ids.length === 0) return new Map()
  const rows = await tx
    .selectFrom('invoices')
    .select(['id', 'stated_tax'])
    .where('id', '=', sql<string>`any(${[...new Set(ids)]}::uuid[])`)
    .execute()
  return new Map(
    rows.flatMap(({ id, stated_tax: stated }) => (stated === null ? [] : [[id, stated] as const])),
  )
}
