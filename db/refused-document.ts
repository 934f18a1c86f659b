import { sql } from 'kysely'
import { decodeId } from '#domain/identifier.ts'
import type { Tx } from './database.ts'
import type { ReceivedDocument } from './supplier-invoice.ts'

/**
 * The place of the first document that has the number of another one of its supplier, and of which nobody has said yet that it is taken
 * all the same: a supplier that was restored from an older backup gives its numbers again, and has to be paired with anew where that
 * backup does not know us. -1 where there is none.
 */
export async function findTakenNumber(
  tx: Tx,
  { peerId, now }: { peerId: string; now: string },
  received: readonly ReceivedDocument[],
): Promise<number> {
  const documents = received.map(({ document, sha256 }) => ({
    id: decodeId('invoice', document.document),
    number: document.number,
    sha256,
  }))
  const numbers = documents.map(({ number }) => number)
  const rows = await tx
    .selectFrom('supplier_invoices')
    .select(['document_id', 'number'])
    .where('supplier_id', 'in', (eb) =>
      eb.selectFrom('suppliers').select('suppliers.id').where('suppliers.peer_id', '=', peerId),
    )
    .where(sql<boolean>`number = any(${numbers})`)
    .execute()
  const idsOf = Map.groupBy(rows, ({ number }) => number)
  for (const [index, { id, number, sha256 }] of documents.entries()) {
    const known = idsOf.get(number)
    if (known === undefined || known.some((row) => row.document_id === id)) continue
    if (!(await isAccepted(tx, { peerId, id, number, sha256, now }))) return index
  }
  return -1
}

/**
 * Whether a person has resumed the peer since a message about a document was refused: then it halts nothing any more. What is refused
 * is noted for that, by the hash of the message.
 */
export async function isAccepted(
  tx: Tx,
  of: { peerId: string; id: string; number: string; sha256: Buffer; now: string },
): Promise<boolean> {
  const row = { peer_id: of.peerId, document_id: of.id, sha256: of.sha256 }
  await tx
    .insertInto('refused_documents')
    .values({ ...row, number: of.number, refused_at: of.now })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const { accepted_at: acceptedAt } = await tx
    .selectFrom('refused_documents')
    .select('accepted_at')
    .where('peer_id', '=', of.peerId)
    .where('document_id', '=', of.id)
    .where('sha256', '=', of.sha256)
    .executeTakeFirstOrThrow()
  return acceptedAt !== null
}

/** Who resumes a peer takes what was refused for its number: both documents are there then. */
export async function acceptRefusedDocuments(
  tx: Tx,
  peerId: string,
  by: { actor: string; now: string },
): Promise<void> {
  await tx
    .updateTable('refused_documents')
    .set({ accepted_at: by.now, accepted_by: by.actor })
    .where('peer_id', '=', peerId)
    .where('accepted_at', 'is', null)
    .execute()
}
