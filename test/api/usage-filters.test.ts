import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { billPeriod } from '#db/billing.ts'
import { decodeId } from '#domain/identifier.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'
import { activate } from '#test/support/seller.ts'
import { batchType, toCloudEvent } from '#test/support/usage-events.ts'

// Lines that are told apart by properties (D-15): region eu at 0.10, others at 0.12.
let api: TestApi
let subscription = ''
const today = new Date()
const startedAt = new Date(today.getTime() - 40 * 86_400_000).toISOString()
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  const requests = {
    billing_type: 'usage',
    billing_timing: 'arrears',
    recurrence: { count: 1, unit: 'month' },
    unit: 'request',
    metric: 'requests',
    currency: 'USD',
  }
  const eu = [{ property: 'region', is: ['eu'] }]
  const others = [{ property: 'region', is_not: ['eu'] }]
  await post('/v1/products', {
    ...requests,
    code: 'eu',
    name: 'Requests in the EU',
    base_price: '0.10',
    terms: { usage_filter: eu },
  })
  await post('/v1/products', {
    ...requests,
    code: 'others',
    name: 'Other requests',
    base_price: '0.12',
    terms: { usage_filter: others },
  })
  await post('/v1/customers', {
    code: 'dimensions',
    name: 'Dimensions',
    country: 'US',
    email: 'a@example.com',
  })
  const components = ['eu', 'others'].map((product, index) => ({ product, quantity: '1', sequence: index }))
  await post('/v1/kits', { code: 'by-region', name: 'By region', bill_of_materials: components })
  const order = await post('/v1/orders', { customer: 'dimensions', lines: [{ kit: 'by-region' }] })
  subscription = (order['subscriptions'] as { id: string }[])[0]?.id ?? ''
  await activate(api.db, decodeId('subscription', subscription), startedAt)
})
after(async () => api.close())

async function post(path: string, body: unknown): Promise<Record<string, unknown>> {
  const reply = await api.post(path, body)
  assert.ok(reply.status < 300, JSON.stringify(reply.body))
  return reply.body
}

const event = (id: string, quantity: number, properties?: Record<string, string>) =>
  toCloudEvent({
    id,
    subscription,
    metric: 'requests',
    quantity,
    at: new Date(today.getTime() - 39 * 86_400_000).toISOString(),
    ...(properties === undefined ? {} : { properties }),
  })

test('D-15 each line bills the events with its region, and one without a region is listed: not billed, and why', async () => {
  const events = [
    event('1', 100, { region: 'eu' }),
    event('2', 50, { region: 'us', plan: 'a' }),
    event('3', 7, { region: 'eu', plan: 'b' }),
    event('4', 1000),
    event('5', 1000, { plan: 'eu' }),
  ]
  const { status, body } = await api.post('/v1/usage-events', events, batchType)
  assert.equal(status, 207)
  assert.partialDeepStrictEqual(body, {
    stored: 3,
    refused: [
      { index: 3, code: 'usage_not_taken', pointer: '/data/properties' },
      { index: 4, code: 'usage_not_taken', pointer: '/data/properties' },
    ],
  })
  const listed = await api.get('/v1/refused-usage-events?code=usage_not_taken')
  assert.deepEqual((listed.body['data'] as { event_id: string }[]).map(({ event_id: id }) => id).toSorted(), [
    '4',
    '5',
  ])
  const { body: usage } = await api.get(`/v1/subscriptions/${subscription}/usage`)
  assert.deepEqual(
    (usage['lines'] as { product: string; current: { quantity: string } }[]).map(({ product, current }) => [
      product,
      current.quantity,
    ]),
    [
      ['eu', '107'],
      ['others', '50'],
    ],
  )
})

test('what was billed, and what comes late, is of the line that takes it', async () => {
  const { rows } = await sql<{ id: string; index: number }>`
    select id, next_period_index as index from subscription_documents where billing_cycle_anchor <= current_date - 30`.execute(
    api.db,
  )
  const [document] = rows
  const bill = async (periodIndex: number) =>
    await billPeriod(
      api.db,
      { documentId: document?.id ?? '', periodIndex },
      new Date(today.getTime() + 40 * 86_400_000).toISOString(),
    )
  await bill(document?.index ?? 0)
  await api.post('/v1/usage-events', [event('6', 10, { region: 'eu' })], batchType)
  await bill((document?.index ?? 0) + 1)
  const lines = await api.db
    .selectFrom('invoice_lines')
    .select(['kind', 'description', 'quantity', 'amount_minor'])
    .orderBy('id')
    .execute()
  assert.deepEqual(
    lines
      .map((line) => `${line.kind} ${line.description} ${Number(line.quantity)} for ${line.amount_minor}`)
      .toSorted(),
    [
      'late_usage Requests in the EU 10 for 100',
      'usage Other requests 0 for 0',
      'usage Other requests 50 for 600',
      'usage Requests in the EU 0 for 0',
      'usage Requests in the EU 107 for 1070',
    ],
  )
})

test('a condition that is none says what is wrong with it, and where', async () => {
  const refusalsOf = async (condition: object) => {
    const { status, body } = await api.post('/v1/products', {
      code: 'mistaken',
      name: 'Mistaken',
      billing_type: 'usage',
      billing_timing: 'arrears',
      recurrence: { count: 1, unit: 'month' },
      unit: 'request',
      metric: 'requests',
      currency: 'USD',
      base_price: '0.10',
      terms: { usage_filter: [condition] },
    })
    assert.equal(status, 422)
    const errors = body['errors'] as { pointer: string; code: string; detail: string }[]
    return errors.map(({ pointer, detail }) => `${pointer}: ${detail}`)
  }
  assert.deepEqual(await refusalsOf({ property: 'region', one_of: ['eu'] }), [
    '/terms/usage_filter/0/is: is is missing.',
    '/terms/usage_filter/0/one_of: There is no field one_of.',
  ])
  assert.deepEqual(await refusalsOf({ property: 'region', is_not: 'eu' }), [
    '/terms/usage_filter/0/is_not: Invalid input: expected array, received string.',
  ])
})
