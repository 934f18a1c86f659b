import { assert } from '#domain/assert.ts'
import { computeDocument, isOfNothing, withoutTexts } from '#domain/invoice/document.ts'
import { encodeId } from '#domain/identifier.ts'
import { readBillInputs, type BillInput, type BillToRead } from './bill-input.ts'
import type { Tx } from './database.ts'
import {
  insertDraftInvoices,
  insertInvoices,
  insertSkippedInvoices,
  type FinalizedInvoice,
  type NewInvoice,
} from './invoice.ts'
import { findIncomplete } from './required-field.ts'

/** A metric of the document was not read past the period's end yet, and its grace is not over. */
export class DocumentNotReady extends Error {
  readonly documentId: string

  constructor(documentId: string) {
    super(`document ${encodeId('document', documentId)} waits for readings past the end of its period`)
    this.name = 'DocumentNotReady'
    this.documentId = documentId
  }
}

/** A bill that is to be written. */
export interface BillRequest extends BillToRead {
  readonly billingKey: string
  /** Of the draft that is finalized by this bill, and was taken away for it. */
  readonly draftId?: string | undefined
}

export type BillOutcome =
  /** Null: nothing is due, or what is due comes to nothing and stands on a document that was skipped. */
  | { readonly state: 'billed'; readonly invoice: FinalizedInvoice | null; readonly skippedId?: string }
  /** See `DocumentNotReady`. */
  | { readonly state: 'waiting' }
  /** It cannot be computed; the others of the chunk can. */
  | { readonly state: 'failed'; readonly error: unknown }

/**
 * Reads, computes and writes any number of bills by a constant number of statements. What cannot be computed stops no
 * other; what the database refuses rolls back all.
 * @returns in the order given
 */
export async function writeBills(tx: Tx, requests: readonly BillRequest[]): Promise<BillOutcome[]> {
  if (requests.length === 0) return []
  const computed = await failIncomplete(tx, await computeBills(tx, requests))
  const toWrite = computed.filter((bill) => bill.state === 'computed')
  const written = await insertInvoices(
    tx,
    toWrite.map(({ invoice }) => invoice),
  )
  const invoices = new Map(toWrite.map((bill, index) => [bill, written[index]]))
  const skippedIds = await writeSkipped(tx, computed)
  return computed.map((bill) => {
    if (bill.state === 'skipped') {
      const skippedId = skippedIds.get(bill)
      assert(skippedId, 'every skipped bill was written')
      return { state: 'billed', invoice: null, skippedId }
    }
    if (bill.state !== 'computed') return bill
    const invoice = invoices.get(bill)
    assert(invoice, 'every computed bill was written')
    return { state: 'billed', invoice }
  })
}

async function writeSkipped(
  tx: Tx,
  computed: readonly ComputedBill[],
): Promise<ReadonlyMap<ComputedBill, string>> {
  const skipped = computed.filter((bill) => bill.state === 'skipped')
  const ids = await insertSkippedInvoices(
    tx,
    skipped.map(({ invoice }) => invoice),
  )
  return new Map(ids.flatMap((id, index) => (skipped[index] ? [[skipped[index], id]] : [])))
}

export type DraftOutcome = { readonly state: 'drafted' } | BillOutcome

/**
 * The same, as drafts that are finalized on a later day. What will be skipped is not drafted, nor is a bill without lines.
 * @returns in the order given
 */
export async function writeDrafts(
  tx: Tx,
  requests: readonly (BillRequest & { readonly finalizeOn: string })[],
): Promise<DraftOutcome[]> {
  if (requests.length === 0) return []
  const computed = await computeBills(tx, requests)
  const drafts = computed.flatMap((bill, index) => {
    const finalizeOn = requests[index]?.finalizeOn
    return bill.state === 'computed' && finalizeOn ? [{ invoice: bill.invoice, finalizeOn }] : []
  })
  await insertDraftInvoices(
    tx,
    drafts.map(({ invoice }) => invoice),
    drafts.map(({ finalizeOn }) => finalizeOn),
  )
  return computed.map((bill) => {
    if (bill.state === 'computed') return { state: 'drafted' }
    return bill.state === 'skipped' ? { state: 'billed', invoice: null } : bill
  })
}

async function computeBills(tx: Tx, requests: readonly BillRequest[]): Promise<ComputedBill[]> {
  const inputs = await readBillInputs(tx, requests)
  const skipsZero = await readSkipsZero(tx)
  return requests.map((request, index) => {
    const bill = computeBill(request, inputs[index] ?? null)
    if (bill.state !== 'computed' || !skipsZero || !isOfNothing(bill.invoice.draft)) return bill
    // Whoever saw a draft gets its invoice.
    if (request.draftId !== undefined) return bill
    return { state: 'skipped', invoice: { ...bill.invoice, draft: withoutTexts(bill.invoice.draft) } }
  })
}

async function readSkipsZero(tx: Tx): Promise<boolean> {
  const seller = await tx.selectFrom('installation').select('skips_zero_invoices').executeTakeFirstOrThrow()
  return seller.skips_zero_invoices
}

/** What lacks a field that the law asks for is not finalized. Known before the writing, it costs the others nothing. */
async function failIncomplete(tx: Tx, bills: readonly ComputedBill[]): Promise<ComputedBill[]> {
  const invoices = bills.flatMap((bill) => (bill.state === 'computed' ? [bill.invoice] : []))
  const refusals = await findIncomplete(tx, invoices)
  return bills.map((bill) => {
    const error = bill.state === 'computed' ? refusals.get(bill.invoice) : undefined
    return error === undefined ? bill : { state: 'failed', error }
  })
}

/** The one subscription that a bill is of; null where it is of a document, or of several that were ordered together. */
function onlyOf(subscriptionIds: readonly string[] | null): string | null {
  return subscriptionIds?.length === 1 ? (subscriptionIds[0] ?? null) : null
}

type ComputedBill =
  | BillOutcome
  | { readonly state: 'computed'; readonly invoice: NewInvoice }
  /** Of nothing. */
  | { readonly state: 'skipped'; readonly invoice: NewInvoice }

function computeBill(request: BillRequest, bill: BillInput | null): ComputedBill {
  if (bill === null) return { state: 'billed', invoice: null }
  if (!bill.isReady) return { state: 'waiting' }
  try {
    const draft = computeDocument(bill.input)
    if (draft === null) return { state: 'billed', invoice: null }
    return {
      state: 'computed',
      invoice: {
        billingKey: request.billingKey,
        customerId: bill.payerId,
        servedCustomerId: bill.customerId,
        documentId: request.document?.id ?? null,
        subscriptionId: onlyOf(request.subscriptionIds),
        testClockId: bill.testClockId,
        purchaseOrderReference: bill.purchaseOrderReference,
        now: request.now,
        draft,
        sources: bill.sources,
        ...(request.draftId === undefined ? {} : { id: request.draftId }),
      },
    }
  } catch (error) {
    return { state: 'failed', error }
  }
}
