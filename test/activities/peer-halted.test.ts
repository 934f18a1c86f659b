import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createPeerActivities } from '#activities/peer.ts'
import { newId } from '#db/identifier.ts'
import { queuePeerMessages } from '#db/peer-queue.ts'
import { noteSilence } from '#db/peer-silence.ts'
import { closePeer, haltPeer, readPeerStanding, resumePeer } from '#db/peer.ts'
import { encodeId } from '#domain/identifier.ts'
import { insertPeer } from '#test/support/peer.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'
import { installationKey } from '#test/support/workers.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const reason = 'It knows of 3 messages of its own, and 5 came from it'
const by = { actor: 'tester', now: '2026-03-01T00:00:00Z' }

/** As a workflow calls it once sending has failed. */
async function tellHalted(peerId: string, code: string) {
  const activities = createPeerActivities({
    db: seller.db,
    installationKey,
    consoleUrl: 'http://127.0.0.1:4400',
  } as Parameters<typeof createPeerActivities>[0])
  await activities.haltPeer({ peerId: encodeId('peer', peerId), code, detail: reason })
  return await readPeerStanding(seller.db, peerId)
}

test('what was halted, and settled before its workflow had told of it, is not halted again', async () => {
  const { db } = seller
  const peerId = await insertPeer(db)
  await db
    .transaction()
    .execute(async (tx) => haltPeer(tx, peerId, { subject: 'A customer has lost what it has sent', reason }))
  await db.transaction().execute(async (tx) => resumePeer(tx, peerId, by))
  assert.equal((await tellHalted(peerId, 'peer_halted')).state, 'active')
  const refused = await tellHalted(peerId, 'peer_refuses')
  assert.deepEqual([refused.state, refused.haltedReason], ['halted', `peer_refuses: ${reason}`])
})

test('of a peer that was closed while something was on its way nobody is told what nobody can settle', async () => {
  const { db } = seller
  const peerId = await insertPeer(db)
  const messages = [{ kind: 'document', subjectId: newId(), content: null }] as const
  await db.transaction().execute(async (tx) => queuePeerMessages(tx, peerId, messages))
  await db.transaction().execute(async (tx) => closePeer(tx, peerId, by))
  assert.equal((await tellHalted(peerId, 'peer_refuses')).state, 'closed')
  const now = new Date(Date.now() + 2 * 60 * 60_000).toISOString()
  await noteSilence(db, { peerId, cause: 'answers 503', advice: 'Wait.', now })
  const tasks = await db
    .selectFrom('tasks')
    .select('kind')
    .where('subject_id', '=', peerId)
    .where('closed_at', 'is', null)
    .execute()
  assert.deepEqual(tasks, [])
})
