import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { dateIn } from '#domain/calendar.ts'
import type { DocumentDraft } from '#domain/invoice/document.ts'
import { settleInvoices } from './balance.ts'
import type { Tx } from './database.ts'
import { insertEvents } from './event.ts'
import { newIds } from './identifier.ts'
import {
  insertInvoiceLines,
  insertInvoiceTaxes,
  toLineRows,
  type InvoiceLineRow,
  type LineSource,
} from './invoice-line.ts'
import { finalizeInvoices, type NumberableInvoice } from './number-series.ts'
import { queuePeerStandings } from './peer-standing.ts'
import { contentOf, type ContentLine } from './invoice-content.ts'
import {
  agreedDues,
  readBuyers,
  readSellerFacts,
  type BuyerFacts,
  type DuesOf,
  type SellerFacts,
} from './party.ts'
import { refuseIncomplete } from './required-field.ts'
import { readStatedTaxes, type StatedTaxOf } from './stated-tax.ts'

/** What a document will say, with all that the database needs to know of it. */
export interface NewInvoice {
  /** What the document is for: a second try to write it finds the first. */
  readonly billingKey: string
  /** Who pays. */
  readonly customerId: string
  /** For whom, where it may be somebody else. */
  readonly servedCustomerId?: string | null
  readonly documentId: string | null
  readonly subscriptionId: string | null
  readonly testClockId: string | null
  readonly purchaseOrderReference?: string | null
  /** The invoice that a credit note corrects. */
  readonly correctsId?: string | null
  readonly reissueOfId?: string | null
  /** How often its lines were billed anew after a void. */
  readonly revision?: number
  readonly now: string
  readonly draft: DocumentDraft
  /** Whose each line is: by subscription line, or by one-off charge. */
  readonly sources: ReadonlyMap<string, LineSource>
  /** See `LinesToWrite`. */
  readonly windows?: ReadonlyMap<string, string>
  /** Of the draft that it was until now. */
  readonly id?: string
}

export interface FinalizedInvoice {
  readonly id: string
  readonly kind: 'invoice' | 'credit_note'
  readonly number: string
  readonly totalMinor: number
  readonly currency: string
}

/**
 * Writes documents with their lines and finalizes them in the caller's transaction: one statement a table, whatever their
 * number. Then what the customers are owed is used, and the numbers are taken last.
 * @returns in the order given
 * @throws `invoice_field_missing`, `exchange_rate_missing`
 */
export async function insertInvoices(tx: Tx, invoices: readonly NewInvoice[]): Promise<FinalizedInvoice[]> {
  if (invoices.length === 0) return []
  const { facts, rows, lines, duesOf } = await writeInvoices(tx, invoices, { as: 'final' })
  const settledIds = await settleInvoices(
    tx,
    invoices.map((invoice, index) => ({ ...invoice, id: rows[index]?.id ?? '', lines: lines[index] ?? [] })),
  )
  const numberable = invoices.map((invoice, index) => {
    const row = rows[index]
    assert(row, 'every document has its row')
    return toNumberable(row, invoice, lines[index] ?? [], duesOf)
  })
  const numbers = await finalizeInvoices(tx, numberable, facts.numberPatterns)
  const finalized = rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    number: numbers.get(row.id) ?? '',
    totalMinor: row.total_minor,
    currency: row.currency,
  }))
  await announce(tx, invoices, finalized)
  await queuePeerStandings(tx, settledIds)
  return finalized
}

/**
 * Writes documents as drafts, which are computed anew when they are finalized: they measure nothing for good, use no
 * balance, have no number, and nobody is told of them.
 * @param finalizeOn of each, in the order given
 */
export async function insertDraftInvoices(
  tx: Tx,
  invoices: readonly NewInvoice[],
  finalizeOn: readonly string[],
): Promise<void> {
  if (invoices.length > 0) await writeInvoices(tx, invoices, { as: 'draft', finalizeOn })
}

