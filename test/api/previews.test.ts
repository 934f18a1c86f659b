import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { activateSubscription } from '#db/activation.ts'
import { billOpening } from '#db/billing.ts'
import { newId } from '#db/identifier.ts'
import { changeSubscription } from '#db/plan.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'
import { moveClock } from '#test/support/clock-life.ts'

type Json = Record<string, unknown>
interface Expected {
  readonly on: string
  readonly invoices: readonly { readonly total: Money; readonly lines: readonly Json[] }[]
}
interface Money {
  readonly amount_minor: number
}

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  await api.post('/v1/products', {
    code: 'calls',
    name: 'Calls',
    billing_type: 'usage',
    billing_timing: 'arrears',
    unit: 'request',
    recurrence: { count: 1, unit: 'month' },
    base_price: '0.02',
    currency: 'USD',
    metric: 'calls',
  })
})
after(async () => api.close())

const start = '2027-03-10T09:00:00Z'

/** A subscription on a test clock of its own, active and billed since 10 March 2027. */
async function live(line: Json) {
  const clock = await api.post('/v1/test-clocks', { name: 'test', now: start })
  const clockId = String(clock.body['id'])
  const order = await api.post('/v1/orders', { customer: 'acme', lines: [line], test_clock: clockId })
  const id = (order.body['subscriptions'] as { id: string }[])[0]?.id ?? ''
  const uuid = decodeId('subscription', id)
  await activateSubscription(api.db, uuid, start)
  await billOpening(api.db, uuid, start)
  const testClockId = decodeId('testClock', clockId)
  const detail = await api.get(`/v1/subscriptions/${id}`)
  const [first] = detail.body['lines'] as Json[]
  const moveTo = async (at: string) => moveClock(api.db, testClockId, at)
  return {
    id,
    uuid,
    testClockId,
    lineId: String(first?.['id']),
    moveTo,
    newestInvoice: async () => newestInvoice(id),
  }
}

async function newestInvoice(subscriptionId: string): Promise<Expected['invoices'][number]> {
  const list = await api.get(`/v1/invoices?subscription=${subscriptionId}&limit=1`)
  const [newest] = list.body['data'] as Json[]
  const detail = await api.get(`/v1/invoices/${String(newest?.['id'])}`)
  return detail.body as unknown as Expected['invoices'][number]
}

/** What a line says, but for what only a row has. */
function told(line: Json): Json {
  const { id: _id, position: _position, product: _product, instance: _instance, ...said } = line
  const { readings: _readings, usage_events: _events, usage_window: _window, ...rest } = said
  return rest
}

test('E-28 the next invoice says what the balance will pay of it and what is left to pay, as it then comes', async () => {
  const { id, moveTo, testClockId } = await live({ product: 'seat', quantity: 3 })
  const { customer_id: customerId } = await api.db
    .selectFrom('subscriptions')
    .select('customer_id')
    .where('test_clock_id', '=', testClockId)
    .executeTakeFirstOrThrow()
  const owed = { customer_id: customerId, currency: 'USD', test_clock_id: testClockId, amount_minor: 800 }
  await api.db.insertInto('customer_balances').values(owed).execute()
  const { body } = await api.get(`/v1/subscriptions/${id}/next-invoice`)
  const [expected] = body['invoices'] as Json[]
  assert.deepEqual(
    [expected?.['total'], expected?.['balance_used'], expected?.['due']],
    [3000, 800, 2200].map((minor) => ({ amount_minor: minor, currency: 'USD' })),
  )
  await moveTo('2027-04-10T12:00:00Z')
  const invoice = (await newestInvoice(id)) as unknown as Json
  assert.deepEqual(
    [invoice['balance_used'], invoice['open']],
    [expected?.['balance_used'], expected?.['due']],
  )
})

