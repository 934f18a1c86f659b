import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import type { Db, Tx } from '#db/database.ts'
import { findPeerKey, isPinned, makeOwnKey, openNextSigner, openSigner, pinKey } from '#db/peer-key.ts'
import { pinKeyByHand, revokeKey, rotateKey } from '#db/peer-key-rotation.ts'
import { takeNextKey } from '#db/peer-next-key.ts'
import { noteDelivered } from '#db/peer-queue.ts'
import { closePeer, haltPeer } from '#db/peer.ts'
import { getPeer } from '#db/read/peer.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { insertPeer } from '#test/support/peer.ts'
import { makePeerKey } from '#test/support/peer-message.ts'
import { installationKey } from '#test/support/workers.ts'

let db: Db
let drop: () => Promise<void>
before(async () => {
  ;({ db, drop } = await createTestDatabase())
})
after(async () => await drop())

const now = '2026-03-01T12:00:00.000Z'
const by = { actor: 'tester', now }
const inTransaction = async <T>(work: (tx: Tx) => Promise<T>) => await db.transaction().execute(work)

/** Paired: a key of each side. */
async function pairedPeer(different: Parameters<typeof insertPeer>[1] = {}) {
  const id = await insertPeer(db, different)
  const theirs = makePeerKey()
  const ours = await inTransaction(async (tx) => {
    await pinKey(tx, { peerId: id, publicKey: theirs.publicKey, now: '2026-01-01T00:00:00.000Z' })
    return await makeOwnKey(tx, installationKey, { peerId: id, now: '2026-01-01T00:00:00.000Z' })
  })
  return { id, ours, theirs }
}

const signing = async (id: string) => (await openSigner(db, installationKey, id)).keyId
const rotate = async (id: string) =>
  await inTransaction(async (tx) => await rotateKey(tx, installationKey, id, by))
const revoke = async (id: string, fingerprint: string) =>
  await inTransaction(async (tx) => await revokeKey(tx, installationKey, { peerId: id, fingerprint }, by))
const pin = async (id: string, publicKey: Buffer) =>
  await inTransaction(async (tx) => await pinKeyByHand(tx, id, publicKey, by))
const refusal = { code: 'action_not_allowed' }

test('the next key is told behind all that waits and signs once it was taken; until then there is no other one', async () => {
  const { id, ours } = await pairedPeer()
  await rotate(id)
  const [message] = await db.selectFrom('peer_messages').selectAll().where('peer_id', '=', id).execute()
  const next = await openNextSigner(db, installationKey, id)
  const told = (await getPeer(db, id)).keys.find(({ fingerprint }) => fingerprint === next?.keyId)
  assert.deepEqual(
    [message?.kind, message?.content],
    ['key', { public_key: Buffer.from(told?.key ?? '', 'base64').toString('base64url') }],
  )
  assert.deepEqual([told?.side, told?.since, await signing(id)], ['ours', null, ours.id])
  await assert.rejects(rotate(id), refusal)
  await db
    .updateTable('peer_messages')
    .set({ sha256: Buffer.alloc(32) })
    .where('peer_id', '=', id)
    .execute()
  await noteDelivered(db, id, { messages: [{ sequence: 1, kind: 'key' }], isNumbered: true, now })
  assert.equal(await signing(id), next?.keyId)
  const { keys, own_key: shown } = await getPeer(db, id)
  assert.equal(shown, next?.keyId)
  assert.deepEqual(
    keys.filter(({ side }) => side === 'ours').map(({ since, until }) => [since, until]),
    [
      [now, null],
      ['2026-01-01T00:00:00.000Z', '2026-03-02T12:00:00.000Z'],
    ],
  )
  await rotate(id)
})

test('of the other side both keys are understood for 24 hours, then the old one is refused', async () => {
  const { id, theirs } = await pairedPeer()
  const next = makePeerKey()
  const take = async () =>
    await inTransaction(
      async (tx) => await takeNextKey(tx, { peerId: id, publicKey: next.publicKey, now, actor: null }),
    )
  assert.equal(await take(), 'stored')
  assert.equal(await take(), 'exists')
  const holds = async (key: string, at: string) => (await findPeerKey(db, key, at))?.holds
  for (const [at, isOldUnderstood] of [
    [now, true],
    ['2026-03-02T11:59:59.999Z', true],
    ['2026-03-02T12:00:00.000Z', false],
  ] as const) {
    assert.equal(await holds(theirs.id, at), isOldUnderstood, at)
    assert.equal(await holds(next.id, at), true)
  }
  // Taken again much later, it does not give the old one another day.
  await take()
  assert.equal(await holds(theirs.id, '2026-03-02T12:00:00.000Z'), false)
})