/**
 * Writes documents of nothing that are never sent (E-26): what stands on them is billed and measured for good, but they
 * have no number, state nothing, and nobody is told of them.
 * @returns their ids, in the order given
 */
export async function insertSkippedInvoices(tx: Tx, invoices: readonly NewInvoice[]): Promise<string[]> {
  if (invoices.length === 0) return []
  const { rows } = await writeInvoices(tx, invoices, { as: 'skipped' })
  const ids = rows.map(({ id }) => id)
  await tx
    .updateTable('invoices')
    .set({ skipped_at: new Date().toISOString() })
    .where('id', 'in', ids)
    .execute()
  return ids
}

type Written =
  { readonly as: 'final' | 'skipped' } | { readonly as: 'draft'; readonly finalizeOn: readonly string[] }

interface WrittenInvoices {
  readonly facts: SellerFacts
  readonly rows: InvoiceRow[]
  readonly lines: InvoiceLineRow[][]
  readonly duesOf: DuesOf
}

/** The rows of documents, lines and taxes, by one statement a table. */
async function writeInvoices(
  tx: Tx,
  invoices: readonly NewInvoice[],
  written: Written,
): Promise<WrittenInvoices> {
  const facts = await readSellerFacts(tx)
  const buyerOf = await readBuyers(
    tx,
    invoices.map(({ customerId }) => customerId),
  )
  const duesOf = agreedDues(facts, buyerOf)
  // A draft states nothing yet: it is computed once more on its day, with the rate of that day.
  const statedTaxOf = written.as === 'final' ? await readStatedTaxes(tx, invoices, facts) : () => null
  const ids = newIds(invoices.length)
  const rows = invoices.map((invoice, index) => ({
    ...toRow(invoice.id ?? ids[index] ?? '', invoice, facts, {
      ...buyerOf(invoice.customerId),
      duesOf,
      statedTaxOf,
    }),
    finalize_on: written.as === 'draft' ? (written.finalizeOn[index] ?? null) : null,
  }))
  if (written.as === 'final') refuseIncomplete(invoices, facts, buyerOf)
  await insertRows(tx, rows)
  const lines = invoices.map((invoice, index) => {
    const ofInvoice = toLineRows(rows[index]?.id ?? '', invoice)
    return written.as === 'draft' ? ofInvoice.map(unmeasured) : ofInvoice
  })
  await insertInvoiceLines(tx, lines.flat())
  await insertInvoiceTaxes(
    tx,
    invoices.map(({ draft }, index) => ({ invoiceId: rows[index]?.id ?? '', taxes: draft.taxes })),
  )
  return { facts, rows, lines, duesOf }
}

/** What is used meanwhile is counted normally: a draft's window is open. */
function unmeasured(line: InvoiceLineRow): InvoiceLineRow {
  return { ...line, window: null, usage_window_id: null, lateEventIds: [] }
}

function toRow(
  id: string,
  invoice: NewInvoice,
  facts: SellerFacts,
  { buyer, duesOf, statedTaxOf }: BuyerFacts & { readonly duesOf: DuesOf; readonly statedTaxOf: StatedTaxOf },
) {
  const { draft } = invoice
  const issuedOn = dateIn(facts.timeZone, invoice.now)
  const { dueOn, instalments } = duesOf(invoice, issuedOn)
  // Amounts of a document are positive; its lines say whether they are charges or credits.
  const sign = draft.kind === 'credit_note' ? -1 : 1
  return {
    id,
    kind: draft.kind,
    billing_key: invoice.billingKey,
    customer_id: invoice.customerId,
    served_customer_id: servedBy(invoice),
    document_id: invoice.documentId,
    subscription_id: invoice.subscriptionId,
    test_clock_id: invoice.testClockId,
    currency: draft.currency,
    issued_on: issuedOn,
    due_on: dueOn,
    instalments,
    net_minor: sign * draft.netMinor,
    tax_minor: sign * draft.taxMinor,
    total_minor: sign * draft.totalMinor,
    seller: facts.seller,
    buyer,
    revision: invoice.revision ?? 0,
    reissue_of_id: invoice.reissueOfId ?? null,
    corrects_id: invoice.correctsId ?? null,
    are_prices_inclusive: draft.arePricesInclusive,
    tax_rounding: draft.taxRounding,
    purchase_order_reference: invoice.purchaseOrderReference ?? null,
    stated_tax: statedTaxOf(invoice),
  }
}

