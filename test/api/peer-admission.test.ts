import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import test, { after, before } from 'node:test'
import type { Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { findPeerKey } from '#db/peer-key.ts'
import { closePeer } from '#db/peer.ts'
import { getInstallation } from '#db/read/installation.ts'
import { encodeId } from '#domain/identifier.ts'
import { peerPaths } from '#domain/peer-message.ts'
import { createTestApi, type Reply, type TestApi } from '#test/support/api.ts'
import { insertPeer, supplierDocument } from '#test/support/peer.ts'
import {
  makePeerKey,
  pinPeerKey,
  signAs,
  signedFields,
  signedParams,
  type TestPeerKey,
  type TestSigning,
} from '#test/support/peer-message.ts'

let api: TestApi
let db: Db
let audience = ''
/** What time it is over here. */
let now = () => new Date().toISOString()

before(async () => {
  api = await createTestApi({ now: () => now() })
  ;({ db } = api)
  audience = encodeId('installation', (await getInstallation(db)).id)
})
after(async () => await api.close())

const path = peerPaths.firstMessages

interface Supplier {
  readonly id: string
  readonly peer: string
  readonly key: TestPeerKey
}

async function supplier(different: Parameters<typeof insertPeer>[1] = {}): Promise<Supplier> {
  const id = await insertPeer(db, different)
  return { id, peer: encodeId('peer', id), key: await pinPeerKey(db, id) }
}

let count = 0
const bodyOf = (peer: string, different: object = {}): string =>
  JSON.stringify({
    version: 1,
    peer,
    audience,
    documents: [supplierDocument({ document: encodeId('invoice', newId()), number: `UP-${(count += 1)}` })],
    ...different,
  })

async function send(headers: Record<string, string>, body: string): Promise<Reply> {
  const response = await api.request(path, { method: 'POST', headers, body })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Reply['body'],
  }
}

const sign = async (key: TestPeerKey, body: string, of: Partial<TestSigning> = {}) =>
  await signAs(key, { url: `${api.publicUrl}${path}`, body, ...of })

const saidOf = ({ status, body }: Reply) => [status, body['code']]

/** All that a message could leave, but the count of what was refused. */
async function left(of: Supplier) {
  const [invoices, nonces, peer] = await Promise.all([
    db.selectFrom('supplier_invoices').selectAll().where('peer_id', '=', of.id).execute(),
    db.selectFrom('peer_nonces').selectAll().where('peer_id', '=', of.id).execute(),
    db.selectFrom('peers').selectAll().where('id', '=', of.id).execute(),
  ])
  return { invoices, nonces, peer }
}

const refusalsOf = async (peerId: string | null) =>
  await db
    .selectFrom('peer_refusals')
    .select(['code', 'count'])
    .where('peer_id', peerId === null ? 'is' : '=', peerId)
    .orderBy('code')
    .execute()

const tasksOf = async (of: Supplier) =>
  await db.selectFrom('tasks').selectAll().where('subject_id', '=', of.id).orderBy('created_at').execute()

const refused = [401, 'peer_signature_refused']

/** Another character in place of the one that stands there. */
const flip = (text: string, at: number) =>
  `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`

test('one byte changed in the body or in anything that is signed is refused, and leaves nothing (G-05 F52)', async () => {
  const from = await supplier()
  const body = bodyOf(from.peer)
  const headers = await sign(from.key, body)
  const before = await left(from)
  for (const at of [0, 1, 20, Math.floor(body.length / 2), body.length - 1])
    assert.deepEqual(saidOf(await send(headers, flip(body, at))), refused, `body, ${at}`)
  for (const name of ['content-digest', 'content-type', 'idempotency-key', 'signature-input', 'signature'])
    for (const part of [0, 0.3, 0.5, 0.8]) {
      const text = headers[name] ?? ''
      const changed = flip(text, Math.floor(text.length * part))
      assert.deepEqual(
        saidOf(await send({ ...headers, [name]: changed }, body)),
        refused,
        `${name}: ${changed}`,
      )
    }
  // Its digest is right, and its signature is of another one.
  const other = flip(body, body.length - 30)
  const digest = `sha-256=:${createHash('sha256').update(other).digest('base64')}:`
  assert.deepEqual(saidOf(await send({ ...headers, 'content-digest': digest }, other)), refused)
  for (const elsewhere of [{ url: `https://other.example${path}` }, { method: 'PUT' }])
    assert.deepEqual(saidOf(await send(await sign(from.key, body, elsewhere), body)), refused)
  assert.deepEqual(await left(from), before)
  assert.deepEqual(saidOf(await send(headers, body)), [200, undefined])
})