test('C-28 the next invoice is previewed to the line, and is the one that comes', async () => {
  const { id, moveTo } = await live({ product: 'seat', quantity: 3 })
  const reply = await api.get(`/v1/subscriptions/${id}/next-invoice`)
  const expected = reply.body as unknown as Expected
  assert.equal(reply.status, 200)
  assert.equal(expected.on, '2027-04-10')
  await moveTo('2027-04-10T12:00:00Z')
  const invoice = await newestInvoice(id)
  assert.deepEqual(expected.invoices[0]?.lines, invoice.lines.map(told))
  assert.deepEqual(expected.invoices[0]?.total, invoice.total)
  const later = await api.get(`/v1/subscriptions/${id}/next-invoice`)
  assert.equal(later.body['on'], '2027-05-10')
})

test('a document says the same of its next invoice as its subscription', async () => {
  const { id, uuid } = await live({ product: 'support', quantity: 1 })
  const [line] = await api.db
    .selectFrom('subscription_lines')
    .select('document_id')
    .where('subscription_id', '=', uuid)
    .execute()
  const documents = await api.get('/v1/documents?limit=100')
  const document = (documents.body['data'] as Json[]).find(
    (row) => decodeId('document', String(row['id'])) === line?.document_id,
  )
  const [ofDocument, ofSubscription] = await Promise.all([
    api.get(`/v1/documents/${String(document?.['id'])}/next-invoice`),
    api.get(`/v1/subscriptions/${id}/next-invoice`),
  ])
  assert.deepEqual(ofDocument.body, ofSubscription.body)
})

test('C-28 more in the middle of a period is previewed with its credit and charge, and is what comes; nothing is left behind', async () => {
  const { id, uuid, lineId, moveTo } = await live({ product: 'seat', quantity: 3 })
  await moveTo('2027-03-20T12:00:00Z')
  const unchanged = await api.get(`/v1/subscriptions/${id}`)
  const reply = await api.post(`/v1/subscriptions/${id}/change-plan/preview`, { line: lineId, quantity: '5' })
  assert.equal(reply.status, 200, JSON.stringify(reply.body))
  const { direction, effective_on: on, credit, charge, limit, next_invoice: next } = reply.body
  assert.deepEqual([direction, on, limit], ['upgrade', '2027-03-20', null])
  // 21 of 31 days: 3 × 10.00 given back; 5 × 10.00 for them, and the whole month after.
  assert.deepEqual([(credit as Money).amount_minor, (charge as Money).amount_minor], [-2032, 3387 + 5000])
  assert.deepEqual((await api.get(`/v1/subscriptions/${id}`)).body, unchanged.body)

  const key = { subscriptionId: uuid, requestId: 'change', actor: 'test', now: '2027-03-20T12:00:00Z' }
  const change = { subscriptionLineId: decodeId('subscriptionLine', lineId), quantity: '5' }
  await changeSubscription(api.db, key, change)
  await moveTo('2027-04-10T12:00:00Z')
  const invoice = await newestInvoice(id)
  const withoutLine = ({ subscription_line: _line, ...line }: Json) => line
  const expected = (next as Expected).invoices[0]
  assert.deepEqual(expected?.lines.map(withoutLine), invoice.lines.map(told).map(withoutLine))
  assert.deepEqual(expected?.total, invoice.total)
})

test('C-28 less is previewed for the end of the period, without a credit', async () => {
  const { id, lineId } = await live({ product: 'seat', quantity: 3 })
  const reply = await api.post(`/v1/subscriptions/${id}/change-plan/preview`, { line: lineId, quantity: '1' })
  const { direction, effective_on: on, credit, charge, next_invoice: next } = reply.body
  assert.deepEqual([direction, on, (next as Expected).on], ['downgrade', '2027-04-10', '2027-04-10'])
  assert.deepEqual([(credit as Money).amount_minor, (charge as Money).amount_minor], [0, 1000])
})

