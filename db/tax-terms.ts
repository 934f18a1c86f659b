import { sql } from 'kysely'
import type { DocumentTaxTerms } from '#domain/invoice/document.ts'
import { determineTax, type TaxDecision, type TaxRate } from '#domain/tax.ts'
import type { BilledCustomer } from './billable-line.ts'
import type { Db } from './database.ts'

/** How the installation taxes a customer's documents, each day and category decided once. */
export type TaxTermsOf = (customer: BilledCustomer) => DocumentTaxTerms

/** Without a country of the seller no tax is determined; a customer without one is taxed as one of the seller's. */
export async function readTaxTerms(db: Db): Promise<TaxTermsOf> {
  const installation = await db
    .selectFrom('installation')
    .select(['seller', 'prices_include_tax', 'tax_rounding'])
    .executeTakeFirstOrThrow()
  const country = installation.seller.country ?? null
  const rates = country === null ? [] : await readTaxRates(db)
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
          decided.get(key) ?? determineTax({ seller, buyer, category, on, isElectronicService: true }, rates)
        decided.set(key, decision)
        return decision
      },
    }
  }
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
