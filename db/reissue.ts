import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import { computeDocument, type DocumentInput } from '#domain/invoice/document.ts'
import { linesLieElsewhere, partsAnew, type AnnulledLine } from '#domain/invoice/reissue.ts'
import { readBilledValues } from './billed-values.ts'
import { readBillInputs, type BillToRead } from './bill-input.ts'
import type { Tx } from './database.ts'
import { insertInvoices, type FinalizedInvoice } from './invoice.ts'
import { windowKey, type LineSource } from './invoice-line.ts'
import { lockFinalizedInvoice, type LockedInvoice } from './invoice-lock.ts'
import { findByBillingKey, hasMark } from './invoice-mark.ts'
import { readCharges } from './one-off-charge.ts'
import { chargeSources, readBilledCustomer, readOneOffInput } from './one-off-bill.ts'
import { lockDocument } from './subscription-documents.ts'

/**
 * Bills anew what a voided invoice billed: the same days and the same measured usage, by what is agreed, and by what holds
 * for seller and customer today. It is a new revision, with a number of its own. Asked again, it is the same invoice.
 * @throws `not_found`, `not_finalized`, `not_an_invoice`, `not_credited`, `invoice_empty` when nothing of it is due any more
 */
export async function reissueInvoice(
  tx: Tx,
  { invoiceId, now }: { invoiceId: string; now: string },
): Promise<FinalizedInvoice> {
  const bill = await lockBill(tx, invoiceId, now)
  const input = bill === null ? null : ((await readBillInputs(tx, [bill]))[0] ?? null)
  const invoice = await lockFinalizedInvoice(tx, invoiceId)
  const revision = invoice.revision + 1
  const billingKey = `${firstKey(invoice.billing_key)}/revision/${revision}`
  const made = await findByBillingKey(tx, billingKey)
  if (made) return made
  if (!(await isFullyCredited(tx, invoice))) {
    throw new BusinessError(
      'not_credited',
      `${invoice.number} still stands: void it before it is billed anew.`,
    )
  }
  const lines = await readBilledLines(tx, invoice.id)
  const { document, sources } = await toInput(tx, { invoice, lines, input, now })
  const draft = computeDocument(document)
  if (draft === null)
    throw new BusinessError('invoice_empty', `Nothing of ${invoice.number} is due any more.`)
  const [reissue] = await insertInvoices(tx, [
    {
      billingKey,
      customerId: invoice.customer_id,
      servedCustomerId: invoice.served_customer_id,
      documentId: invoice.document_id,
      subscriptionId: invoice.subscription_id,
      testClockId: invoice.test_clock_id,
      purchaseOrderReference: invoice.purchase_order_reference,
      reissueOfId: invoice.id,
      revision,
      now,
      draft,
      sources,
      windows: new Map(
        lines.flatMap((line) => (line.windowId === null ? [] : [[windowKey(line), line.windowId] as const])),
      ),
    },
  ])
  assert(reissue, 'one invoice was written')
  return reissue
}

