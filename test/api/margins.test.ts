import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { encodeId, decodeId } from '#domain/identifier.ts'
import { createTestConsole, type TestConsole } from '#test/pages/console.ts'
import { sectionText } from '#test/pages/text.ts'
import { insertPeer, receiveDocument, supplierDocument } from '#test/support/peer.ts'
import { activate } from '#test/support/seller.ts'

type Json = Record<string, unknown>
type Money = { amount_minor: number }

const compose = `
services:
  web:
    image: web:1
    expose: ['8069']
x-clouder:
  title: Web
  public: { service: web, port: 8069 }
`
const now = '2026-03-01T09:00:00.000Z'
const month = '2026-03'

/** Its routes and its pages. A server S with eight instances that earn 12.00 each, and a line of 40.00 for it. */
let api: TestConsole
let supplier = ''
before(async () => {
  api = await createTestConsole({ now: () => now })
  await api.db.updateTable('installation').set({ time_zone: 'UTC', currency: 'USD' }).execute()
  const made = [
    await api.post('/v1/applications', { code: 'web', compose }),
    await api.post('/v1/customers', { code: 'acme', name: 'Acme', time_zone: 'UTC', currency: 'USD' }),
    await api.post('/v1/products', {
      code: 'site',
      name: 'Site',
      billing_type: 'flat',
      billing_timing: 'advance',
      unit: 'piece',
      recurrence: { count: 1, unit: 'month' },
      base_price: '12.00',
      currency: 'USD',
      applications: ['web'],
    }),
  ]
  for (const { status, body } of made) assert.ok(status < 300, JSON.stringify(body))
  for (let index = 0; index < 8; index += 1) await sell()
  await api.db.updateTable('reservations').set({ reserved_at: now }).execute()
  const peerId = await insertPeer(api.db)
  const [line] = supplierDocument().lines
  assert.ok(line)
  const server = { ...line, description: 'Server S', product_code: 'server-s', subscription: 'sub_up' }
  const lines = [
    { ...server, amount_minor: 4_000, tax_minor: 800 },
    { ...line, description: 'Advice', amount_minor: 500, tax_minor: 100, service_period: null },
  ]
  const taxes = [{ ...supplierDocument().taxes[0], base_minor: 4_500, tax_minor: 900 }]
  const sums = { net_minor: 4_500, tax_minor: 900, total_minor: 5_400 }
  await receiveDocument(api.db, peerId, supplierDocument({ ...sums, lines, taxes: taxes as never }))
  const row = await api.db.selectFrom('suppliers').select('id').executeTakeFirstOrThrow()
  supplier = encodeId('supplier', row.id)
})
after(async () => api.close())

async function sell(): Promise<void> {
  const { status, body } = await api.post('/v1/orders', {
    customer: 'acme',
    lines: [{ product: 'site', quantity: 1 }],
  })
  assert.equal(status, 201, JSON.stringify(body))
  const [subscription] = body['subscriptions'] as { id: string }[]
  await activate(api.db, decodeId('subscription', subscription?.id ?? ''), now)
}

async function read(by: string): Promise<Json> {
  const headers = { authorization: `Bearer ${api.key}` }
  return (await (await api.request(`/v1/margins?month=${month}&by=${by}`, { headers })).json()) as Json
}

const amountsOf = (row: Json) =>
  ['revenue', 'cost', 'margin'].map((name) => (row[name] as Money).amount_minor)

test('before anybody says what it pays for, a line is a cost that is matched to nothing', async () => {
  const body = await read('product')
  assert.deepEqual((body['margins'] as Json[]).map(amountsOf), [[9_600, 0, 9_600]])
  assert.deepEqual(
    (body['unmatched'] as Json[]).map((line) => line['description']),
    ['Server S', 'Advice'],
  )
  assert.deepEqual((body['totals'] as Json[]).map(amountsOf), [[9_600, 4_500, 5_100]])
})

test('a server of 40.00 whose eight instances earn 96.00 has a margin of 56.00, spread by capacity (G-12)', async () => {
  const rule = { product_code: 'server-s', pays_for: { server: 'local' } }
  const { status, body } = await api.put(`/v1/suppliers/${supplier}/cost-rules`, rule)
  assert.equal(status, 200, JSON.stringify(body))
  for (const by of ['product', 'customer']) {
    const [row] = (await read(by))['margins'] as Json[]
    assert.deepEqual(
      [row?.['name'], ...amountsOf(row ?? {})],
      [by === 'product' ? 'Site' : 'Acme', 9_600, 4_000, 5_600],
    )
  }
  const each = ((await read('subscription'))['margins'] as Json[]).map(amountsOf)
  assert.deepEqual(
    each,
    Array.from({ length: 8 }, () => [1_200, 500, 700]),
  )
})

test('what takes more of the server bears more of it; of the month alone in which it did', async () => {
  const { instance_id: id } = await api.db
    .selectFrom('reservations')
    .select('instance_id')
    .orderBy('instance_id')
    .limit(1)
    .executeTakeFirstOrThrow()
  const { memory_mib: memory } = await api.db
    .selectFrom('reservations')
    .select('memory_mib')
    .where('instance_id', '=', id)
    .executeTakeFirstOrThrow()
  await api.db
    .updateTable('reservations')
    .set({ memory_mib: memory * 3 })
    .where('instance_id', '=', id)
    .execute()
  const costs = ((await read('subscription'))['margins'] as Json[]).map(
    (row) => (row['cost'] as Money).amount_minor,
  )
  assert.equal(
    costs.reduce((sum, cost) => sum + cost, 0),
    4_000,
  )
  assert.deepEqual(
    costs.toSorted((one, other) => other - one),
    [1_200, ...Array.from({ length: 7 }, () => 400)],
  )
})

test('a rule is set where the line is seen, for what there is', async () => {
  const page = `/margins?month=${month}`
  const form = { kind: 'server', what: 'nowhere' }
  const refused = await api.submit(page, '/margins/rules', form)
  assert.equal(refused.status, 422)
  assert.match(sectionText(refused.html, 'unmatched'), /There is no server nowhere/)
  assert.equal((await api.submit(page, '/margins/rules', { kind: 'product', what: 'site' })).status, 303)
  const { html } = await api.get(page)
  assert.match(sectionText(html, 'margins'), /Site 96\.00 USD 45\.00 USD 51\.00 USD/)
  assert.match(sectionText(html, 'unmatched'), /Every line of the month pays for something/)
  const taken = await api.put(`/v1/suppliers/${supplier}/cost-rules`, {
    description: 'Advice',
    pays_for: null,
  })
  assert.equal((taken.body['cost_rules'] as Json[]).length, 1)
})

test('a rule names one thing by one name', async () => {
  for (const [body, code] of [
    [{ product_code: 'a', description: 'b', pays_for: { server: 'local' } }, 'field_invalid'],
    [{ product_code: 'a', pays_for: { server: 'local', product: 'site' } }, 'field_invalid'],
    [{ product_code: 'a', pays_for: { product: 'nothing' } }, 'product_unknown'],
  ] as const) {
    const reply = await api.put(`/v1/suppliers/${supplier}/cost-rules`, body)
    assert.deepEqual([reply.status, reply.body['code']], [422, code])
  }
})
