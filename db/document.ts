import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { openTask } from './task.ts'

/**
 * A document that cannot be billed waits with its reason and one task; it stops no other. Each billing run that fails
 * for the same reason parks it again, which is told once.
 */
export async function parkDocument(db: Db, documentId: string, reason: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    // Locked: of two that park it at once, the second sees the reason of the first.
    const document = await tx
      .selectFrom('subscription_documents')
      .select(['customer_id', 'parked_reason'])
      .where('id', '=', documentId)
      .forUpdate()
      .executeTakeFirstOrThrow()
    await openTask(tx, {
      kind: 'document_parked',
      subjectKind: 'document',
      subjectId: documentId,
      subject: `Document ${encodeId('document', documentId)} could not be billed`,
      detail: `${reason} The next billing run tries again by itself.`,
    })
    if (document.parked_reason === reason) return
    await tx
      .updateTable('subscription_documents')
      .set({ parked_reason: reason })
      .where('id', '=', documentId)
      .execute()
    await insertEvent(tx, {
      kind: 'document.parked',
      customerId: document.customer_id,
      data: { document: encodeId('document', documentId), reason },
    })
  })
}

/**
 * A document whose next period nobody has begun to bill, held until the caller's transaction ends.
 * @throws `not_found`, `action_not_allowed` for a closed document or a draft
 */
export async function lockDocumentBetweenPeriods(tx: Tx, documentId: string) {
  const document = await tx
    .selectFrom('subscription_documents')
    .selectAll()
    .where('id', '=', documentId)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (!document) throw new BusinessError('not_found', 'There is no such document.')
  if (document.closed_at !== null)
    throw new BusinessError('action_not_allowed', 'The document is closed; nothing is billed on it any more.')
  if (document.finalize_on !== null)
    throw new BusinessError('action_not_allowed', 'Its invoice stands as a draft; finalize that first.')
  return document
}
