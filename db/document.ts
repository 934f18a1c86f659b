import { encodeId } from '#domain/identifier.ts'
import type { Db } from './database.ts'
import { insertEvent } from './event.ts'
import { openTask } from './task.ts'

/** A document that cannot be billed waits with its reason and one task; it stops no other. */
export async function parkDocument(db: Db, documentId: string, reason: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const document = await tx
      .updateTable('subscription_documents')
      .set({ parked_reason: reason })
      .where('id', '=', documentId)
      .returning('customer_id')
      .executeTakeFirstOrThrow()
    await openTask(tx, {
      kind: 'document_parked',
      subjectKind: 'document',
      subjectId: documentId,
      subject: `Document ${encodeId('document', documentId)} could not be billed`,
      detail: `${reason} The next billing run tries again by itself.`,
    })
    await insertEvent(tx, {
      kind: 'document.parked',
      customerId: document.customer_id,
      data: { document: encodeId('document', documentId), reason },
    })
  })
}
