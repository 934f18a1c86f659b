import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '#db/identifier.ts'
import { queueUntakenDocuments } from '#db/untaken-document.ts'
import { until } from '#test/support/installation.ts'
import { countWaiting } from '#test/support/lock-wait.ts'
import { insertOneOffInvoice } from '#test/support/one-off-invoice.ts'
import { insertPeer, insertReseller } from '#test/support/peer.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const now = () => new Date().toISOString()

const bill = async (customerId: string) =>
  (await insertOneOffInvoice(seller.db, customerId, [['1', '10.00']])).id

/** A customer that is an installation from here on, until it is closed, and takes nothing but what is marked. */
async function partWith(customerId: string, installationId: string) {
  // Instants are read to the millisecond.
  await sleep(2)
  const installation = { role: 'customer', customer_id: customerId, installation_id: installationId }
  const former = await insertPeer(seller.db, { ...installation, paired_at: now() })
  return {
    installation,
    async take(invoiceId: string) {
      await seller.db
        .updateTable('peer_messages')
        .set({ delivered_at: now(), sha256: Buffer.alloc(32) })
        .where('peer_id', '=', former)
        .where('subject_id', '=', invoiceId)
        .execute()
    },
    async close() {
      await seller.db
        .updateTable('peers')
        .set({ state: 'closed', closed_at: now() })
        .where('id', '=', former)
        .execute()
    },
  }
}

const queueFor = async (id: string, customerId: string, installationId: string) =>
  await seller.db
    .transaction()
    .execute(async (tx) => await queueUntakenDocuments(tx, { id, customerId, installationId }))

async function queued(peerId: string) {
  const rows = await seller.db
    .selectFrom('peer_messages')
    .select(['kind', 'subject_id'])
    .where('peer_id', '=', peerId)
    .orderBy('sequence')
    .execute()
  return rows.map(({ kind, subject_id: id }) => `${kind} ${id}`)
}

test('who is paired with anew is sent what it never took since it was first paired with, each once', async () => {
  const [customerId, installationId] = [await insertReseller(seller.db), newId()]
  await bill(customerId)
  const trust = await partWith(customerId, installationId)
  const [taken, waited] = [await bill(customerId), await bill(customerId)]
  await trust.take(taken)
  await trust.close()
  const since = await bill(customerId)
  await bill(await insertReseller(seller.db))
  const present = await insertPeer(seller.db, trust.installation)
  await queueFor(present, customerId, installationId)
  await queueFor(present, customerId, installationId)
  assert.deepEqual(await queued(present), [`document ${waited}`, `document ${since}`])
})

test('another installation of the same customer is sent nothing of before, as at every first pairing', async () => {
  const customerId = await insertReseller(seller.db)
  const trust = await partWith(customerId, newId())
  await bill(customerId)
  await trust.close()
  const other = newId()
  const present = await insertPeer(seller.db, { ...trust.installation, installation_id: other })
  await queueFor(present, customerId, other)
  assert.deepEqual(await queued(present), [])
})

test('what is being finalized while it is paired with anew, by who saw no peer, is not forgotten', async () => {
  const [customerId, installationId] = [await insertReseller(seller.db), newId()]
  const trust = await partWith(customerId, installationId)
  const waited = await bill(customerId)
  await trust.close()
  const present = await insertPeer(seller.db, { ...trust.installation, state: 'invited' })
  const pair = async () =>
    await seller.db.transaction().execute(async (tx) => {
      await tx.updateTable('peers').set({ state: 'active' }).where('id', '=', present).execute()
      await queueUntakenDocuments(tx, { id: present, customerId, installationId })
    })
  let isOver = false
  const { pairing, finalized } = await seller.db.transaction().execute(async (tx) => {
    const { id } = await insertOneOffInvoice(tx, customerId, [['1', '10.00']])
    const running = pair().finally(() => (isOver = true))
    await until('it waits, or is done', async () => isOver || (await countWaiting(seller.db)) > 0)
    return { pairing: running, finalized: id }
  })
  await pairing
  assert.deepEqual(await queued(present), [`document ${waited}`, `document ${finalized}`])
})