type InvoiceRow = ReturnType<typeof toRow> & { readonly finalize_on: string | null }

async function insertRows(tx: Tx, rows: readonly InvoiceRow[]): Promise<void> {
  await sql`
    insert into invoices (id, kind, billing_key, customer_id, served_customer_id, document_id, subscription_id, test_clock_id, currency, issued_on,
      due_on, instalments, net_minor, tax_minor, total_minor, seller, buyer, revision, reissue_of_id, corrects_id, are_prices_inclusive,
      tax_rounding, purchase_order_reference, stated_tax, finalize_on)
    select * from json_to_recordset(${JSON.stringify(rows)}::json) as draft (id uuid, kind text, billing_key text,
      customer_id uuid, served_customer_id uuid, document_id uuid, subscription_id uuid, test_clock_id uuid, currency text, issued_on date, due_on date,
      instalments jsonb, net_minor bigint, tax_minor bigint, total_minor bigint, seller jsonb, buyer jsonb, revision integer, reissue_of_id uuid,
      corrects_id uuid, are_prices_inclusive boolean, tax_rounding text, purchase_order_reference text,
      stated_tax jsonb, finalize_on date)`.execute(tx)
}

/** Null where who pays is who is served. */
function servedBy({ customerId, servedCustomerId }: NewInvoice): string | null {
  return servedCustomerId === customerId ? null : (servedCustomerId ?? null)
}

function toNumberable(
  row: InvoiceRow,
  invoice: NewInvoice,
  lines: readonly ContentLine[],
  duesOf: DuesOf,
): NumberableInvoice {
  return {
    id: row.id,
    kind: row.kind,
    testClockId: row.test_clock_id,
    issuedOn: row.issued_on,
    duesOf: (issuedOn) => duesOf(invoice, issuedOn),
    contentOf: ({ number, issuedOn, dueOn, instalments }) =>
      contentOf(
        { ...row, number, issued_on: issuedOn, due_on: dueOn, instalments },
        lines,
        invoice.draft.taxes.map((tax) => ({
          category: tax.category,
          name: tax.name,
          rate_percent: tax.ratePercent,
          base_minor: tax.baseMinor,
          tax_minor: tax.taxMinor,
          note: tax.note,
        })),
      ),
  }
}

/** Every subscription on a document tells of it in its own timeline. */
async function announce(
  tx: Tx,
  invoices: readonly NewInvoice[],
  finalized: readonly FinalizedInvoice[],
): Promise<void> {
  await insertEvents(
    tx,
    invoices.flatMap((invoice, index) => {
      const made = finalized[index]
      if (!made) return []
      const subscriptionIds = new Set(
        invoice.draft.lines.flatMap((line) => {
          const key = line.subscriptionLineId ?? line.oneOffChargeId
          return (key !== null && invoice.sources.get(key)?.subscriptionId) || []
        }),
      )
      const event = {
        kind: 'invoice.finalized' as const,
        customerId: invoice.customerId,
        invoiceId: made.id,
        businessAt: invoice.now,
        data: {
          number: made.number,
          kind: made.kind,
          total_minor: made.totalMinor,
          currency: made.currency,
        },
      }
      if (subscriptionIds.size === 0) return [event]
      return [...subscriptionIds].map((subscriptionId) => ({ ...event, subscriptionId }))
    }),
  )
}
