import { assert } from '#domain/assert.ts'
import { codeOf } from '#domain/supplier.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import { tellMappingsTo } from './told-mapping.ts'
import { refuseTakenCode } from './unique.ts'

/**
 * The supplier that a peer is. An installation that is paired with anew is the supplier that it was. The peer's row is locked, so
 * that of two at once one makes it.
 */
export async function ensurePeerSupplier(tx: Tx, peerId: string): Promise<string> {
  const known = await supplierOfPeer(tx, peerId)
  if (known !== undefined) return known
  const peer = await tx
    .selectFrom('peers')
    .select(['name', 'currency', 'installation_id'])
    .where('id', '=', peerId)
    .forUpdate()
    .executeTakeFirstOrThrow()
  const made = await supplierOfPeer(tx, peerId)
  if (made !== undefined) return made
  const { name, currency } = peer
  assert(name !== null && currency !== null, 'only who is paired with bills us')
  const former = await tx
    .selectFrom('suppliers')
    .innerJoin('peers', 'peers.id', 'suppliers.peer_id')
    .select('suppliers.id')
    .where('peers.installation_id', '=', peer.installation_id)
    .where('peers.role', '=', 'supplier')
    .executeTakeFirst()
  if (former !== undefined) {
    await tx
      .updateTable('suppliers')
      .set({ peer_id: peerId, name, currency })
      .where('id', '=', former.id)
      .execute()
    // What is mapped of its products stays, and it is told so once.
    await tellMappingsTo(tx, peerId)
    return former.id
  }
  const id = newId()
  await tx
    .insertInto('suppliers')
    .values({ id, code: codeOf(name, peerId), name, peer_id: peerId, currency })
    .execute()
  return id
}

/**
 * A supplier that is no installation: what it bills is written down here.
 * @returns its id
 * @throws `code_taken`
 */
export async function insertSupplier(
  tx: Tx,
  supplier: {
    readonly code: string
    readonly name: string
    readonly currency: string
    readonly tax_id: string | null
  },
): Promise<string> {
  const id = newId()
  await refuseTakenCode(
    supplier.code,
    async () =>
      await tx
        .insertInto('suppliers')
        .values({ id, peer_id: null, ...supplier })
        .execute(),
  )
  return id
}

async function supplierOfPeer(tx: Tx, peerId: string): Promise<string | undefined> {
  const row = await tx.selectFrom('suppliers').select('id').where('peer_id', '=', peerId).executeTakeFirst()
  return row?.id
}

export async function getSupplierCurrency(db: Db, id: string): Promise<string> {
  const { currency } = await db
    .selectFrom('suppliers')
    .select('currency')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return currency
}
