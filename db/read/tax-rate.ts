import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function taxRates(db: Db) {
  return db
    .selectFrom('tax_rates as rate')
    .selectAll('rate')
    .select([
      sql<string | null>`lower(rate.valid_in)`.as('starts_on'),
      sql<string | null>`upper(rate.valid_in)`.as('ends_on'),
    ])
}

export type TaxRateRow = Awaited<ReturnType<typeof listTaxRatePage>>[number]

export async function listTaxRatePage(db: Db, page: PageRequest) {
  return await onPage(taxRates(db), page, 'rate.id').execute()
}

export async function getTaxRate(db: Db, id: string): Promise<TaxRateRow> {
  return await taxRates(db).where('rate.id', '=', id).executeTakeFirstOrThrow()
}
