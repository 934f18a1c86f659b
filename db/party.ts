import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import type { Tx } from './database.ts'
import type { NumberPatterns, Seller } from './tables/installation.ts'
import type { Buyer } from './tables/invoice.ts'

/** What a document copies of its seller on the day it is made. */
export interface SellerFacts {
  readonly seller: Seller
  readonly timeZone: string
  readonly paymentTermsDays: number
  readonly numberPatterns: NumberPatterns
}

export async function readSellerFacts(tx: Tx): Promise<SellerFacts> {
  const row = await tx
    .selectFrom('installation')
    .select(['seller', 'time_zone', 'payment_terms_days', 'number_patterns'])
    .executeTakeFirstOrThrow()
  return {
    seller: row.seller,
    timeZone: row.time_zone,
    paymentTermsDays: row.payment_terms_days,
    numberPatterns: row.number_patterns,
  }
}

/** The buyers of a chunk of documents, by customer id. */
export async function readBuyers(tx: Tx, customerIds: readonly string[]): Promise<(id: string) => Buyer> {
  const rows = await tx
    .selectFrom('customers')
    .select(['id', 'code', 'name', 'email', 'address', 'country', 'tax_id', 'language', 'buyer_reference'])
    .where('id', '=', sql<string>`any(${[...new Set(customerIds)]}::uuid[])`)
    .execute()
  const buyers = new Map(
    rows.map((row): [string, Buyer] => [
      row.id,
      {
        code: row.code,
        name: row.name,
        email: row.email,
        address: row.address,
        country: row.country,
        taxId: row.tax_id,
        language: row.language,
        reference: row.buyer_reference,
      },
    ]),
  )
  return (id) => {
    const buyer = buyers.get(id)
    assert(buyer, `customer ${id} was read`)
    return buyer
  }
}
