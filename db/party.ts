import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { stateDues, type PaymentTerms, type StatedDues } from '#domain/payment-terms.ts'
import type { Tx } from './database.ts'
import type { NumberPatterns, Seller } from './tables/installation.ts'
import type { Buyer } from './tables/invoice.ts'

/** What a document copies of its seller on the day it is made. */
export interface SellerFacts {
  readonly seller: Seller
  readonly currency: string
  readonly statesTaxInOwnCurrency: boolean
  readonly timeZone: string
  readonly paymentTerms: PaymentTerms
  readonly numberPatterns: NumberPatterns
}

export async function readSellerFacts(tx: Tx): Promise<SellerFacts> {
  const row = await tx
    .selectFrom('installation')
    .select(['seller', 'time_zone', 'payment_terms_days', 'payment_terms', 'number_patterns'])
    .select(['currency', 'states_tax_in_own_currency'])
    .executeTakeFirstOrThrow()
  return {
    seller: row.seller,
    currency: row.currency,
    statesTaxInOwnCurrency: row.states_tax_in_own_currency,
    timeZone: row.time_zone,
    paymentTerms: row.payment_terms ?? { kind: 'days', days: row.payment_terms_days },
    numberPatterns: row.number_patterns,
  }
}

export interface BuyerFacts {
  readonly buyer: Buyer
  /** Null: the seller's. */
  readonly paymentTerms: PaymentTerms | null
}

/** The buyers of a chunk of documents, by customer id. */
export async function readBuyers(
  tx: Tx,
  customerIds: readonly string[],
): Promise<(id: string) => BuyerFacts> {
  const rows = await tx
    .selectFrom('customers')
    .select(['id', 'code', 'name', 'email', 'address', 'country', 'tax_id', 'language', 'buyer_reference'])
    .select('invoice_note')
    .select(['payment_terms', 'region', 'is_business', 'tax_id_verified_at', 'tax_exemption'])
    .where('id', '=', sql<string>`any(${[...new Set(customerIds)]}::uuid[])`)
    .execute()
  const buyers = new Map(
    rows.map((row): [string, BuyerFacts] => [
      row.id,
      {
        paymentTerms: row.payment_terms,
        buyer: {
          code: row.code,
          name: row.name,
          email: row.email,
          address: row.address,
          country: row.country,
          taxId: row.tax_id,
          language: row.language,
          reference: row.buyer_reference,
          ...(row.invoice_note === null ? {} : { note: row.invoice_note }),
          ...(row.region === null ? {} : { region: row.region }),
          ...(row.is_business ? { isBusiness: true as const } : {}),
          ...(row.tax_id_verified_at === null ? {} : { taxIdVerifiedAt: row.tax_id_verified_at }),
          ...(row.tax_exemption === null ? {} : { taxExemption: row.tax_exemption }),
        },
      },
    ]),
  )
  return (id) => {
    const buyer = buyers.get(id)
    assert(buyer, `customer ${id} was read`)
    return buyer
  }
}

/** When a document is due that is issued on a day. */
export type DuesOf = (
  invoice: { readonly customerId: string; readonly draft: { readonly totalMinor: number } },
  issuedOn: string,
) => StatedDues

/** By what is agreed with the customer, or else by the seller's terms. */
export function agreedDues(facts: SellerFacts, buyerOf: (id: string) => BuyerFacts): DuesOf {
  return ({ customerId, draft }, issuedOn) =>
    stateDues(buyerOf(customerId).paymentTerms ?? facts.paymentTerms, issuedOn, draft.totalMinor)
}
