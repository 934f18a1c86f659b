import type { PaymentTerms } from '#domain/payment-terms.ts'
import { sql } from 'kysely'
import type { Db } from './database.ts'
import { newId } from './identifier.ts'
import { refuseTakenCode, refuseTakenExternalId } from './unique.ts'

export interface NewCustomer extends Partial<CustomerFacts> {
  readonly code: string
  readonly name: string
  readonly email: string | null
  readonly address: string | null
  readonly currency: string
  readonly timeZone: string
  readonly priceListId: string | null
}

/** What may change as long as the customer stays the same. Finalized documents keep what they were made with. */
export interface CustomerFacts {
  readonly name: string
  /** By which another system knows it. */
  readonly externalId: string | null
  readonly email: string | null
  readonly address: string | null
  /** In the customer's currency. */
  readonly priceListId: string | null
  /** Two letters of ISO 3166. */
  readonly country: string | null
  readonly region: string | null
  readonly isBusiness: boolean
  readonly taxId: string | null
  /** When an operator found the id in its register; not verified means taxed. */
  readonly taxIdVerifiedAt: string | null
  /** Why the customer pays no tax, as it is printed. */
  readonly taxExemption: string | null
  readonly language: string
  readonly buyerReference: string | null
  /** Printed on each document. */
  readonly invoiceNote: string | null
  /** Null: the seller's. */
  readonly paymentTerms: PaymentTerms | null
  readonly splitsByPurchaseOrder: boolean
  /** Who pays for the customer; null: the customer. */
  readonly payerId: string | null
}

/** The customer's environment comes with its first order. @throws `code_taken`, `external_id_taken` */
export async function insertCustomer(db: Db, customer: NewCustomer): Promise<string> {
  const id = newId()
  const { code, currency, timeZone, ...facts } = customer
  const insert = async () =>
    db
      .insertInto('customers')
      .values({
        ...toColumns(facts),
        id,
        code,
        name: facts.name,
        external_id: facts.externalId ?? null,
        email: facts.email,
        address: facts.address,
        currency,
        time_zone: timeZone,
        price_list_id: facts.priceListId,
        country: facts.country ?? null,
        region: facts.region ?? null,
        tax_id: facts.taxId ?? null,
        tax_id_verified_at: facts.taxIdVerifiedAt ?? null,
        tax_exemption: facts.taxExemption ?? null,
        buyer_reference: facts.buyerReference ?? null,
        invoice_note: facts.invoiceNote ?? null,
        payer_id: facts.payerId ?? null,
      })
      .execute()
  await refuseTakenExternalId(facts.externalId, '/external_id', async () => refuseTakenCode(code, insert))
  return id
}

/** @throws `external_id_taken` */
export async function updateCustomer(
  db: Db,
  customerId: string,
  change: Partial<CustomerFacts>,
): Promise<void> {
  const columns = { ...toColumns(change), ...verificationLeft(change.email) }
  if (Object.values(columns).every((value) => value === undefined)) return
  await refuseTakenExternalId(change.externalId, '/external_id', async () =>
    db.updateTable('customers').set(columns).where('id', '=', customerId).execute(),
  )
}

/** Another mail address is not verified, whatever was known of the one before. */
function verificationLeft(email: string | null | undefined) {
  if (email === undefined) return {}
  return { mail_verified_at: sql<string | null>`case when email = ${email} then mail_verified_at end` }
}

/** What is undefined is left as it is. */
function toColumns(facts: Partial<CustomerFacts>) {
  return {
    name: facts.name,
    external_id: facts.externalId,
    email: facts.email,
    address: facts.address,
    price_list_id: facts.priceListId,
    country: facts.country,
    region: facts.region,
    is_business: facts.isBusiness,
    tax_id: facts.taxId,
    tax_id_verified_at: facts.taxIdVerifiedAt,
    tax_exemption: facts.taxExemption,
    language: facts.language,
    buyer_reference: facts.buyerReference,
    invoice_note: facts.invoiceNote,
    payment_terms: facts.paymentTerms && JSON.stringify(facts.paymentTerms),
    splits_by_purchase_order: facts.splitsByPurchaseOrder,
    payer_id: facts.payerId,
  }
}
