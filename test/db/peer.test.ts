import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test, { after, before } from 'node:test'
import { ensureInstallation } from '#bin/installation.ts'
import type { Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { findPeerKey } from '#db/peer-key.ts'
import { admitMessage } from '#db/peer-signature.ts'
import { acceptPeer, invitePeer, pairPeer, readAcceptedPeer, redeemInvitation } from '#db/peer-pairing.ts'
import { closePeer } from '#db/peer.ts'
import { encodeId } from '#domain/identifier.ts'
import { ownUnderstanding } from '#domain/peer-message.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { insertPeer, insertReseller } from '#test/support/peer.ts'
import { pinPeerKey, signAs, type TestPeerKey } from '#test/support/peer-message.ts'
import { installationKey } from '#test/support/workers.ts'

let db: Db
let drop: () => Promise<void>
const now = new Date().toISOString()
const by = { actor: 'tester', now }

before(async () => {
  ;({ db, drop } = await createTestDatabase())
  await ensureInstallation(db, 'dry-run')
})
after(async () => await drop())

function pairing(different: { installationId?: string; publicKey?: Buffer } = {}) {
  return {
    installationId: newId(),
    otherPeerId: newId(),
    name: 'Upstream',
    url: 'https://upstream.example.com',
    publicKey: randomBytes(32),
    above: [],
    currency: 'USD',
    customer: null,
    understands: ownUnderstanding,
    ...different,
  }
}

async function accept(otherPeerId: string = newId()): Promise<string> {
  const id = newId()
  const peer = { id, role: 'supplier', customerId: null, otherPeerId } as const
  const told = { url: 'https://upstream.example.com', code: 'code' }
  await db
    .transaction()
    .execute(async (tx) => await acceptPeer(tx, { ...peer, ...told }, installationKey, by))
  return id
}

const pair = async (id: string, other: ReturnType<typeof pairing>) =>
  await db.transaction().execute(async (tx) => await pairPeer(tx, id, other, now))

test('a peer that was closed while its answer was awaited stays closed, and asks no more', async () => {
  const id = await accept()
  assert.equal((await readAcceptedPeer(db, installationKey, id)).code, 'code')
  await db.transaction().execute(async (tx) => await closePeer(tx, id, by))
  assert.equal((await readAcceptedPeer(db, installationKey, id)).code, null)
  await assert.rejects(pair(id, pairing()), { code: 'action_not_allowed' })
})

test('an installation is one supplier, and a key is of one peer', async () => {
  const first = pairing()
  await pair(await accept(), first)
  const second = await accept()
  await assert.rejects(pair(second, pairing({ installationId: first.installationId })), {
    code: 'peer_taken',
    message: /^That installation is such a peer here already/,
  })
  await assert.rejects(pair(second, pairing({ publicKey: first.publicKey })), {
    code: 'peer_taken',
    message: /^That key is of a peer here already/,
  })
  const { publicKey: own } = await readAcceptedPeer(db, installationKey, second)
  await assert.rejects(pair(second, pairing({ publicKey: own })), { code: 'peer_taken' })
  await pair(second, pairing())
})

/** Invites for a customer. @returns the invitation's peer */
async function invite(customerId: string, at: string) {
  const peer = { id: newId(), role: 'customer', customerId, codeSha256: randomBytes(32) } as const
  await db
    .transaction()
    .execute(async (tx) => await invitePeer(tx, peer, installationKey, { actor: 'tester', now: at }))
  return peer
}

test('an invitation that has expired stands in the way of no other; one that holds does, and is named', async () => {
  const customerId = await insertReseller(db)
  const [early, late] = ['2026-03-01T10:00:00.000Z', '2026-03-01T10:10:00.000Z']
  const first = await invite(customerId, early)
  await assert.rejects(invite(customerId, '2026-03-01T10:09:59.000Z'), {
    code: 'peer_taken',
    message: `An installation of this customer is invited already, as ${encodeId('peer', first.id)}, until ${late}. Withdraw that invitation first.`,
  })
  const second = await invite(customerId, late)
  const { state, closed_reason: reason } = await db
    .selectFrom('peers')
    .select(['state', 'closed_reason'])
    .where('id', '=', first.id)
    .executeTakeFirstOrThrow()
  assert.deepEqual([state, reason], ['closed', 'Its invitation expired, and another one followed.'])
  const redeem = async ({ id, codeSha256 }: typeof first) =>
    await db.transaction().execute(async (tx) => {
      const asked = { ...pairing(), peerId: id, codeSha256 }
      return await redeemInvitation(tx, asked, { ownInstallationId: newId(), now: late })
    })
  // Who comes with the old one is told what is true of it.
  await assert.rejects(redeem(first), { code: 'invitation_expired' })
  assert.equal(await redeem(second), 'USD')
  await assert.rejects(invite(customerId, '2026-03-02T10:00:00.000Z'), {
    code: 'peer_taken',
    message: `This customer has a peer already, ${encodeId('peer', second.id)}: active. Close that one first.`,
  })
})

test('an invitation is accepted once; whether its peer is closed decides what is to be done', async () => {
  const otherPeerId = newId()
  const id = await accept(otherPeerId)
  const named = `This invitation was accepted here already, as ${encodeId('peer', id)}:`
  await assert.rejects(accept(otherPeerId), {
    code: 'peer_taken',
    message: `${named} accepting. Use that one, or close it.`,
  })
  await db.transaction().execute(async (tx) => await closePeer(tx, id, by))
  await assert.rejects(accept(otherPeerId), {
    code: 'peer_taken',
    message: `${named} closed. Accept another invitation.`,
  })
})

const url = 'https://downstream.example.com/v1/peer-messages'
const body = '{}'

async function admit(key: TestPeerKey, headers: Record<string, string>) {
  const at = new Date().toISOString()
  const pinned = await findPeerKey(db, key.id, at)
  const message = { method: 'POST', url, headers, bytes: Buffer.from(body), now: at }
  await db.transaction().execute(async (tx) => await admitMessage(tx, pinned, message))
}

test('a message is refused before its nonce is forgotten, however long it says that it is good for', async () => {
  const key = await pinPeerKey(db, await insertPeer(db))
  await admit(key, await signAs(key, { url, body, agoS: 500 }))
  for (const times of [
    { agoS: 620 },
    { agoS: 620, lifetimeS: 86_400 },
    { agoS: 620, lifetimeS: 999_999_999_999 },
    { agoS: -320 },
    { agoS: 310, lifetimeS: 1 },
  ])
    await assert.rejects(admit(key, await signAs(key, { url, body, ...times })), {
      code: 'peer_message_expired',
    })
})

test('a message is taken once, and one that was refused leaves no nonce behind', async () => {
  const key = await pinPeerKey(db, await insertPeer(db))
  const headers = await signAs(key, { url, body })
  await assert.rejects(admit(key, { ...headers, 'idempotency-key': 'two' }), {
    code: 'peer_signature_refused',
  })
  await admit(key, headers)
  await assert.rejects(admit(key, headers), { code: 'peer_message_repeated' })
})
