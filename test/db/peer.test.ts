import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import test, { after, before } from 'node:test'
import { httpbis } from 'http-message-signatures'
import type { Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { pinKey } from '#db/peer-key.ts'
import { admitMessage } from '#db/peer-signature.ts'
import { acceptPeer, pairPeer, readAcceptedPeer } from '#db/peer-pairing.ts'
import { closePeer } from '#db/peer.ts'
import { ownUnderstanding } from '#domain/peer-message.ts'
import { createTestDatabase } from '#test/support/database.ts'
import { insertPeer } from '#test/support/peer.ts'
import { installationKey } from '#test/support/workers.ts'

let db: Db
let drop: () => Promise<void>
const now = new Date().toISOString()
const by = { actor: 'tester', now }

before(async () => {
  ;({ db, drop } = await createTestDatabase())
})
after(async () => await drop())

function pairing(different: { installationId?: string; publicKey?: Buffer } = {}) {
  return {
    installationId: newId(),
    otherPeerId: newId(),
    name: 'Upstream',
    url: 'https://upstream.example.com',
    publicKey: randomBytes(32),
    currency: 'USD',
    understands: ownUnderstanding,
    ...different,
  }
}

async function accept(): Promise<string> {
  const id = newId()
  const peer = { id, role: 'supplier', customerId: null, otherPeerId: newId() } as const
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
  })
  await assert.rejects(pair(second, pairing({ publicKey: first.publicKey })), { code: 'peer_taken' })
  const { publicKey: own } = await readAcceptedPeer(db, installationKey, second)
  await assert.rejects(pair(second, pairing({ publicKey: own })), { code: 'peer_taken' })
  await pair(second, pairing())
})

const url = 'https://downstream.example.com/v1/peer-messages'
const body = Buffer.from('{}')

/** What a peer signs, made so long ago, good for so long. */
async function signed(peerId: string, { agoS, lifetimeS }: { agoS: number; lifetimeS: number }) {
  const pair = generateKeyPairSync('ed25519')
  const publicKey = pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  await db.transaction().execute(async (tx) => await pinKey(tx, { peerId, publicKey, now }))
  const id = createHash('sha256').update(publicKey).digest('base64url')
  const created = new Date(Date.now() - agoS * 1_000)
  const { headers } = await httpbis.signMessage(
    {
      key: { id, alg: 'ed25519', sign: async (data) => sign(null, data, pair.privateKey) },
      fields: ['@method', '@target-uri', 'content-digest', 'content-type', 'idempotency-key'],
      params: ['created', 'expires', 'nonce', 'keyid', 'alg'],
      paramValues: {
        created,
        expires: new Date(created.getTime() + lifetimeS * 1_000),
        nonce: randomBytes(18).toString('base64url'),
      },
    },
    {
      method: 'POST',
      url,
      headers: {
        'content-type': 'application/json',
        'content-digest': `sha-256=:${createHash('sha256').update(body).digest('base64')}:`,
        'idempotency-key': 'one',
      },
    },
  )
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

const admit = async (peerId: string, headers: Record<string, string>) =>
  await db
    .transaction()
    .execute(async (tx) => await admitMessage(tx, { peerId, url, headers, bytes: body, now }))

test('a message is refused before its nonce is forgotten, however long it says that it is good for', async () => {
  const peerId = await insertPeer(db)
  await admit(peerId, await signed(peerId, { agoS: 500, lifetimeS: 300 }))
  for (const times of [
    { agoS: 620, lifetimeS: 300 },
    { agoS: 620, lifetimeS: 86_400 },
    { agoS: -320, lifetimeS: 300 },
  ])
    await assert.rejects(admit(peerId, await signed(peerId, times)), { code: 'peer_message_expired' })
})

test('a message is of the peer whose key it is signed by, and of no other', async () => {
  const [one, other] = [await insertPeer(db), await insertPeer(db)]
  const headers = await signed(one, { agoS: 0, lifetimeS: 300 })
  for (const peerId of [other, newId()])
    await assert.rejects(admit(peerId, headers), { code: 'peer_signature_refused' })
  await admit(one, headers)
  await assert.rejects(admit(one, headers), { code: 'peer_message_repeated' })
})
