import { sql } from 'kysely'
import type { DocumentTaxTerms } from '#domain/invoice/document.ts'
import { taxByService } from '#domain/tax-service.ts'
import { taxTable, type TaxDecision, type TaxDetermination, type TaxRate } from '#domain/tax.ts'
import type { BilledCustomer } from './billable-line.ts'
import type { Db } from './database.ts'
import { readTaxAnswers } from './tax-answer.ts'

/** How the installation taxes a customer's documents, each day and category decided once. */
export type TaxTermsOf = (customer: BilledCustomer) => DocumentTaxTerms

/**
 * Without a country of the seller no tax is determined; a customer without one is taxed as one of the seller's.
 * @param customerIds who is taxed, or for whom somebody else pays; what a tax service answered is read for these
 */
export async function readTaxTerms(db: Db, customerIds: readonly string[]): Promise<TaxTermsOf> {
  const installation = await db
    .selectFrom('installation')
    .select(['seller', 'prices_include_tax', 'tax_rounding', 'tax_determination'])
    .executeTakeFirstOrThrow()
  const country = installation.seller.country ?? null
  const determine = await readDetermination(db, { country, by: installation.tax_determination, customerIds })
  const terms = {
    arePricesInclusive: installation.prices_include_tax,
    taxRounding: installation.tax_rounding,
  }
  const seller = { country: country ?? '' }
  return (customer) => {
    const decided = new Map<string, TaxDecision>()
    const buyer = { ...customer, country: customer.country ?? seller.country }
    return {
      ...terms,
      decide: (category, on) => {
        const key = `${on} ${category}`
        // What is sold runs on servers and is delivered over a network: an electronic service.
        const decision =
          decided.get(key) ?? determine({ seller, buyer, category, on, isElectronicService: true })
        decided.set(key, decision)
        return decision
      },
    }
  }
}

async function readDetermination(
  db: Db,
  of: { country: string | null; by: 'table' | 'service'; customerIds: readonly string[] },
): Promise<TaxDetermination> {
  if (of.country === null) return taxTable([])
  if (of.by === 'table') return taxTable(await readTaxRates(db))
  return taxByService(await readTaxAnswers(db, of.country, of.customerIds))
}

async function readTaxRates(db: Db): Promise<TaxRate[]> {
  const rows = await db
    .selectFrom('tax_rates')
    .selectAll()
    .select(sql<string | null>`lower(valid_in)`.as('starts_on'))
    .select(sql<string | null>`upper(valid_in)`.as('ends_on'))
    .execute()
  return rows.map((row) => ({
    id: row.id,
    country: row.country,
    region: row.region,
    category: row.category,
    name: row.name,
    ratePercent: row.rate_percent,
    startsOn: row.starts_on,
    endsOn: row.ends_on,
  }))
}
