import { startOfDay } from '#domain/calendar.ts'
import { computeDocument, type DocumentDraft } from '#domain/invoice/document.ts'
import { readBillInputs } from '../bill-input.ts'
import type { Db } from '../database.ts'
import { listDocuments } from '../subscription-documents.ts'
import type { SubscriptionRow } from './subscription.ts'

/** The next invoice of a subscription as it would be if nothing more was used and nothing changed. */
export interface ExpectedInvoice {
  readonly on: string
  /** Usage lines hold what was measured so far. */
  readonly lines: DocumentDraft['lines']
  /** With tax. */
  readonly totalMinor: number
}

/** Undefined when no invoice is to come. It is read and computed as the real one is. */
export async function readExpectedInvoice(
  db: Db,
  subscription: Pick<SubscriptionRow, 'id' | 'next_invoice_on'>,
): Promise<ExpectedInvoice | undefined> {
  const on = subscription.next_invoice_on
  if (on === null) return undefined
  const documents = await listDocuments(db, subscription.id)
  const next = documents.filter((row) => row.closed_at === null && row.next_invoice_on === on)
  const inputs = await readBillInputs(
    db,
    next.map((document) => ({
      reason: 'period',
      document,
      subscriptionId: subscription.id,
      asOf: on,
      now: startOfDay(document.time_zone, on),
    })),
    { isPreview: true },
  )
  const drafts = inputs.flatMap((bill) => (bill === null ? [] : (computeDocument(bill.input) ?? [])))
  return {
    on,
    lines: drafts.flatMap((draft) => draft.lines),
    totalMinor: drafts.reduce((sum, draft) => sum + draft.totalMinor, 0),
  }
}
