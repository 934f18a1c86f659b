import type { Db } from '../database.ts'

export type DocumentSending = NonNullable<Awaited<ReturnType<typeof findDocumentSending>>>

/** How a document of ours goes to the installation of its customer, by the newest pairing; undefined where it goes to none. */
export async function findDocumentSending(db: Db, invoiceId: string) {
  return await db
    .selectFrom('peer_messages as message')
    .innerJoin('peers as peer', 'peer.id', 'message.peer_id')
    .select(['peer.name', 'peer.state', 'peer.waiting_reason', 'peer.halted_reason'])
    .select(['message.queued_at', 'message.delivered_at'])
    .where('message.subject_id', '=', invoiceId)
    .where('message.kind', '=', 'document')
    .orderBy('peer.created_at', 'desc')
    .limit(1)
    .executeTakeFirst()
}
