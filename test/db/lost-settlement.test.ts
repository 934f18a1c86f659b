import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { Tx } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { keepLostDocuments, type LostDocument } from '#db/lost-document.ts'
import { settleLostDocuments } from '#db/lost-settlement.ts'
import { queuePeerMessages } from '#db/peer-queue.ts'
import { closePeer, haltPeer } from '#db/peer.ts'
import { lockSeries } from '#db/series-lock.ts'
import { until } from '#test/support/installation.ts'
import { countWaiting } from '#test/support/lock-wait.ts'
import { insertOneOffInvoice } from '#test/support/one-off-invoice.ts'
import { insertPeer } from '#test/support/peer.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

// An installation that was restored from a backup; what its peer has of it came after that.
let seller: Seller
let customerId = ''
let peerId = ''
before(async () => {
  seller = await createSeller()
  customerId = newId()
  await seller.db
    .insertInto('customers')
    .values({ id: customerId, code: 'reseller', name: 'Reseller', currency: 'USD', time_zone: 'UTC' })
    .execute()
  peerId = await insertPeer(seller.db, { role: 'customer', customer_id: customerId })
})
after(async () => seller.drop())

const now = '2026-04-01T10:00:00Z'

const lostDocument = (number: string): LostDocument => ({
  documentId: newId(),
  kind: 'invoice',
  number,
  currency: 'USD',
  issuedOn: '2026-03-31',
  totalMinor: 1_200,
  sha256: '0'.repeat(64),
  content: { number },
})

async function keep(tx: Tx, numbers: readonly string[]): Promise<void> {
  await keepLostDocuments(tx, peerId, { lost: numbers.map(lostDocument), toldSequence: null, now })
  await haltPeer(tx, peerId, { subject: 'lost', reason: 'lost' })
}

const settle = async () =>
  await seller.db.transaction().execute(async (tx) => {
    const decision = { decision: 'keep', reason: 'restored' } as const
    await settleLostDocuments(tx, peerId, decision, { actor: 'tester', now })
  })

const bill = async () => await insertOneOffInvoice(seller.db, customerId, [['1', '10.00']])

test('a first number of a series is not given while that number is found to be lost', async () => {
  let isBilled = false
  const billing: { outcome?: Promise<unknown> } = {}
  await seller.db.transaction().execute(async (tx) => {
    await keep(tx, ['INV-00001', 'INV-00002'])
    billing.outcome = bill().finally(() => (isBilled = true))
    billing.outcome.catch(() => undefined)
    await until('it waits, or is billed', async () => isBilled || (await countWaiting(seller.db)) === 1)
    assert.equal(isBilled, false, 'nothing is finalized in a series of which documents are found to be lost')
  })
  await assert.rejects(billing.outcome ?? assert.fail(), { code: 'series_stopped' })
})

test('who settles what is lost waits for who finalizes, and neither for each other', async () => {
  const settling: { outcome?: Promise<void> } = {}
  await seller.db.transaction().execute(async (tx) => {
    await lockSeries(tx, ['INV'])
    settling.outcome = settle()
    settling.outcome.catch(() => undefined)
    await until('it waits', async () => (await countWaiting(seller.db)) === 1)
    // As a document that was numbered is laid down for its peer.
    await queuePeerMessages(tx, peerId, [{ kind: 'document', subjectId: newId(), content: null }])
  })
  await settling.outcome
  assert.equal((await bill()).number, 'INV-00003')
})

test('what was found while somebody settled is not settled with what that person has seen', async () => {
  const settling: { outcome?: Promise<void> } = {}
  await seller.db.transaction().execute(async (tx) => await keep(tx, ['INV-00007']))
  await seller.db.transaction().execute(async (tx) => {
    await lockSeries(tx, ['INV'])
    settling.outcome = settle()
    settling.outcome.catch(() => undefined)
    await until('it waits', async () => (await countWaiting(seller.db)) === 1)
    await tx
      .updateTable('installation')
      .set((eb) => ({
        number_patterns: eb.cast(eb.val(JSON.stringify(otherPatterns)), 'jsonb'),
      }))
      .execute()
    await keep(tx, ['OTHER-1'])
  })
  await assert.rejects(settling.outcome ?? assert.fail(), { code: 'action_not_allowed', message: /again/ })
  await settle()
  const rows = await seller.db.selectFrom('number_series').select(['code', 'next_number']).execute()
  assert.deepEqual(rows, [
    { code: 'INV', next_number: 8 },
    { code: 'OTHER', next_number: 2 },
  ])
})

test('what a peer has of ours is settled also once that was closed: its series goes on', async () => {
  await seller.db.transaction().execute(async (tx) => {
    await keep(tx, ['OTHER-4'])
    await closePeer(tx, peerId, { actor: 'tester', now })
  })
  await assert.rejects(bill(), { code: 'series_stopped' })
  await settle()
  assert.equal((await bill()).number, 'OTHER-5')
  await assert.rejects(settle(), { code: 'action_not_allowed', message: /nothing of ours/ })
  const { state } = await seller.db.selectFrom('peers').select('state').executeTakeFirstOrThrow()
  assert.equal(state, 'closed')
})

const otherPatterns = {
  invoice: { series: 'OTHER', pattern: '{series}-{number}' },
  credit_note: { series: 'CN', pattern: '{series}-{number}' },
}