test('each part that a signature must be over is missed, and so is a second signature', async () => {
  const from = await supplier()
  const body = bodyOf(from.peer)
  for (const field of signedFields) {
    const fields = signedFields.filter((one) => one !== field)
    assert.deepEqual(saidOf(await send(await sign(from.key, body, { fields }), body)), refused, field)
  }
  for (const param of signedParams) {
    const params = signedParams.filter((one) => one !== param)
    assert.deepEqual(saidOf(await send(await sign(from.key, body, { params }), body)), refused, param)
  }
  for (const nonce of ['short', 'n'.repeat(101)])
    assert.deepEqual(saidOf(await send(await sign(from.key, body, { nonce }), body)), refused, nonce)
  const headers = await sign(from.key, body)
  for (const name of ['signature', 'signature-input', 'content-digest'])
    for (const text of [`${headers[name]}, ${headers[name]}`, ''])
      assert.deepEqual(saidOf(await send({ ...headers, [name]: text }, body)), refused, name)
  assert.deepEqual((await left(from)).nonces, [])
})

test('a message is of the peer whose key it is signed by: with another one it is refused, whoever it says it is', async () => {
  const [one, other] = [await supplier(), await supplier({ name: 'Other' })]
  for (const key of [other.key, makePeerKey()]) {
    const body = bodyOf(one.peer)
    assert.deepEqual(saidOf(await send(await sign(key, body), body)), refused)
  }
  // Whether there is such a peer is told to nobody.
  const body = bodyOf(encodeId('peer', newId()))
  assert.deepEqual(saidOf(await send(await sign(makePeerKey(), body), body)), refused)
  assert.deepEqual((await left(one)).invoices, [])
  // It stands with the peer that is spoken for, or whose key it is; what is of nobody is counted.
  assert.deepEqual(await refusalsOf(one.id), [{ code: 'peer_signature_refused', count: 1 }])
  assert.deepEqual(await refusalsOf(other.id), [{ code: 'peer_signature_refused', count: 1 }])
  assert.deepEqual(await refusalsOf(null), [{ code: 'peer_signature_refused', count: 1 }])
})

test('a signature is checked before the time, the time before the nonce, and this before what is said', async () => {
  const from = await supplier()
  const old = { agoS: 700 }
  const body = bodyOf(from.peer, { audience: 'nobody', version: 99, documents: 1 })
  assert.deepEqual(saidOf(await send(await sign(makePeerKey(), body, old), body)), refused)
  assert.deepEqual(saidOf(await send(await sign(from.key, body, old), body)), [401, 'peer_message_expired'])
  const nonce = randomBytes(18).toString('base64url')
  const right = bodyOf(from.peer)
  assert.deepEqual(saidOf(await send(await sign(from.key, right, { nonce }), right)), [200, undefined])
  const again = await send(await sign(from.key, body, { nonce }), body)
  assert.deepEqual(saidOf(again), [401, 'peer_message_repeated'])
  assert.deepEqual(saidOf(await send(await sign(from.key, body), body)), [422, 'peer_audience_wrong'])
  const newer = bodyOf(from.peer, { version: 99, documents: 1 })
  assert.deepEqual(saidOf(await send(await sign(from.key, newer), newer)), [422, 'peer_version_unknown'])
  const odd = bodyOf(from.peer, { documents: 1 })
  assert.deepEqual(saidOf(await send(await sign(from.key, odd), odd)), [422, 'field_invalid'])
  const large = ' '.repeat(16 * 1024 * 1024 + 1)
  assert.deepEqual(saidOf(await send(await sign(from.key, right), large)), [413, 'body_too_large'])
  assert.deepEqual(saidOf(await send(await sign(from.key, '{'), '{')), [400, 'json_malformed'])
})

test('many refusals of one cause are one task and one event, with their number; it is over an hour after the last', async () => {
  const from = await supplier({ name: 'Flooding' })
  const body = bodyOf(from.peer)
  const headers = await sign(from.key, body)
  for (let index = 0; index < 25; index += 1)
    assert.deepEqual(saidOf(await send(headers, `${body} `)), refused)
  const [task, ...more] = await tasksOf(from)
  assert.deepEqual([task?.kind, more], ['peer_message_refused', []])
  assert.match(task?.detail ?? '', /peer_signature_refused \(10 today\)/)
  assert.deepEqual(await refusalsOf(from.id), [{ code: 'peer_signature_refused', count: 25 }])
  const events = await db
    .selectFrom('events')
    .select('data')
    .where('kind', '=', 'peer.message_refused')
    .execute()
  assert.equal(events.filter(({ data }) => JSON.stringify(data).includes('Flooding')).length, 1)
  await send(await sign(from.key, body), body)
  assert.equal((await tasksOf(from))[0]?.closed_at, null)
  const later = 61 * 60_000
  now = () => new Date(Date.now() + later).toISOString()
  const next = bodyOf(from.peer)
  assert.deepEqual(saidOf(await send(await sign(from.key, next, { agoS: -later / 1_000 }), next)), [
    200,
    undefined,
  ])
  now = () => new Date().toISOString()
  assert.notEqual((await tasksOf(from))[0]?.closed_at, null)
})

