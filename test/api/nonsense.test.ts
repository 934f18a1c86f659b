import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { insertPeer, supplierDocument } from '#test/support/peer.ts'
import { createPeerSender } from '#test/support/peer-sender.ts'

// Texts, days and numbers that no database takes are refused by a code; none of them is a failure of ours.
let api: TestApi
before(async () => {
  api = await createTestApi()
  await api.post('/v1/customers', { code: 'acme', name: 'Acme', currency: 'EUR' })
  await api.post('/v1/suppliers', { code: 'power', name: 'Power', currency: 'EUR' })
})
after(async () => api.close())

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
}

/** What else an address asks for. */
const known: Readonly<Record<string, string>> = { customer: 'acme', supplier: 'power', month: '2026-03' }
const nonsense = [
  'a\0b',
  '0000-01-01',
  '0000-01-01T00:00:00Z',
  '2026-02-30T00:00:00Z|',
  '2026-02-28T00:00:00Z|\0',
  '1e400',
]
/** The same everywhere: they are looked at of one list, and of the feed, which has its own. */
const ofPages: ReadonlySet<string> = new Set(['limit', 'after', 'before'])
const paged: ReadonlySet<string> = new Set(['/v1/peers', '/v1/usage-feed'])

test('no list fails for what stands in its query', async () => {
  const { paths } = (await api.get('/openapi.json')).body as {
    paths: Record<string, { get?: { parameters?: Parameter[] } }>
  }
  const failed: string[] = []
  for (const [path, { get }] of Object.entries(paths)) {
    const asked = (get?.parameters ?? []).filter(
      (parameter) => parameter.in === 'query' && (paged.has(path) || !ofPages.has(parameter.name)),
    )
    if (path.includes('{')) continue
    for (const { name } of asked)
      for (const text of nonsense) {
        const others = asked.filter((other) => other.required && other.name !== name)
        const query = new URLSearchParams(others.map((other) => [other.name, known[other.name] ?? '1']))
        query.set(name, text)
        const { status } = await api.get(`${path}?${query.toString()}`)
        if (status >= 500) failed.push(`${path}?${query.toString()}: ${status}`)
      }
  }
  assert.deepEqual(failed, [])
})

const strange = 'a\0b'
const dataSource = { code: 'shop', kind: 'mysql', host: 'db.example.com', port: 3306, password: 'secret' }
const deployer = { code: 'there', url: 'https://there.example.com', customer: 'us', key: 'ck_1' }
const expected = { supplier: 'power', name: 'Rack' }
const bodies: readonly [path: string, body: object][] = [
  ['/v1/data-sources', { ...dataSource, database: strange, username: 'reader' }],
  ['/v1/data-sources', { ...dataSource, database: 'shop', username: strange }],
  ['/v1/deployers', { ...deployer, customer: strange }],
  ['/v1/deployers', { ...deployer, key: 'ck_1\r\nHost: elsewhere' }],
  ['/v1/refused-usage-events/send-again', { code: strange }],
  ['/v1/refused-usage-events/send-again', { tried_before: '0000-01-01T00:00:00Z' }],
  ['/v1/supplier-subscriptions', { ...expected, begins_on: '0000-01-01' }],
  ['/v1/supplier-payments', { pays: [], paid_on: '0000-01-01' }],
  ['/v1/test-clocks', { name: 'clock', now: '0000-01-01T00:00:00Z' }],
  ['/v1/exchange-rates', { base: 'USD', quote: 'EUR', rate: '1', source: 'ECB', starts_on: '0000-01-01' }],
  [
    '/v1/tax-rates',
    { country: 'DE', category: 'standard', rate_percent: '1', name: 'x', starts_on: '0000-01-01' },
  ],
]
for (const [path, body] of bodies)
  test(`nonsense is refused: ${path} ${JSON.stringify(body)}`, async () => {
    const { status, body: said } = await api.post(path, body)
    assert.equal(status, 422, JSON.stringify(said))
  })

test('a peer that understands what no database keeps is refused, and its documents are of our years', async () => {
  const { post } = await createPeerSender(api, await insertPeer(api.db))
  const send = async (content: object, understands: object) =>
    (
      await post({
        version: 2,
        after: 0,
        understands,
        messages: [{ sequence: 1, kind: 'document', content }],
      })
    ).status
  const fine = { version: 2, kinds: ['document'] }
  for (const understands of [
    { version: 2, kinds: [strange] },
    { version: 3_000_000_000, kinds: ['document'] },
  ])
    assert.equal(await send(supplierDocument(), understands), 422, JSON.stringify(understands))
  assert.equal(await send({ ...supplierDocument(), issued_on: '0000-01-01' }, fine), 422)
  const taxes = supplierDocument().taxes.map((tax) => ({ ...tax, rate_percent: '9'.repeat(30) }))
  const endless = supplierDocument({ taxes })
  assert.equal(await send(endless, fine), 200)
  const { disagreement } = await api.db
    .selectFrom('supplier_invoices')
    .select('disagreement')
    .executeTakeFirstOrThrow()
  assert.match(String(disagreement), /come to/)
})
