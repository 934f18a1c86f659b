import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test, { after, before } from 'node:test'
import { pinKey } from '#db/peer-key.ts'
import { decodeId } from '#domain/identifier.ts'
import { peerVersion } from '#domain/peer-message.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { insertPeer, supplierDocument } from '#test/support/peer.ts'
import { createPeerSender } from '#test/support/peer-sender.ts'

interface Recorded {
  readonly at: string
  readonly publicKey: string
  readonly peer: string
  readonly installation: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

let recorded: Recorded
let api: TestApi
let now = () => recorded.at
before(async () => {
  const file = new URL('peer-message-version-1.json', import.meta.url)
  recorded = JSON.parse(await readFile(file, 'utf8')) as Recorded
  api = await createTestApi({ now: () => now(), publicUrl: new URL(recorded.url).origin })
  await api.db
    .updateTable('installation')
    .set({ id: decodeId('installation', recorded.installation) })
    .execute()
})
after(async () => await api.close())

const contents = async (peerId: string) =>
  (
    await api.db
      .selectFrom('supplier_invoices')
      .select('content')
      .where('peer_id', '=', peerId)
      .orderBy('number')
      .execute()
  ).map(({ content }) => content)

test('a message of version 1 is understood as it was recorded; what is not known of it is kept (G-19 F56)', async () => {
  const peerId = decodeId('peer', recorded.peer)
  await insertPeer(api.db, { id: peerId })
  const publicKey = Buffer.from(recorded.publicKey, 'base64url')
  await api.db.transaction().execute(async (tx) => await pinKey(tx, { peerId, publicKey, now: recorded.at }))
  const { headers, body } = recorded
  const { pathname } = new URL(recorded.url)
  const response = await api.request(pathname, { method: 'POST', headers, body })
  const said = JSON.parse(body) as { documents: { document: string; remark: string }[] }
  const [document] = said.documents
  assert.ok(document)
  assert.equal(response.status, 200)
  const { results } = (await response.json()) as { results: unknown }
  assert.deepEqual(results, [{ document: document.document, outcome: 'stored' }])
  assert.equal(document.remark, 'A field of tomorrow.')
  assert.deepEqual(await contents(peerId), [document])
})

test('of version 2 what is not known is ignored where it is said of all, and kept where it is of a document', async () => {
  now = () => new Date().toISOString()
  const peerId = await insertPeer(api.db)
  const { post } = await createPeerSender(api, peerId)
  const content = { ...supplierDocument(), remark: 'A field of tomorrow.' }
  const { status } = await post({
    version: peerVersion,
    after: 0,
    weather: 'fair',
    messages: [{ sequence: 1, kind: 'document', content, priority: 'high' }],
  })
  assert.equal(status, 200)
  assert.deepEqual(await contents(peerId), [content])
})

test('a supplier of before there was a kind for it is told of no mapping, takes part as it did, and is told once it knows it', async () => {
  const peerId = await insertPeer(api.db, { other_version: 2, other_kinds: ['document'] })
  const { post } = await createPeerSender(api, peerId)
  const say = async (sequence: number, ...kinds: string[]) => {
    const content = supplierDocument({
      document: `inv_01kb000000000000000000009${sequence}`,
      number: `OLD-${sequence}`,
    })
    const messages = [{ sequence, kind: 'document', content }]
    const understands = { version: peerVersion, kinds }
    return (await post({ version: peerVersion, after: sequence - 1, understands, messages })).status
  }
  const waiting = async () =>
    (
      await api.db
        .selectFrom('peer_messages')
        .select('content')
        .where('peer_id', '=', peerId)
        .where('kind', '=', 'expense_mappings')
        .execute()
    ).map(({ content }) => content)
  assert.equal(await say(1, 'document', 'file', 'standing'), 200)
  const supplier = await api.db
    .selectFrom('suppliers')
    .select('code')
    .where('peer_id', '=', peerId)
    .executeTakeFirstOrThrow()
  await api.post('/v1/expense-categories', { code: 'hosting', name: 'Hosting' })
  const mapping = { product_code: 'server-l', category: 'hosting' }
  const { status } = await api.put(`/v1/suppliers/${supplier.code}/expense-mappings`, mapping)
  assert.deepEqual([status, await waiting()], [200, []])
  assert.equal(await say(2, 'document', 'file', 'standing'), 200)
  assert.deepEqual(await waiting(), [])
  assert.equal(await say(3, 'document', 'file', 'standing', 'expense_mappings'), 200)
  const category = { code: 'hosting', name: 'Hosting' }
  assert.deepEqual(await waiting(), [{ total: 1, mappings: [{ product_code: 'server-l', category }] }])
})

test('a version that is newer than known is refused, and an operator has one task', async () => {
  const peerId = await insertPeer(api.db)
  const { post } = await createPeerSender(api, peerId)
  for (let index = 0; index < 3; index += 1) {
    const { status, body } = await post({ version: peerVersion + 1, after: 0, messages: 'in another way' })
    assert.deepEqual([status, body['code']], [422, 'peer_version_unknown'])
    assert.match(String(body['detail']), new RegExp(`up to ${peerVersion} are`))
  }
  const tasks = await api.db
    .selectFrom('tasks')
    .select(['kind', 'detail'])
    .where('subject_id', '=', peerId)
    .execute()
  assert.deepEqual(
    tasks.map(({ kind }) => kind),
    ['peer_message_refused'],
  )
  assert.match(tasks[0]?.detail ?? '', /peer_version_unknown/)
})