test('clocks ten minutes apart: refused, with what time it is here', async () => {
  const from = await supplier()
  now = () => new Date(Date.now() - 600_000).toISOString()
  const body = bodyOf(from.peer)
  const reply = await send(await sign(from.key, body), body)
  assert.deepEqual(saidOf(reply), [401, 'peer_message_expired'])
  assert.match(String(reply.body['detail']), /it is 20\d\d-\d\d-\d\dT\S+Z here/)
  const there = Date.parse(reply.headers.get('date') ?? '')
  assert.ok(Math.abs(Date.now() - 600_000 - there) < 60_000)
  now = () => new Date().toISOString()
  assert.deepEqual(saidOf(await send(await sign(from.key, body), body)), [200, undefined])
})

test('a key that was revoked is refused from the next message on, and all are when a peer is closed', async () => {
  const from = await supplier()
  const body = bodyOf(from.peer)
  assert.deepEqual(saidOf(await send(await sign(from.key, body), body)), [200, undefined])
  await db.transaction().execute(async (tx) => await closePeer(tx, from.id, { actor: 'tester', now: now() }))
  assert.deepEqual(saidOf(await send(await sign(from.key, body), body)), refused)
  assert.equal((await findPeerKey(db, from.key.id, now()))?.holds, false)
  // It is counted, and nobody has to do anything about it.
  assert.deepEqual(await refusalsOf(from.id), [{ code: 'peer_signature_refused', count: 1 }])
  assert.deepEqual(await tasksOf(from), [])
})

test('who comes too fast is told when to come again, and others are not kept out by that', async () => {
  const from = await supplier()
  const body = bodyOf(from.peer)
  const headers = await sign(from.key, body)
  const asked = await Promise.all(Array.from({ length: 400 }, async () => await send(headers, '{}')))
  const late = asked.filter(({ status }) => status === 429)
  assert.ok(late.length > 0 && asked.length - late.length >= 100)
  assert.deepEqual(saidOf(late[0] ?? assert.fail()), [429, 'too_many_requests'])
  for (const { headers: said } of late) assert.match(said.get('retry-after') ?? '', /^[1-9]\d*$/)
  const other = await supplier()
  const right = bodyOf(other.peer)
  assert.deepEqual(saidOf(await send(await sign(other.key, right), right)), [200, undefined])
})

test('whom a message of a stranger is for is seen by how it begins; the rest is not read', async () => {
  const from = await supplier()
  const body = bodyOf(from.peer).slice(0, -1)
  assert.deepEqual(saidOf(await send(await sign(makePeerKey(), body), body)), refused)
  assert.deepEqual(await refusalsOf(from.id), [{ code: 'peer_signature_refused', count: 1 }])
})

test('strangers come at one pace together, and a peer that is known comes in beside them', async () => {
  const known = await supplier()
  const nobody = makePeerKey()
  const body = bodyOf(known.peer)
  const headers = await sign(nobody, body)
  const asked = await Promise.all(Array.from({ length: 200 }, async () => await send(headers, body)))
  assert.ok(asked.some(({ status }) => status === 429))
  assert.deepEqual(saidOf(await send(await sign(known.key, body), body)), [200, undefined])
})

test('of one peer so many messages a second are taken', async () => {
  const paced = await createTestApi({ peerMessagesPerSecond: 1 })
  try {
    const id = await insertPeer(paced.db)
    const key = await pinPeerKey(paced.db, id)
    const { id: installation } = await getInstallation(paced.db)
    const documents = Array.from({ length: 60 }, (_, index) =>
      supplierDocument({ document: encodeId('invoice', newId()), number: `UP-${index}` }),
    )
    const body = bodyOf(encodeId('peer', id), { audience: encodeId('installation', installation), documents })
    const ask = async () => {
      const headers = await signAs(key, { url: `${paced.publicUrl}${path}`, body })
      return await paced.request(path, { method: 'POST', headers, body })
    }
    assert.equal((await ask()).status, 200)
    const second = await ask()
    assert.equal(second.status, 429)
    assert.ok(Number(second.headers.get('retry-after')) >= 10)
  } finally {
    await paced.close()
  }
})
