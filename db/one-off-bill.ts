import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { compareDates, dateIn } from '#domain/calendar.ts'
import { BusinessError } from '#domain/errors.ts'
import { computeDocument, type DocumentInput } from '#domain/invoice/document.ts'
import type { OneOffCharge, OneOffPart } from '#domain/invoice/lines.ts'
import { readAppliedDiscounts } from './applied-discount.ts'
import type { BilledCustomer } from './billable-line.ts'
import type { Db, Tx } from './database.ts'
import { insertInvoices, type FinalizedInvoice } from './invoice.ts'
import type { LineSource } from './invoice-line.ts'
import { readWaitingCharges } from './one-off-charge.ts'
import { readTaxTerms } from './tax-terms.ts'

export interface WantedOneOffBill {
  readonly customerId: string
  readonly currency: string
  readonly testClockId: string | null
  readonly billingKey: string
  readonly now: string
}

/**
 * Bills what waits of a customer at once, on an invoice of its own, instead of waiting for the next one.
 * @throws `invoice_empty`
 */
export async function billOneOffs(tx: Tx, wanted: WantedOneOffBill): Promise<FinalizedInvoice> {
  const customer = await readBilledCustomer(tx, wanted.customerId)
  const today = dateIn(customer.timeZone, wanted.now)
  const waiting = await readWaitingCharges(tx, [wanted.customerId], { isLocked: true })
  const charges = waiting
    .filter(({ currency, testClockId }) => currency === wanted.currency && testClockId === wanted.testClockId)
    .map(({ charge }) => charge)
    .filter(({ chargedOn }) => compareDates(chargedOn, today) <= 0)
  const draft = computeDocument(
    await readOneOffInput(tx, { customer, currency: wanted.currency, charges, asOf: today }),
  )
  if (draft === null) {
    const texts = 'Only texts wait for this customer: they go on an invoice of something.'
    const nothing = 'No one-off charge waits for this customer.'
    throw new BusinessError('invoice_empty', charges.length === 0 ? nothing : texts)
  }
  const [invoice] = await insertInvoices(tx, [
    {
      ...wanted,
      customerId: customer.payerId,
      servedCustomerId: customer.id,
      documentId: null,
      subscriptionId: null,
      draft,
      sources: chargeSources(charges),
    },
  ])
  assert(invoice, 'one invoice was written')
  return invoice
}

/** What a document of one-offs alone is computed from: no line, no period. */
export async function readOneOffInput(
  db: Db,
  of: { customer: BilledCustomer; currency: string; charges: readonly OneOffCharge[]; asOf: string },
): Promise<DocumentInput> {
  const discounts = (await readAppliedDiscounts(db, [of.customer.id])).get(of.customer.id) ?? []
  const taxTermsOf = await readTaxTerms(db, [of.customer.id])
  return {
    reason: 'period',
    currency: of.currency,
    asOf: of.asOf,
    cycles: null,
    lines: [],
    parts: of.charges.map((charge): OneOffPart => ({ kind: 'one_off', charge })),
    usageOf: () => {
      throw new Error('a one-off measures nothing')
    },
    discounts: discounts.filter(({ currency }) => currency === null || currency === of.currency),
    bounds: [],
    tax: taxTermsOf(of.customer),
    language: of.customer.language,
  }
}

/** Whose the charges are, for the lines of their invoice. */
export function chargeSources(charges: readonly OneOffCharge[]): ReadonlyMap<string, LineSource> {
  return new Map(
    charges.map(({ id, subscriptionId, productId }) => [
      id,
      { subscriptionId, productId, instanceId: null, metric: null, timeZone: 'UTC' },
    ]),
  )
}

export async function readBilledCustomer(
  db: Db,
  customerId: string,
): Promise<BilledCustomer & { readonly timeZone: string }> {
  const row = await db
    .selectFrom('customers as customer')
    .innerJoin('customers as payer', (join) =>
      join.on('payer.id', '=', sql`coalesce(customer.payer_id, customer.id)`),
    )
    .select(['payer.id as payer_id', 'payer.country', 'payer.region', 'payer.is_business', 'payer.tax_id'])
    .select(['payer.tax_id_verified_at', 'payer.tax_exemption', 'payer.language'])
    .select(['customer.price_list_id', 'customer.time_zone'])
    .where('customer.id', '=', customerId)
    .executeTakeFirstOrThrow()
  return {
    id: customerId,
    payerId: row.payer_id,
    priceListId: row.price_list_id,
    country: row.country,
    region: row.region,
    isBusiness: row.is_business,
    taxId: row.tax_id,
    isTaxIdVerified: row.tax_id_verified_at !== null,
    exemption: row.tax_exemption,
    language: row.language,
    timeZone: row.time_zone,
  }
}
