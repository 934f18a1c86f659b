import { trustedPeerStates, type PeerRole } from '#domain/peer.ts'
import type { PeerMessageKind } from '#domain/peer-message.ts'
import { toldMappings, type ToldMappings } from '#domain/told-mapping.ts'
import { hashOf } from './content-hash.ts'
import type { Db, Tx } from './database.ts'
import { queuePeerMessages, readLastTold } from './peer-queue.ts'
import { listExpenseMappings } from './read/expense.ts'

const kind = 'expense_mappings' satisfies PeerMessageKind

/**
 * Tells a supplier that is an installation as what its products are counted here, in the transaction that changes that. The supplier is
 * locked, so that one that is paired with anew meanwhile is told of it as well. What locks goes before.
 */
export async function tellMappings(tx: Tx, supplierId: string): Promise<void> {
  const { peer_id: peerId } = await tx
    .selectFrom('suppliers')
    .select('peer_id')
    .where('id', '=', supplierId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
  if (peerId !== null) await tellMappingsTo(tx, peerId)
}

/** Tells all suppliers that have something mapped to a category, which is called otherwise now. */
export async function tellMappingsOfCategory(tx: Tx, categoryId: string): Promise<void> {
  const suppliers = await tx
    .selectFrom('expense_mappings')
    .select('supplier_id')
    .distinct()
    .where('expense_category_id', '=', categoryId)
    .where('matches', '=', 'product_code')
    .orderBy('supplier_id')
    .execute()
  for (const { supplier_id: supplierId } of suppliers) await tellMappings(tx, supplierId)
}

/**
 * Tells one peer, where it bills us, is trusted, and understands it, and only what is not what it was told last. Who does not understand
 * it yet is told once it does: nobody has to be brought up to date for that.
 */
export async function tellMappingsTo(tx: Tx, peerId: string): Promise<void> {
  const peer = await tx
    .selectFrom('peers')
    .select(['role', 'state', 'other_kinds'])
    .where('id', '=', peerId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
  const isTrusted = trustedPeerStates.some((state) => state === peer.state)
  if (peer.role !== 'supplier' || !isTrusted || !peer.other_kinds.includes(kind)) return
  const content = await readOwnMappings(tx, peerId)
  const subject = { kind, subjectId: null } as const
  const told = await readLastTold(tx, peerId, subject)
  const isKnown = told === undefined ? content.total === 0 : hashOf(told).equals(hashOf(content))
  if (!isKnown) await queuePeerMessages(tx, peerId, [{ ...subject, content: { ...content } }])
}

async function readOwnMappings(db: Db, peerId: string): Promise<ToldMappings> {
  const supplier = await db
    .selectFrom('suppliers')
    .select('id')
    .where('peer_id', '=', peerId)
    .executeTakeFirst()
  return toldMappings(supplier === undefined ? [] : await listExpenseMappings(db, supplier.id))
}

/** Keeps what a customer tells, in place of what it told before: messages come in order. */
export async function receiveMappings(
  tx: Tx,
  { peerId, told, now }: { peerId: string; told: ToldMappings; now: string },
): Promise<void> {
  const said = { content: JSON.stringify(told), told_at: now }
  await tx
    .insertInto('told_expense_mappings')
    .values({ peer_id: peerId, ...said })
    .onConflict((conflict) => conflict.column('peer_id').doUpdateSet(said))
    .execute()
}

/** What is agreed with a peer of the supplier's products: as a customer has told it, or as we say it of a supplier. */
export async function readMappingsWith(
  db: Db,
  { id, role }: { readonly id: string; readonly role: PeerRole },
): Promise<(ToldMappings & { readonly toldAt: string | null }) | null> {
  if (role === 'supplier') return { ...(await readOwnMappings(db, id)), toldAt: null }
  const row = await db
    .selectFrom('told_expense_mappings')
    .select(['content', 'told_at'])
    .where('peer_id', '=', id)
    .executeTakeFirst()
  return row === undefined ? null : { ...row.content, toldAt: row.told_at }
}
