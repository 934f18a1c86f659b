import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { draftCorrection, type CorrectedLine, type LineCredited } from '#domain/invoice/correction.ts'
import type { CreditRequest } from '#domain/invoice/credit-note.ts'
import type { ExplainedTax } from '#domain/invoice/explanation.ts'
import type { TaxCategory } from '#domain/tax.ts'
import { toDecision } from './billed-part.ts'
import type { Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { insertInvoices, type FinalizedInvoice } from './invoice.ts'
import type { LineSource } from './invoice-line.ts'
import { lockFinalizedInvoice, type LockedInvoice } from './invoice-lock.ts'

export interface WantedCredit {
  readonly invoiceId: string
  readonly request: CreditRequest
  /** A second try under the same key finds the first: `credit/…`. */
  readonly billingKey: string
  readonly reason: string | null
  readonly actor: string
  readonly now: string
}

/**
 * Makes a credit note for an invoice, in full or in part. What is still to be paid of the invoice is paid with it first;
 * the rest becomes the customer's balance. Of many at once each sees what the others took.
 * @throws `not_found`, `not_finalized`, `not_an_invoice`, `credit_exceeds_invoice`, `field_invalid`
 */
export async function insertCreditNote(tx: Tx, wanted: WantedCredit): Promise<FinalizedInvoice> {
  await lockLinesOf(tx, wanted.invoiceId)
  const invoice = await lockFinalizedInvoice(tx, wanted.invoiceId)
  const note = await creditLocked(tx, invoice, wanted)
  await insertEvent(tx, {
    kind: 'invoice.credited',
    customerId: invoice.customer_id,
    invoiceId: invoice.id,
    businessAt: wanted.now,
    data: {
      number: invoice.number,
      credit_note: note.number,
      total_minor: note.totalMinor,
      currency: note.currency,
      reason: wanted.reason,
      actor: wanted.actor,
    },
  })
  return note
}

/** As `insertCreditNote`, of an invoice that the caller has locked, after its subscription lines. */
export async function creditLocked(
  tx: Tx,
  invoice: LockedInvoice,
  { request, billingKey, now }: Pick<WantedCredit, 'request' | 'billingKey' | 'now'>,
): Promise<FinalizedInvoice> {
  const lines = await readCorrectedLines(tx, invoice.id)
  const draft = draftCorrection(
    {
      number: invoice.number,
      currency: invoice.currency,
      arePricesInclusive: invoice.are_prices_inclusive,
      taxRounding: invoice.tax_rounding,
      lines,
    },
    request,
  )
  const [note] = await insertInvoices(tx, [
    {
      billingKey,
      customerId: invoice.customer_id,
      servedCustomerId: invoice.served_customer_id,
      documentId: invoice.document_id,
      subscriptionId: invoice.subscription_id,
      testClockId: invoice.test_clock_id,
      purchaseOrderReference: invoice.purchase_order_reference,
      correctsId: invoice.id,
      now,
      draft,
      sources: new Map(
        lines.flatMap((line) =>
          line.subscriptionLineId === null ? [] : [[line.subscriptionLineId, line.source] as const],
        ),
      ),
    },
  ])
  assert(note, 'one credit note was written')
  return note
}

/** Bills and changes of the same lines wait: what they credit of the invoice is known before more is credited. */
export async function lockLinesOf(tx: Tx, invoiceId: string): Promise<void> {
  await sql`
    select from subscription_lines
    where id in (select subscription_line_id from invoice_lines where invoice_id = ${invoiceId})
    order by id for no key update`.execute(tx)
}

interface LineRow {
  readonly id: string
  readonly subscription_line_id: string | null
  readonly subscription_id: string | null
  readonly product_id: string | null
  readonly instance_id: string | null
  readonly description: string
  readonly billing_type: CorrectedLine['billingType']
  readonly quantity: string
  readonly unit: string
  readonly unit_price: string | null
  readonly starts_on: string | null
  readonly ends_on: string | null
  readonly amount_minor: number
  readonly tax_minor: number
  readonly tax_category: TaxCategory
  readonly tax: ExplainedTax | null
  readonly credits: readonly LineCredited[]
}

/** Of a credit that was itself taken back, with the document it stood on, the rest counts. */
async function readCorrectedLines(
  tx: Tx,
  invoiceId: string,
): Promise<(CorrectedLine & { source: LineSource })[]> {
  const { rows } = await sql<LineRow>`
    select line.id, line.subscription_line_id, line.subscription_id, line.product_id, line.instance_id, line.description,
      line.billing_type, line.quantity, line.unit, line.unit_price, lower(line.service_period) as starts_on,
      upper(line.service_period) as ends_on, line.amount_minor, line.tax_minor, line.tax_category,
      line.explanation -> 'tax' as tax, credits.list as credits
    from invoice_lines line
    cross join lateral (
      select coalesce(json_agg(json_build_object('amountMinor', credit.amount_minor + undone.amount_minor,
        'taxMinor', credit.tax_minor + undone.tax_minor, 'quantity', credit.explanation ->> 'creditedQuantity')
        order by credit.id), '[]') as list
      from invoice_lines credit
      cross join lateral (
        select coalesce(sum(amount_minor), 0) as amount_minor, coalesce(sum(tax_minor), 0) as tax_minor
        from invoice_lines where credits_line_id = credit.id
      ) undone
      where credit.credits_line_id = line.id
        and (credit.amount_minor, credit.tax_minor) <> (-undone.amount_minor, -undone.tax_minor)
    ) credits
    where line.invoice_id = ${invoiceId}
    order by line.position`.execute(tx)
  return rows.map((row) => ({
    id: row.id,
    subscriptionLineId: row.subscription_line_id,
    description: row.description,
    billingType: row.billing_type,
    quantity: row.quantity,
    unit: row.unit,
    unitPrice: row.unit_price,
    servicePeriod:
      row.starts_on === null || row.ends_on === null ? null : { start: row.starts_on, end: row.ends_on },
    amountMinor: row.amount_minor,
    taxMinor: row.tax_minor,
    tax: toDecision(row),
    explainedTax: row.tax,
    credits: row.credits,
    source: {
      subscriptionId: row.subscription_id,
      productId: row.product_id,
      instanceId: row.instance_id,
      metric: null,
      timeZone: 'UTC',
    },
  }))
}
