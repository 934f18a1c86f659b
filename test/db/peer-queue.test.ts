import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { writeEnvelope } from '#activities/peer-envelope.ts'
import type { Db, Tx } from '#db/database.ts'
import { readWaitingMessages } from '#db/peer-outgoing.ts'
import { fallAsleep, noteDelivered, queuePeerMessages, readBacklog } from '#db/peer-queue.ts'
import { noteUnderstanding } from '#db/peer-understanding.ts'
import { readPeerStanding } from '#db/peer.ts'
import { encodeId } from '#domain/identifier.ts'
import type { PeerMessageKind } from '#domain/peer-message.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { insertPeer } from '#test/support/peer.ts'

let db: Db
let drop: () => Promise<void>
const now = '2026-03-01T00:00:00Z'

before(async () => {
  ;({ db, drop } = await createTestDatabase())
})
after(async () => await drop())

/** A kind that says what was queued. */
const kind = 'greeting' as PeerMessageKind
const greet = async (tx: Tx, peerId: string, ...words: string[]) =>
  await queuePeerMessages(
    tx,
    peerId,
    words.map((word) => ({ kind, subjectId: null, content: { word } })),
  )
const queue = async (peerId: string, ...words: string[]) =>
  await db.transaction().execute(async (tx) => await greet(tx, peerId, ...words))
const pair = async (kinds = [kind]) =>
  await insertPeer(db, { other_version: 2, other_kinds: kinds, role: 'customer' })
const waitingOf = async (peerId: string) =>
  (await readWaitingMessages(db, peerId, 100)).map(({ sequence, content }) => [sequence, content['word']])
const deliver = async (peerId: string, sequences: number[], isNumbered = true) =>
  await noteDelivered(db, peerId, {
    messages: sequences.map((sequence) => ({ sequence, kind })),
    isNumbered,
    now,
  })
const signalsOf = async (peerId: string) => {
  const rows = await db
    .selectFrom('outbox')
    .select('key')
    .where('key', 'like', `peer/${encodeId('peer', peerId)}/%`)
    .execute()
  return rows.length
}

test('messages wait in the order of their causes, numbered without a gap; what was rolled back was never there', async () => {
  const peerId = await pair()
  await queue(peerId, 'one', 'two')
  await assert.rejects(
    db.transaction().execute(async (tx) => {
      await greet(tx, peerId, 'never')
      throw new Error('rolled back')
    }),
    /rolled back/,
  )
  await Promise.all(['a', 'b', 'c'].map(async (word) => await queue(peerId, word)))
  const waiting = await waitingOf(peerId)
  assert.deepEqual(
    waiting.map(([sequence]) => sequence),
    [1, 2, 3, 4, 5],
  )
  assert.deepEqual(
    waiting.slice(0, 2).map(([, word]) => word),
    ['one', 'two'],
  )
})

test('the workflow of a peer is told once that something waits, and again only after it has found nothing', async () => {
  const peerId = await pair()
  await queue(peerId, 'one')
  await queue(peerId, 'two')
  assert.equal(await signalsOf(peerId), 1)
  assert.equal(await fallAsleep(db, peerId), false)
  await readWaitingMessages(db, peerId, 100)
  await deliver(peerId, [1, 2])
  assert.equal(await fallAsleep(db, peerId), true)
  await queue(peerId, 'three')
  assert.equal(await signalsOf(peerId), 2)
})

test('what the other side does not understand waits, holds nothing up, and is sent once it does', async () => {
  const peerId = await pair(['other' as PeerMessageKind])
  await queue(peerId, 'later')
  assert.deepEqual(await waitingOf(peerId), [])
  assert.equal((await readBacklog(db, peerId)).waiting, 0)
  assert.equal(await fallAsleep(db, peerId), true)
  const before = await signalsOf(peerId)
  const understand = async () =>
    await db
      .transaction()
      .execute(async (tx) => await noteUnderstanding(tx, peerId, { version: 2, kinds: [kind], now }))
  await understand()
  await understand()
  assert.equal(await signalsOf(peerId), before + 1)
  assert.deepEqual(await waitingOf(peerId), [[1, 'later']])
})

test('the last that was taken with a number is known; version 1 has none', async () => {
  const peerId = await pair()
  await queue(peerId, 'one', 'two', 'three')
  await readWaitingMessages(db, peerId, 100)
  await deliver(peerId, [1], false)
  assert.equal((await readPeerStanding(db, peerId)).sentSequence, 0)
  await deliver(peerId, [2, 3])
  assert.equal((await readPeerStanding(db, peerId)).sentSequence, 3)
})

test('what is behind messages that are on their way is read by itself, and follows them', async () => {
  const peerId = await pair()
  await queue(peerId, 'one', 'two', 'three')
  const ahead = await readWaitingMessages(db, peerId, 100, 1)
  assert.deepEqual(
    ahead.map(({ sequence }) => sequence),
    [2, 3],
  )
  const { body } = writeEnvelope(await readPeerStanding(db, peerId), ahead, 1)
  assert.equal((JSON.parse(body) as Record<string, unknown>)['after'], 1)
  assert.deepEqual(await waitingOf(peerId), [
    [1, 'one'],
    [2, 'two'],
    [3, 'three'],
  ])
})

test('what was not understood at its time follows the message before it, whatever went over meanwhile', async () => {
  const peerId = await pair()
  await queue(peerId, 'one', 'two', 'three')
  await readWaitingMessages(db, peerId, 100)
  await deliver(peerId, [1, 3])
  const [waiting, peer] = [await readWaitingMessages(db, peerId, 100), await readPeerStanding(db, peerId)]
  const { after, messages } = JSON.parse(writeEnvelope(peer, waiting, peer.sentSequence).body) as Record<
    string,
    unknown
  >
  assert.deepEqual([after, messages], [1, [{ sequence: 2, kind, content: { word: 'two' } }]])
  await deliver(peerId, [2])
  assert.equal((await readPeerStanding(db, peerId)).sentSequence, 3)
})

test('no more is sent at once than one message may hold, and one alone however large it is', async () => {
  const peerId = await pair()
  const [large, small] = ['x'.repeat(4 * 1024 * 1024), 'y']
  await queue(peerId, large, large, small)
  assert.equal((await waitingOf(peerId)).length, 1)
  await deliver(peerId, [1])
  assert.deepEqual(
    (await waitingOf(peerId)).map(([sequence]) => sequence),
    [2, 3],
  )
})

test('what may be sent at once is counted in bytes, of which a character has up to three', async () => {
  const peerId = await pair()
  const large = '請'.repeat(800 * 1024)
  await queue(peerId, large, large, large)
  assert.equal((await waitingOf(peerId)).length, 2)
})

test('what is to be sent is what was sent before, or is not sent', async () => {
  const peerId = await pair()
  await queue(peerId, 'one')
  await db
    .updateTable('peer_messages')
    .set({ sha256: Buffer.alloc(32) })
    .where('peer_id', '=', peerId)
    .execute()
  await assert.rejects(
    readWaitingMessages(db, peerId, 100),
    /message 1, a greeting, is not what was sent before/,
  )
})