test('a change that is refused is refused by its preview with the same code', async () => {
  const { id, lineId } = await live({ product: 'seat', quantity: 3 })
  for (const [body, code] of [
    [{ line: lineId, quantity: '3' }, 'quantity_unchanged'],
    [{ line: lineId, quantity: '1.5' }, 'quantity_not_whole'],
    [{ line: lineId, product: 'none' }, 'product_unknown'],
    [{ line: lineId, quantity: '4', starts_on: '2027-01-01' }, 'date_range_invalid'],
  ] as const) {
    const reply = await api.post(`/v1/subscriptions/${id}/change-plan/preview`, body)
    assert.equal(reply.body['code'], code)
  }
})

test('J-07 months to come are simulated with assumed usage, and its crossings are named', async () => {
  const { id } = await live({ product: 'calls', quantity: 1 })
  const reply = await api.post(`/v1/subscriptions/${id}/simulation`, { months: 3, usage: { calls: '1000' } })
  assert.equal(reply.status, 200, JSON.stringify(reply.body))
  const { from, until, invoices, total } = reply.body
  assert.deepEqual([from, until, (total as Money).amount_minor], ['2027-03-10', '2027-06-10', 6000])
  assert.deepEqual(
    (invoices as Json[]).map(({ on }) => on),
    ['2027-04-10', '2027-05-10', '2027-06-10'],
  )
})

test('J-07 what is not metered, too much, or not active cannot be simulated', async () => {
  const { id } = await live({ product: 'calls', quantity: 1 })
  const address = `/v1/subscriptions/${id}/simulation`
  const unknown = await api.post(address, { months: 3, usage: { disk: '1' } })
  assert.deepEqual([unknown.status, unknown.body['code']], [422, 'metric_unknown'])
  assert.deepEqual((unknown.body['errors'] as Json[])[0]?.['pointer'], '/usage/disk')
  assert.equal((await api.post(address, { months: 37 })).body['code'], 'field_invalid')
  assert.equal((await api.post(address, { months: 1, usage: { calls: '-1' } })).body['code'], 'field_invalid')
  const order = await api.post('/v1/orders', {
    customer: 'acme',
    lines: [{ product: 'support', quantity: 1 }],
  })
  const waiting = (order.body['subscriptions'] as { id: string }[])[0]?.id ?? ''
  const early = await api.post(`/v1/subscriptions/${waiting}/simulation`, { months: 1 })
  assert.deepEqual([early.status, early.body['code']], [409, 'action_not_allowed'])
  const none = await api.get(`/v1/subscriptions/${waiting}/next-invoice`)
  assert.deepEqual(none.body, { on: null, invoices: [] })
})

test('J-07 a simulation that is too large is refused before it is computed', async () => {
  const { id, uuid } = await live({ product: 'support', quantity: 1 })
  await sql`
    insert into subscription_lines (id, first_line_id, subscription_id, document_id, product_id, product_version, position, billing_type,
      billing_timing, interval_count, interval_unit, description, quantity, unit, price, starts_on)
    select made.id, made.id, subscription_id, document_id, product_id, product_version, position, billing_type,
      billing_timing, interval_count, interval_unit, description, quantity, unit, price, starts_on
    from subscription_lines line, lateral (select gen_random_uuid() as id from generate_series(1, 600)) made
    where subscription_id = ${uuid}`.execute(api.db)
  const reply = await api.post(`/v1/subscriptions/${id}/simulation`, { months: 36 })
  assert.deepEqual([reply.status, reply.body['code']], [422, 'simulation_too_large'])
})

test('a preview at an id that stands for nothing is not found, and one of another kind is told so', async () => {
  const { id } = await live({ product: 'seat', quantity: 1 })
  const unknown = await api.get(`/v1/subscriptions/${encodeId('subscription', newId())}/next-invoice`)
  assert.equal(unknown.status, 404)
  assert.equal(unknown.body['code'], 'not_found')
  const mismatched = await api.get(`/v1/documents/${id}/next-invoice`)
  assert.equal(mismatched.body['code'], 'id_kind_mismatch')
})