/** Of a period or a subscription; null for an invoice of one-offs. Documents are locked before lines, these before invoices. */
async function lockBill(tx: Tx, invoiceId: string, now: string): Promise<BillToRead | null> {
  const row = await tx
    .selectFrom('invoices')
    .select(['billing_key', 'document_id'])
    .where('id', '=', invoiceId)
    .executeTakeFirst()
  const document = row?.document_id ? await lockDocument(tx, row.document_id) : null
  const [kind, owner = '', of = ''] = (row?.billing_key ?? '').split('/')
  if (kind === 'document') return { reason: 'period', document, subscriptionIds: null, asOf: of, now }
  if (kind !== 'subscription') return null
  const reason = of === 'opening' ? 'opening' : 'final'
  const subscriptionId = decodeId('subscription', owner)
  const life = await tx
    .selectFrom('subscription_lines')
    .select((eb) => [eb.fn.min('starts_on').as('starts_on'), eb.fn.max('ends_on').as('ends_on')])
    .where('subscription_id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  const asOf = of === 'opening' ? life.starts_on : life.ends_on
  assert(asOf, 'a subscription that was billed has its dates')
  return { reason, document, subscriptionIds: await readSubscriptions(tx, invoiceId), asOf, now }
}

/** A first bill may be of several that were ordered together. */
async function readSubscriptions(tx: Tx, invoiceId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('invoice_lines')
    .select('subscription_id')
    .distinct()
    .where('invoice_id', '=', invoiceId)
    .orderBy('subscription_id')
    .execute()
  return rows.flatMap((row) => row.subscription_id ?? [])
}

function firstKey(billingKey: string): string {
  return billingKey.replace(/\/revision\/\d+$/, '')
}

/** Void, or nothing is left of any line. Invoices over 0.00 have nothing to credit: only the mark tells. */
async function isFullyCredited(tx: Tx, invoice: LockedInvoice): Promise<boolean> {
  if (await hasMark(tx, invoice.id, 'void')) return true
  if (invoice.total_minor === 0) return false
  const { rows } = await sql`
    select from invoice_lines line
    where line.invoice_id = ${invoice.id} and line.amount_minor + line.tax_minor <> coalesce((
      select -sum(credit.amount_minor + credit.tax_minor + coalesce(undone.gross_minor, 0))
      from invoice_lines credit
      cross join lateral (
        select sum(amount_minor + tax_minor) as gross_minor from invoice_lines where credits_line_id = credit.id
      ) undone
      where credit.credits_line_id = line.id), 0)
    limit 1`.execute(tx)
  return rows.length === 0
}

type WrittenLine = AnnulledLine & { readonly windowId: string | null }

async function readBilledLines(tx: Tx, invoiceId: string): Promise<WrittenLine[]> {
  const rows = await tx
    .selectFrom('invoice_lines')
    .select(['id', 'kind', 'subscription_line_id', 'one_off_charge_id', 'credits_line_id', 'usage_window_id'])
    .select('explanation')
    .select(sql<string | null>`lower(service_period)`.as('starts_on'))
    .select(sql<string | null>`upper(service_period)`.as('ends_on'))
    .where('invoice_id', '=', invoiceId)
    .orderBy('position')
    .execute()
  const lines = rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    subscriptionLineId: row.subscription_line_id,
    oneOffChargeId: row.one_off_charge_id,
    creditsLineId: row.credits_line_id,
    servicePeriod:
      row.starts_on === null || row.ends_on === null ? null : { start: row.starts_on, end: row.ends_on },
    explanation: row.explanation,
    windowId: row.usage_window_id,
  }))
  return await Promise.all(lines.map(async (line) => await withValues(tx, line)))
}

/** What a share of values billed is billed anew by the same values. */
async function withValues(tx: Tx, line: WrittenLine): Promise<WrittenLine> {
  if (line.windowId === null || line.explanation.price?.model !== 'percentage') return line
  const values = await readBilledValues(tx, line.windowId)
  return values === undefined ? line : { ...line, values }
}

interface Anew {
  readonly invoice: LockedInvoice
  readonly lines: readonly WrittenLine[]
  readonly input: Awaited<ReturnType<typeof readBillInputs>>[number]
  readonly now: string
}

async function toInput(
  tx: Tx,
  { invoice, lines, input }: Anew,
): Promise<{ document: DocumentInput; sources: ReadonlyMap<string, LineSource> }> {
  const charges = await readCharges(
    tx,
    lines.flatMap((line) => line.oneOffChargeId ?? []),
  )
  if (input === null && lines.every((line) => line.subscriptionLineId === null)) {
    const customer = await readBilledCustomer(tx, invoice.served_customer_id ?? invoice.customer_id)
    const asOf = invoice.issued_on
    return {
      document: await readOneOffInput(tx, { customer, currency: invoice.currency, charges, asOf }),
      sources: chargeSources(charges),
    }
  }
  if (input === null) throw linesLieElsewhere()
  return {
    document: partsAnew(input.input, lines, charges),
    sources: new Map([...input.sources, ...chargeSources(charges)]),
  }
}