test('a key of another peer, or our own, is nobody’s next one', async () => {
  const [one, other] = [await pairedPeer(), await pairedPeer()]
  for (const publicKey of [other.theirs.publicKey, one.ours.publicKey]) {
    const taken = await inTransaction(
      async (tx) => await takeNextKey(tx, { peerId: one.id, publicKey, now, actor: null }),
    )
    assert.equal(taken, 'foreign')
    await assert.rejects(pin(one.id, publicKey), refusal)
  }
  assert.equal((await getPeer(db, one.id)).keys.length, 2)
})

test('a revoked key of the other side is refused at once and for ever; a person pins another one', async () => {
  const { id, theirs } = await pairedPeer()
  await revoke(id, theirs.id)
  assert.equal((await findPeerKey(db, theirs.id, now))?.holds, false)
  await assert.rejects(revoke(id, theirs.id), refusal)
  await assert.rejects(pin(id, theirs.publicKey), refusal)
  const next = makePeerKey()
  await pin(id, next.publicKey)
  assert.equal((await findPeerKey(db, next.id, now))?.holds, true)
  assert.equal(await inTransaction(async (tx) => await isPinned(tx, id, theirs.publicKey)), true)
  const { keys, other_key: shown } = await getPeer(db, id)
  assert.equal(shown, next.id)
  assert.equal(keys.find(({ fingerprint }) => fingerprint === theirs.id)?.revoked_at, now)
})

test('in place of a revoked key of ours another one signs at once, which the other side is not told by any message', async () => {
  const { id, ours } = await pairedPeer()
  await revoke(id, ours.id)
  const next = await signing(id)
  assert.notEqual(next, ours.id)
  assert.deepEqual(await db.selectFrom('peer_messages').selectAll().where('peer_id', '=', id).execute(), [])
  // One that was told already takes its place.
  await rotate(id)
  const told = await openNextSigner(db, installationKey, id)
  await assert.rejects(revoke(id, told?.keyId ?? ''), refusal)
  await revoke(id, next)
  assert.equal(await signing(id), told?.keyId)
})

test('an old key that is still understood is revoked without another one being made', async () => {
  const { id, ours } = await pairedPeer()
  await rotate(id)
  await db
    .updateTable('peer_messages')
    .set({ sha256: Buffer.alloc(32) })
    .where('peer_id', '=', id)
    .execute()
  await noteDelivered(db, id, { messages: [{ sequence: 1, kind: 'key' }], isNumbered: true, now })
  const next = await signing(id)
  await revoke(id, ours.id)
  assert.deepEqual([await signing(id), (await getPeer(db, id)).keys.length], [next, 3])
})

test('keys of a halted peer are changed, of a closed one they are all revoked and stay to be seen', async () => {
  const { id, theirs } = await pairedPeer()
  await inTransaction(async (tx) => await haltPeer(tx, id, { subject: 'Halted', reason: 'for a test' }))
  await rotate(id)
  await inTransaction(async (tx) => await closePeer(tx, id, by))
  const { keys } = await getPeer(db, id)
  assert.deepEqual(
    keys.map(({ revoked_at: revokedAt }) => revokedAt),
    [now, now, now],
  )
  await assert.rejects(rotate(id), refusal)
  await assert.rejects(pin(id, makePeerKey().publicKey), refusal)
  await assert.rejects(revoke(id, theirs.id), refusal)
  await assert.rejects(openSigner(db, installationKey, id))
})

test('a fingerprint that is of no key of the peer, or not all of one, is not found', async () => {
  const [one, other] = [await pairedPeer(), await pairedPeer()]
  for (const fingerprint of [other.theirs.id, one.theirs.id.slice(0, 16)])
    await assert.rejects(revoke(one.id, fingerprint), { code: 'not_found' })
})
