import { assert } from '#domain/assert.ts'
import { computeDocument } from '#domain/invoice/document.ts'
import { encodeId } from '#domain/identifier.ts'
import { readBillInputs, type BillInput, type BillToRead } from './bill-input.ts'
import type { Tx } from './database.ts'
import { insertDraftInvoices, insertInvoices, type FinalizedInvoice, type NewInvoice } from './invoice.ts'
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
  /** Null: nothing is due. */
  | { readonly state: 'billed'; readonly invoice: FinalizedInvoice | null }
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
  return computed.map((bill) => {
    if (bill.state !== 'computed') return bill
    const invoice = invoices.get(bill)
    assert(invoice, 'every computed bill was written')
    return { state: 'billed', invoice }
  })
}

export type DraftOutcome = { readonly state: 'drafted' } | BillOutcome

/**
 * The same, as drafts that are finalized on a later day. A bill of nothing makes no draft.
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
  return computed.map((bill) => (bill.state === 'computed' ? { state: 'drafted' } : bill))
}

async function computeBills(tx: Tx, requests: readonly BillRequest[]): Promise<ComputedBill[]> {
  const inputs = await readBillInputs(tx, requests)
  return requests.map((request, index) => computeBill(request, inputs[index] ?? null))
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

type ComputedBill = BillOutcome | { readonly state: 'computed'; readonly invoice: NewInvoice }

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
