import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function lostDocuments(db: Db) {
  return db
    .selectFrom('lost_documents as lost')
    .innerJoin('peers as peer', 'peer.id', 'lost.peer_id')
    .selectAll('lost')
    .select('peer.name as peer_name')
}

export type LostDocumentRow = Awaited<ReturnType<typeof listLostDocuments>>[number]

/** Documents of ours that peers have and we have not; settled ones too. */
export async function listLostDocuments(db: Db, page: PageRequest & { peerId: string | null }) {
  const query = onPage(lostDocuments(db), page, 'lost.id')
  return await (page.peerId === null ? query : query.where('lost.peer_id', '=', page.peerId)).execute()
}

/** How many nobody has settled yet. */
export async function countUnsettledDocuments(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom('lost_documents')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('settlement', 'is', null)
    .executeTakeFirstOrThrow()
  return count
}
