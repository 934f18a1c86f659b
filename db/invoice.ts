import { sql } from 'kysely'
import { addDays, dateIn, laterDate, startOfDay } from '#domain/calendar.ts'
import type { InvoiceLineDraft } from '#domain/invoice/lines.ts'
import type { Tx } from './database.ts'
import { newId } from './identifier.ts'
import { insertUsageWindow } from './usage.ts'

export interface InvoiceLineRow {
  readonly draft: InvoiceLineDraft
  readonly subscriptionId: string
  readonly productId: string
  readonly instanceId: string | null
  readonly metric: string | null
  readonly timeZone: string
}

export interface InvoiceDraft {
  /** What the document is for: a second try to write it finds the first. */
  readonly billingKey: string
  readonly customerId: string
  readonly documentId: string | null
  readonly subscriptionId: string | null
  readonly testClockId: string | null
  readonly currency: string
  readonly now: string
  readonly lines: readonly InvoiceLineRow[]
}

export interface FinalizedInvoice {
  readonly id: string
  readonly kind: 'invoice' | 'credit_note'
  readonly number: string
  readonly totalMinor: number
}

/**
 * Writes a document with its lines and finalizes it in the caller's transaction; the number is taken last. What adds up
 * to less than nothing is a credit note: an invoice is never negative.
 */
export async function insertInvoice(tx: Tx, draft: InvoiceDraft): Promise<FinalizedInvoice> {
  const id = newId()
  const netMinor = draft.lines.reduce((sum, line) => sum + line.draft.amountMinor, 0)
  const kind = netMinor < 0 ? 'credit_note' : 'invoice'
  const parties = await readParties(tx, draft)
  const issuedOn = dateIn(parties.timeZone, draft.now)
  await tx
    .insertInto('invoices')
    .values({
      id,
      kind,
      billing_key: draft.billingKey,
      customer_id: draft.customerId,
      document_id: draft.documentId,
      subscription_id: draft.subscriptionId,
      test_clock_id: draft.testClockId,
      currency: draft.currency,
      issued_on: issuedOn,
      due_on: addDays(issuedOn, parties.paymentTermsDays),
      net_minor: Math.abs(netMinor),
      total_minor: Math.abs(netMinor),
      seller: JSON.stringify(parties.seller),
      buyer: JSON.stringify(parties.buyer),
      series: null,
      sequence: null,
      number: null,
      finalized_at: null,
    })
    .execute()
  for (const [position, line] of draft.lines.entries()) await insertInvoiceLine(tx, id, position, line)
  const number = await finalize(tx, id, {
    kind,
    testClockId: draft.testClockId,
    issuedOn,
    paymentTermsDays: parties.paymentTermsDays,
  })
  return { id, kind, number, totalMinor: Math.abs(netMinor) }
}

async function readParties(tx: Tx, draft: InvoiceDraft) {
  const installation = await tx.selectFrom('installation').selectAll().executeTakeFirstOrThrow()
  const customer = await tx
    .selectFrom('customers')
    .selectAll()
    .where('id', '=', draft.customerId)
    .executeTakeFirstOrThrow()
  return {
    seller: installation.seller,
    buyer: { code: customer.code, name: customer.name, email: customer.email, address: customer.address },
    timeZone: installation.time_zone,
    paymentTermsDays: installation.payment_terms_days,
  }
}

async function insertInvoiceLine(
  tx: Tx,
  invoiceId: string,
  position: number,
  line: InvoiceLineRow,
): Promise<void> {
  const { draft } = line
  const { usage } = draft.explanation
  const windowId =
    usage && draft.servicePeriod && line.metric
      ? await insertUsageWindow(tx, {
          subscriptionLineId: draft.subscriptionLineId,
          metric: line.metric,
          usage,
          start: startOfDay(line.timeZone, draft.servicePeriod.start),
          end: startOfDay(line.timeZone, draft.servicePeriod.end),
        })
      : null
  await tx
    .insertInto('invoice_lines')
    .values({
      id: newId(),
      invoice_id: invoiceId,
      position,
      kind: draft.kind,
      subscription_line_id: draft.subscriptionLineId,
      subscription_id: line.subscriptionId,
      product_id: line.productId,
      instance_id: line.instanceId,
      usage_window_id: windowId,
      description: draft.description,
      billing_type: draft.billingType,
      quantity: draft.quantity,
      unit: draft.unit,
      unit_price: draft.unitPrice,
      service_period: draft.servicePeriod
        ? `[${draft.servicePeriod.start},${draft.servicePeriod.end})`
        : null,
      amount_minor: draft.amountMinor,
      explanation: JSON.stringify(draft.explanation),
    })
    .execute()
}

/**
 * Takes the number last. Whoever comes with an older instant, a retry perhaps, is issued on the day of the number before:
 * dates never fall within a series.
 */
async function finalize(
  tx: Tx,
  invoiceId: string,
  of: {
    kind: 'invoice' | 'credit_note'
    testClockId: string | null
    issuedOn: string
    paymentTermsDays: number
  },
): Promise<string> {
  const series = await seriesCode(tx, of)
  await tx
    .insertInto('number_series')
    .values({ code: series })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const counter = await tx
    .updateTable('number_series')
    .set({ next_number: sql`next_number + 1` })
    .where('code', '=', series)
    .returning('next_number')
    .executeTakeFirstOrThrow()
  const sequence = counter.next_number - 1
  const number = `${series}-${String(sequence).padStart(5, '0')}`
  const previous = await tx
    .selectFrom('invoices')
    .select('issued_on')
    .where('series', '=', series)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
  const issuedOn = laterDate(of.issuedOn, previous?.issued_on ?? of.issuedOn)
  await tx
    .updateTable('invoices')
    .set({
      series,
      sequence,
      number,
      issued_on: issuedOn,
      due_on: addDays(issuedOn, of.paymentTermsDays),
      finalized_at: new Date().toISOString(),
    })
    .where('id', '=', invoiceId)
    .execute()
  return number
}

/** Test clocks have series of their own: what is not real never touches the numbers that are. */
async function seriesCode(
  tx: Tx,
  of: { kind: 'invoice' | 'credit_note'; testClockId: string | null },
): Promise<string> {
  const code = of.kind === 'invoice' ? 'INV' : 'CN'
  if (of.testClockId === null) return code
  const clock = await tx
    .selectFrom('test_clocks')
    .select('number')
    .where('id', '=', of.testClockId)
    .executeTakeFirstOrThrow()
  return `TEST${clock.number}-${code}`
}
