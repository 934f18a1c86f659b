import { assert } from '#domain/assert.ts'
import { BusinessError } from '#domain/errors.ts'
import { DocumentNotReady } from './bill.ts'
import { draftPeriods, finalizePeriods } from './billing-period.ts'
import type { Tx } from './database.ts'
import { removeDrafts } from './draft.ts'
import { lockDocument, type DocumentRow } from './subscription-documents.ts'

/**
 * Finalizes a draft now instead of on its day. It is computed once more: what came meanwhile is on it. Finalized already,
 * it stays as it is, so that two at once give one number.
 * @throws `not_found`, `invoice_empty` when nothing of it is due any more, `action_not_allowed` while readings are waited for,
 *   and what `computeDocument` refuses
 */
export async function finalizeInvoice(
  tx: Tx,
  { invoiceId, now }: { invoiceId: string; now: string },
): Promise<void> {
  const document = await lockDocumentOfDraft(tx, invoiceId)
  if (document === null) return
  try {
    const outcome = (await finalizePeriods(tx, [document], now)).get(document.id)
    if (outcome?.state === 'billed' && outcome.invoice !== null) return
  } catch (error) {
    throw error instanceof DocumentNotReady ? stillWaiting(error) : error
  }
  throw new BusinessError('invoice_empty', 'Nothing of this draft is due any more.')
}

/**
 * Bills the drafts of documents for good: a subscription's own last bill credits what stands on a finalized invoice.
 * @returns the documents as they stand then
 */
export async function finalizeDrafts(
  tx: Tx,
  documents: readonly DocumentRow[],
  now: string,
): Promise<DocumentRow[]> {
  const drafted = documents.filter(({ finalize_on: on }) => on !== null)
  if (drafted.length === 0) return [...documents]
  await finalizePeriods(tx, drafted, now)
  const after: DocumentRow[] = []
  for (const { id } of documents) after.push(await lockDocument(tx, id))
  return after
}

function stillWaiting(cause: DocumentNotReady): BusinessError {
  return new BusinessError(
    'action_not_allowed',
    'Readings past the end of the period of a draft are still waited for. Ask again when they came, six hours later at most.',
    { cause },
  )
}

/** Computes the drafts of a customer on a clock anew, so that they show what was added or withdrawn since. @throws `action_not_allowed` as above */
export async function redraft(
  tx: Tx,
  { customerId, testClockId, now }: { customerId: string; testClockId: string | null; now: string },
): Promise<void> {
  const documents = await tx
    .selectFrom('subscription_documents')
    .selectAll()
    .where('customer_id', '=', customerId)
    .where('test_clock_id', 'is not distinct from', testClockId)
    .where('finalize_on', 'is not', null)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute()
  await redraftDocuments(tx, documents, now)
}

/** The same, of documents with drafts that the caller has locked. */
export async function redraftDocuments(
  tx: Tx,
  documents: readonly DocumentRow[],
  now: string,
): Promise<void> {
  if (documents.length === 0) return
  const draftIds = await removeDrafts(tx, documents)
  const finalizeOn = (document: DocumentRow) => {
    assert(document.finalize_on, 'a document with a draft has its day')
    return document.finalize_on
  }
  const outcomes = await draftPeriods(tx, documents, { now, finalizeOn, draftIds })
  for (const [id, outcome] of outcomes) {
    // What stood before must not be lost: all of the transaction is taken back.
    if (outcome.state === 'failed') throw outcome.error
    if (outcome.state === 'waiting') throw stillWaiting(new DocumentNotReady(id))
  }
}

/** Null when the invoice is finalized. Documents are locked before invoices, so that a bill under way is waited for. */
async function lockDocumentOfDraft(tx: Tx, invoiceId: string): Promise<DocumentRow | null> {
  const read = async () =>
    await tx
      .selectFrom('invoices')
      .select(['document_id', 'finalized_at'])
      .where('id', '=', invoiceId)
      .where('skipped_at', 'is', null)
      .executeTakeFirst()
  const row = await read()
  if (!row) throw new BusinessError('not_found', 'There is no such invoice.')
  if (row.finalized_at !== null) return null
  assert(row.document_id, 'only the invoice of a period is a draft')
  const document = await lockDocument(tx, row.document_id)
  // Somebody else may have finalized it, or found nothing due any more, while the document was waited for.
  const after = await read()
  if (!after) throw new BusinessError('not_found', 'There is no such invoice any more.')
  return after.finalized_at === null ? document : null
}
