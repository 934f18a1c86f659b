import { sql } from 'kysely'
import { encodeId } from '#domain/identifier.ts'
import type { Db, Tx } from './database.ts'
import type { DocumentRow } from './subscription-documents.ts'

/** What the invoice of a document's next period is for: whoever makes it finds it made. */
export function billingKeyOf(document: Pick<DocumentRow, 'id' | 'next_invoice_on'>): string {
  return `document/${encodeId('document', document.id)}/${document.next_invoice_on}`
}

/** Days that an invoice of a period stays a draft for review. */
export async function readDraftDays(db: Db): Promise<number> {
  const { draft_days } = await db.selectFrom('installation').select('draft_days').executeTakeFirstOrThrow()
  return draft_days
}

/** The documents stay at their period until the day on which its draft is finalized. */
export async function holdForReview(
  tx: Tx,
  documents: readonly DocumentRow[],
  finalizeOn: (document: DocumentRow) => string,
): Promise<void> {
  if (documents.length === 0) return
  const held = documents.map((document) => ({ id: document.id, on: finalizeOn(document) }))
  await sql`
    update subscription_documents document set finalize_on = held."on", parked_reason = null
    from json_to_recordset(${JSON.stringify(held)}::json) as held (id uuid, "on" date)
    where document.id = held.id`.execute(tx)
}

/**
 * Takes away the drafts of the documents' next periods, to be written anew. What stood on them is due again, for whoever
 * computes it in the same transaction.
 * @returns the id of each document's draft
 */
export async function removeDrafts(
  tx: Tx,
  documents: readonly DocumentRow[],
): Promise<ReadonlyMap<string, string>> {
  const keys = documents.filter((document) => document.finalize_on !== null).map(billingKeyOf)
  if (keys.length === 0) return new Map()
  const drafts = await tx
    .selectFrom('invoices')
    .select(['id', 'document_id'])
    .where('billing_key', 'in', keys)
    .where('finalized_at', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute()
  const ids = drafts.map(({ id }) => id)
  if (ids.length === 0) return new Map()
  await tx.deleteFrom('invoice_taxes').where('invoice_id', 'in', ids).execute()
  await tx.deleteFrom('invoice_lines').where('invoice_id', 'in', ids).execute()
  await tx.deleteFrom('invoices').where('id', 'in', ids).execute()
  return new Map(drafts.flatMap(({ id, document_id }) => (document_id === null ? [] : [[document_id, id]])))
}
