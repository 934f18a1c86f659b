import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { encodeId } from '#domain/identifier.ts'
import { usualMessageBytes } from '#domain/peer-message.ts'
import { toldMappingBounds } from '#domain/told-mapping.ts'
import { createTestApi } from '#test/support/api.ts'
import { insertPeer } from '#test/support/peer.ts'
import { createPeerSender, type SentMessage } from '#test/support/peer-sender.ts'

let api: Awaited<ReturnType<typeof createTestApi>>
before(async () => {
  api = await createTestApi()
})
after(async () => api.close())

type Mapping = [product: string, code: string, name: string]

const said = (...mappings: Mapping[]) => ({
  total: mappings.length,
  mappings: mappings.map(([product, code, name]) => ({ product_code: product, category: { code, name } })),
})
const message = (sequence: number, content: object): SentMessage => ({
  sequence,
  kind: 'expense_mappings',
  content,
})
const hosting: Mapping = ['server-l', 'hosting', 'Hosting']

async function pair(different: object = {}) {
  const peerId = await insertPeer(api.db, { role: 'customer', ...different })
  const { send } = await createPeerSender(api, peerId)
  const read = async () => {
    const { body } = await api.get(`/v1/peers/${encodeId('peer', peerId)}`)
    return body['expense_mappings'] as { told_at: string; total: number; mappings: object[] } | null
  }
  return { send, read }
}

test('as what a customer counts our products is kept, and replaced by what it tells later, to nothing at last', async () => {
  const { send, read } = await pair()
  assert.equal(await read(), null)
  const first = said(hosting, ['support', 'help', 'Hilfe & <b>'])
  const taken = await send(0, [message(1, first)])
  assert.deepEqual(taken.body['results'], [{ sequence: 1, outcome: 'stored' }])
  const { told_at: toldAt, ...kept } = (await read()) ?? assert.fail()
  assert.deepEqual(kept, first)
  assert.match(toldAt, /^20\d\d-/)
  assert.equal((await send(1, [message(2, said(hosting)), message(3, said(['a', 'b', 'C']))])).status, 200)
  assert.deepEqual((await read())?.mappings, said(['a', 'b', 'C']).mappings)
  // What comes again is known, and does not bring back what it said.
  const again = await send(0, [message(1, first)])
  assert.deepEqual(again.body['results'], [{ sequence: 1, outcome: 'exists' }])
  assert.deepEqual((await read())?.mappings, said(['a', 'b', 'C']).mappings)
  assert.equal((await send(3, [message(4, said())])).status, 200)
  assert.deepEqual((await read())?.mappings, [])
})

test('what is none, or too much, is refused by its code and changes nothing', async () => {
  const { send, read } = await pair()
  assert.equal((await send(0, [message(1, said(hosting))])).status, 200)
  const many = Array.from({ length: toldMappingBounds.mappings + 1 }, (_, index) => {
    const mapping: Mapping = [`product-${index}`, 'hosting', 'Hosting']
    return mapping
  })
  for (const nonsense of [
    { total: 1, mappings: 'server-l' },
    { ...said(hosting), total: 0 },
    { ...said(hosting), total: -1 },
    { ...said(), total: 1e9 },
    said(hosting, hosting),
    said(['', 'hosting', 'Hosting']),
    said(['x'.repeat(101), 'hosting', 'Hosting']),
    said(['server\u001B[2J', 'hosting', 'Hosting']),
    said(['server-l', 'No Code', 'Hosting']),
    said(['server-l', 'hosting', '']),
    said(['server-l', 'hosting', 'x'.repeat(201)]),
    said(['server-l', 'hosting', 'Host\ning']),
    said(...many),
  ]) {
    const { status, body } = await send(1, [message(2, nonsense)])
    assert.deepEqual([status, body['code']], [422, 'field_invalid'], JSON.stringify(nonsense).slice(0, 200))
  }
  assert.equal((await send(1, [message(2, {})])).body['code'], 'field_required')
  const large = await send(1, [message(2, { ...said(hosting), remark: 'x'.repeat(usualMessageBytes) })])
  assert.deepEqual([large.status, large.body['code']], [413, 'body_too_large'])
  assert.deepEqual((await read())?.mappings, said(hosting).mappings)
})

test('the most that can be told is taken, whatever its characters', async () => {
  const { send, read } = await pair()
  const most = Array.from({ length: toldMappingBounds.mappings }, (_, index) => {
    const mapping: Mapping = [
      `${'請'.repeat(96)}${1_000 + index}`,
      'c'.repeat(60),
      '"'.repeat(100) + '請'.repeat(100),
    ]
    return mapping
  })
  assert.equal((await send(0, [message(1, { ...said(...most), total: 1_234 })])).status, 200)
  assert.deepEqual([(await read())?.total, (await read())?.mappings.length], [1_234, 1_000])
})

test('of a supplier it is refused: what it bills is not counted by it', async () => {
  const { send } = await pair({ role: 'supplier' })
  const turned = await send(0, [message(1, said(hosting))])
  assert.deepEqual([turned.status, turned.body['code']], [422, 'peer_kind_refused'])
})
