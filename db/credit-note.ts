import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { BusinessError } from '#domain/errors.ts'
import {
  draftAnnulment,
  draftCorrection,
  type CorrectedInvoice,
  type CorrectedLine,
  type LineCredited,
} from '#domain/invoice/correction.ts'
import type { CreditRequest } from '#domain/invoice/credit-note.ts'
import type { DocumentDraft } from '#domain/invoice/document.ts'
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

interface Correction {
  readonly billingKey: string
  readonly now: string
}

/** As `insertCreditNote`, of an invoice that the caller has locked, after its subscription lines. */
async function creditLocked(
  tx: Tx,
  invoice: LockedInvoice,
  { request, ...correction }: Pick<WantedCredit, 'request' | 'billingKey' | 'now'>,
): Promise<FinalizedInvoice> {
  refuseCorrection(invoice)
  const corrected = await readCorrected(tx, invoice)
  return await insertCorrection(tx, invoice, {
    ...correction,
    ...corrected,
    draft: draftCorrection(corrected, request),
  })
}

/**
 * Takes back all that is left of an invoice which the caller has locked, after its subscription lines. Where others credited
 * more of its charges than it came to, this is an invoice.
 * @returns null where nothing is left
 * @throws `not_an_invoice`
 */
export async function annulLocked(
  tx: Tx,
  invoice: LockedInvoice,
  correction: Correction,
): Promise<FinalizedInvoice | null> {
  refuseCorrection(invoice)
  const corrected = await readCorrected(tx, invoice)
  const draft = draftAnnulment(corrected)
  return draft && (await insertCorrection(tx, invoice, { ...correction, ...corrected, draft }))
}

/** An invoice that takes back what an annulled one had credited stands with it: it is paid or written off. */
function refuseCorrection({ number, corrects_id }: LockedInvoice): void {
  if (corrects_id === null) return
  throw new BusinessError(
    'not_an_invoice',
    `${number} takes back what an annulled invoice had credited: it is paid or written off, not credited.`,
  )
}

type Corrected = Omit<CorrectedInvoice, 'lines'> & { readonly lines: readonly SourcedLine[] }

async function readCorrected(tx: Tx, invoice: LockedInvoice): Promise<Corrected> {
  return {
    number: invoice.number,
    currency: invoice.currency,
    arePricesInclusive: invoice.are_prices_inclusive,
    taxRounding: invoice.tax_rounding,
    lines: await readCorrectedLines(tx, invoice.id),
  }
}

async function insertCorrection(
  tx: Tx,
  invoice: LockedInvoice,
  {
    billingKey,
    now,
    draft,
    lines,
  }: Correction & Pick<Corrected, 'lines'> & { readonly draft: DocumentDraft },
): Promise<FinalizedInvoice> {
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
  assert(note, 'one correction was written')
  return note
}

/**
 * Bills and changes of the same lines wait: what they credit of the invoice is known before more is credited.
 * @param documents whose other lines are locked with them, in one order
 */
export async function lockLinesOf(
  tx: Tx,
  invoiceId: string,
  documents: readonly { readonly id: string }[] = [],
): Promise<void> {
  await sql`
    select from subscription_lines
    where id in (select subscription_line_id from invoice_lines where invoice_id = ${invoiceId})
      or document_id = any(${documents.map(({ id }) => id)}::uuid[])
    order by id for no key update`.execute(tx)
}

type SourcedLine = CorrectedLine & { readonly source: LineSource }

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
async function readCorrectedLines(tx: Tx, invoiceId: string): Promise<SourcedLine[]> {
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
