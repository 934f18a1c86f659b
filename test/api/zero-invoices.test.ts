import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { activateSubscription } from '#db/activation.ts'
import { billOpening } from '#db/billing.ts'
import { readStanding } from '#db/read/standing.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { simulateDocuments } from '#domain/invoice/simulation.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'
import { moveClock } from '#test/support/clock-life.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { batchType, toCloudEvent } from '#test/support/usage-events.ts'

type Json = Record<string, unknown>

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  const recurring = { recurrence: { count: 1, unit: 'month' }, currency: 'USD' }
  for (const product of [
    { code: 'free', billing_type: 'flat', billing_timing: 'advance', unit: 'month', base_price: '0' },
    {
      code: 'calls',
      billing_type: 'usage',
      billing_timing: 'arrears',
      unit: 'request',
      base_price: '0.02',
      metric: 'calls',
    },
  ]) {
    const reply = await api.post('/v1/products', { name: product.code, ...recurring, ...product })
    assert.equal(reply.status, 201, JSON.stringify(reply.body))
  }
})
after(async () => {
  await assertInvariants(api.db, { isUnderWay: true })
  await api.close()
})

async function set(skips: boolean, draftDays = 0): Promise<void> {
  const reply = await api.patch('/v1/seller', { skips_zero_invoices: skips, draft_days: draftDays })
  assert.equal(reply.body['skips_zero_invoices'], skips)
}

let count = 0

/** A product of a new customer on a clock, active since 1 March 2027. */
async function sell(product: string) {
  const start = '2027-03-01T09:00:00Z'
  count += 1
  const customer = `zero-${count}`
  await api.post('/v1/customers', { code: customer, name: customer })
  const clock = await api.post('/v1/test-clocks', { name: customer, now: start })
  const clockId = String(clock.body['id'])
  const lines = [{ product, quantity: 1 }]
  const order = await api.post('/v1/orders', { customer, lines, test_clock: clockId })
  const [{ id } = { id: '' }] = order.body['subscriptions'] as { id: string }[]
  const subscriptionId = decodeId('subscription', id)
  await activateSubscription(api.db, subscriptionId, start)
  await billOpening(api.db, subscriptionId, start)
  const list = async () =>
    ((await api.get(`/v1/invoices?customer=${customer}`)).body['data'] as Json[]).toReversed()
  return {
    customer,
    clockId,
    subscriptionId,
    list,
    totals: async () =>
      (await list()).map((row) => [
        row['issued_on'],
        (row['total'] as Json)['amount_minor'],
        row['money_state'],
      ]),
    moveTo: async (day: string) => moveClock(api.db, decodeId('testClock', clockId), `${day}T12:00:00Z`),
    skipped: async () =>
      await api.db
        .selectFrom('invoices')
        .selectAll()
        .where('skipped_at', 'is not', null)
        .where('test_clock_id', '=', decodeId('testClock', clockId))
        .orderBy('id')
        .execute(),
  }
}

test('E-26 a free product has a paid invoice of 0.00 each month', async () => {
  await set(false)
  const { totals, moveTo } = await sell('free')
  await moveTo('2027-04-02')
  assert.deepEqual(await totals(), [
    ['2027-03-01', 0, 'paid'],
    ['2027-04-01', 0, 'paid'],
  ])
})

test('E-26 by setting it has none, and no number is used; its periods count as billed', async () => {
  await set(true)
  const { list, moveTo, skipped, subscriptionId, customer, clockId } = await sell('free')
  await moveTo('2027-05-02')
  assert.deepEqual(await list(), [])
  const made = await skipped()
  assert.deepEqual(
    made.map((row) => [row.number, row.series, row.finalized_at, row.hash, row.total_minor]),
    made.map(() => [null, null, null, null, 0]),
  )
  assert.equal(made.length, 3)
  const { document_id: documentId } = await api.db
    .selectFrom('subscription_lines')
    .select('document_id')
    .where('subscription_id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  const document = await api.get(`/v1/documents/${encodeId('document', documentId ?? '')}`)
  assert.deepEqual(
    (document.body['periods'] as Json[]).map((period) => [
      (period['period'] as Json)['start'],
      period['invoice'],
    ]),
    [
      ['2027-05-01', null],
      ['2027-04-01', null],
      ['2027-03-01', null],
    ],
  )

  // What costs something later is on an invoice again, the first of its series: nothing was lost.
  await set(false)
  await api.post(`/v1/customers/${customer}/one-off-charges`, {
    description: 'Work',
    unit_price: '12.00',
    test_clock: clockId,
  })
  await moveTo('2027-06-01')
  const [only, ...others] = await list()
  assert.deepEqual(others, [])
  assert.match(String(only?.['number']), /1$/)
  const detail = await api.get(`/v1/invoices/${String(only?.['id'])}`)
  assert.deepEqual(
    (detail.body['lines'] as Json[]).map((line) => line['description']),
    ['free', 'Work'],
  )
})

test('E-26 usage of nothing is measured for good on what is skipped, and what comes late is billed', async () => {
  await set(true)
  const { totals, moveTo, subscriptionId } = await sell('calls')
  await moveTo('2027-04-02')
  assert.deepEqual(await totals(), [])
  for (const day of ['2027-03-15', '2027-04-01']) {
    const event = toCloudEvent({
      id: day,
      subscription: encodeId('subscription', subscriptionId),
      metric: 'calls',
      quantity: '50',
      unit: 'request',
      at: `${day}T08:00:00Z`,
    })
    const reply = await api.post('/v1/usage-events', [event], batchType)
    assert.equal(reply.status, 200, JSON.stringify(reply.body))
  }
  await moveTo('2027-05-02')
  assert.deepEqual(await totals(), [['2027-05-01', 200, 'open']])
})

test('E-26 what is skipped is nowhere to be read, finalized, paid or credited, and never changes', async () => {
  await set(true)
  const { skipped } = await sell('free')
  const [row] = await skipped()
  assert.ok(row)
  const id = encodeId('invoice', row.id)
  const replies = [
    await api.get(`/v1/invoices/${id}`),
    await api.post(`/v1/invoices/${id}/finalize`, {}),
    await api.post(`/v1/invoices/${id}/void`, { reason: 'Not wanted.' }),
  ]
  assert.deepEqual(
    replies.map(({ status }) => status),
    [404, 404, 404],
  )
  const lines = api.db.updateTable('invoice_lines').set({ description: 'x' }).where('invoice_id', '=', row.id)
  await assert.rejects(async () => lines.execute(), { constraint: 'invoice_finalized' })
  const change = api.db.updateTable('invoices').set({ skipped_at: null }).where('id', '=', row.id)
  await assert.rejects(async () => change.execute(), { constraint: 'invoice_finalized' })
})

test('E-26 nothing is drafted where it will be skipped, nor foreseen', async () => {
  await set(true, 2)
  const { list, moveTo, subscriptionId } = await sell('free')
  const standing = await readStanding(api.db, { subscriptionId })
  assert.ok(standing)
  assert.deepEqual(simulateDocuments(standing, new Map(), '2027-06-30'), [])
  await moveTo('2027-04-02')
  assert.deepEqual(await list(), [])
  await set(false)
})
