import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { activateSubscription } from '#db/activation.ts'
import { billOpening } from '#db/billing.ts'
import { changeSubscription } from '#db/plan.ts'
import { readStanding } from '#db/read/standing.ts'
import { listDueDocuments } from '#db/billing-run.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { decodeId } from '#domain/identifier.ts'
import { simulateDocuments } from '#domain/invoice/simulation.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'
import { moveClock } from '#test/support/clock-life.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { pushUsage } from '#test/support/seller.ts'

type Json = Record<string, unknown>
interface Line {
  readonly description: string
  readonly service_period: { readonly start: string; readonly end: string } | null
  readonly amount: { readonly amount_minor: number }
}
interface Invoice {
  readonly id: string
  readonly status: string
  readonly kind: string
  readonly issued_on: string
  readonly finalize_on: string | null
  readonly lines: readonly Line[]
}

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  const recurring = { recurrence: { count: 1, unit: 'month' }, currency: 'USD' }
  const products: Json[] = [
    { code: 'network', billing_type: 'flat', billing_timing: 'arrears', unit: 'month', base_price: '3' },
    { code: 'calls', billing_type: 'usage', billing_timing: 'arrears', unit: 'request', base_price: '0.02' },
  ]
  for (const product of products) {
    const metric = product['code'] === 'calls' ? 'calls' : null
    const reply = await api.post('/v1/products', { name: product['code'], ...recurring, ...product, metric })
    assert.equal(reply.status, 201, JSON.stringify(reply.body))
  }
})
after(async () => {
  await assertInvariants(api.db, { isUnderWay: true })
  await api.close()
})

async function setDays(advanceDays: number, draftDays = 0): Promise<void> {
  const reply = await api.patch('/v1/seller', { advance_days: advanceDays, draft_days: draftDays })
  assert.equal(reply.status, 200)
  assert.equal(reply.body['advance_days'], advanceDays)
}

let count = 0

/** A new customer on a clock of its own. */
async function customerOn(start: string) {
  count += 1
  const customer = `customer-${count}`
  await api.post('/v1/customers', { code: customer, name: customer })
  const clock = await api.post('/v1/test-clocks', { name: customer, now: `${start}T09:00:00Z` })
  const clockId = String(clock.body['id'])
  const order = async (product: string, on: string, more: Json = {}) => {
    const lines = [{ product, quantity: 1 }]
    const placed = await api.post('/v1/orders', { customer, lines, test_clock: clockId, ...more })
    assert.equal(placed.status, 201, JSON.stringify(placed.body))
    const [{ id } = { id: '' }] = placed.body['subscriptions'] as { id: string }[]
    const uuid = decodeId('subscription', id)
    await activateSubscription(api.db, uuid, `${on}T09:00:00Z`)
    await billOpening(api.db, uuid, `${on}T09:00:00Z`)
    return uuid
  }
  return {
    order,
    moveTo: async (day: string) => moveClock(api.db, decodeId('testClock', clockId), `${day}T12:00:00Z`),
    invoices: async () => invoicesOf(customer),
    said: async () => (await invoicesOf(customer)).map(sayInvoice),
  }
}

async function invoicesOf(customer: string): Promise<Invoice[]> {
  const list = await api.get(`/v1/invoices?customer=${customer}&limit=100`)
  const found = list.body['data'] as { id: string }[]
  const details: Invoice[] = []
  for (const { id } of found.toReversed()) {
    details.push((await api.get(`/v1/invoices/${id}`)).body as unknown as Invoice)
  }
  return details
}

/** `2026-03-25: Support 2026-04-01/2026-05-01 1000` */
function sayInvoice({ issued_on: on, lines }: Invoice): string {
  const said = lines.map(({ description, service_period: period, amount }) =>
    [description, ...(period ? [`${period.start}/${period.end}`] : []), amount.amount_minor].join(' '),
  )
  return `${on}: ${said.join(', ')}`
}

test('C-18 the invoice for 1 April is issued on 25 March; arrears of March come with the next one', async () => {
  await setDays(7)
  const { order, moveTo, said } = await customerOn('2026-03-01')
  await order('support', '2026-03-01')
  await order('network', '2026-03-01')
  await moveTo('2026-03-24')
  assert.deepEqual(await said(), ['2026-03-01: Support 2026-03-01/2026-04-01 1000'])
  await moveTo('2026-03-25')
  await moveTo('2026-04-23')
  assert.deepEqual((await said()).slice(1), ['2026-03-25: Support 2026-04-01/2026-05-01 1000'])
  await moveTo('2026-04-24')
  assert.deepEqual((await said()).slice(2), [
    '2026-04-24: Support 2026-05-01/2026-06-01 1000, network 2026-03-01/2026-04-01 300',
  ])
})

test('C-18 a change after the invoice is credited and charged on the next one', async () => {
  await setDays(7)
  const { order, moveTo, said } = await customerOn('2026-03-01')
  const subscriptionId = await order('seat', '2026-03-01')
  await moveTo('2026-03-28')
  const { id: subscriptionLineId } = await api.db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  const key = { subscriptionId, requestId: 'more', actor: 'test', now: '2026-03-28T12:00:00Z' }
  await changeSubscription(api.db, key, { subscriptionLineId, quantity: '2' })
  await moveTo('2026-04-23')
  assert.deepEqual((await said()).slice(1), ['2026-03-25: Seat 2026-04-01/2026-05-01 1000'])
  await moveTo('2026-04-24')
  assert.deepEqual((await said()).slice(2), [
    [
      '2026-04-24: Seat 2026-03-28/2026-04-01 -129',
      'Seat 2026-04-01/2026-05-01 -1000',
      'Seat 2026-03-28/2026-04-01 258',
      'Seat 2026-04-01/2026-05-01 2000',
      'Seat 2026-05-01/2026-06-01 2000',
    ].join(', '),
  ])
})

test('C-18 who ends between the invoice and its period gets it back, and pays what was in arrears', async () => {
  await setDays(7)
  const { order, moveTo, said, invoices } = await customerOn('2026-03-01')
  const ended = [await order('support', '2026-03-01'), await order('network', '2026-03-01')]
  await moveTo('2026-03-28')
  for (const subscriptionId of ended) {
    const key = { subscriptionId, requestId: 'end', actor: 'test', now: '2026-03-28T12:00:00Z' }
    await cancelSubscription(api.db, key, { when: 'now', reason: 'Moves away.' })
  }
  await moveTo('2026-03-28')
  await moveTo('2026-06-30')
  assert.deepEqual((await said()).slice(2), [
    '2026-03-28: Support 2026-03-28/2026-04-01 -129, Support 2026-04-01/2026-05-01 -1000',
    '2026-03-28: network 2026-03-01/2026-03-28 261',
  ])
  assert.deepEqual(
    (await invoices()).map(({ kind }) => kind),
    ['invoice', 'invoice', 'credit_note', 'invoice'],
  )
})

test('C-18 who joins a document between its invoice and the period is billed for both with the first bill', async () => {
  await setDays(7)
  const { order, moveTo, said } = await customerOn('2026-03-01')
  await order('support', '2026-03-01')
  await moveTo('2026-03-28')
  await order('seat', '2026-03-28')
  await moveTo('2026-04-24')
  assert.deepEqual((await said()).slice(2), [
    '2026-03-28: Seat 2026-03-28/2026-04-01 129, Seat 2026-04-01/2026-05-01 1000',
    '2026-04-24: Support 2026-05-01/2026-06-01 1000, Seat 2026-05-01/2026-06-01 1000',
  ])
})

test('C-18 the setting may change in the midst of a cycle: each month is billed once, at n days before it or now', async () => {
  await setDays(0)
  const { order, moveTo, said } = await customerOn('2026-01-01')
  await order('support', '2026-01-01')
  await order('network', '2026-01-01')
  await moveTo('2026-01-28')
  await setDays(7)
  await moveTo('2026-01-29')
  await setDays(0)
  await moveTo('2026-03-20')
  await setDays(60)
  await moveTo('2026-03-21')
  await setDays(7)
  await moveTo('2026-06-24')
  assert.deepEqual(await said(), [
    '2026-01-01: Support 2026-01-01/2026-02-01 1000',
    '2026-01-29: Support 2026-02-01/2026-03-01 1000',
    '2026-03-01: Support 2026-03-01/2026-04-01 1000, network 2026-01-01/2026-02-01 300, network 2026-02-01/2026-03-01 300',
    '2026-03-21: Support 2026-04-01/2026-05-01 1000',
    '2026-03-21: Support 2026-05-01/2026-06-01 1000',
    '2026-05-25: Support 2026-06-01/2026-07-01 1000, network 2026-03-01/2026-04-01 300, network 2026-04-01/2026-05-01 300',
    '2026-06-24: Support 2026-07-01/2026-08-01 1000, network 2026-05-01/2026-06-01 300',
  ])
})

test('C-18 what is foreseen is what comes, in days and amounts', async () => {
  await setDays(7)
  const { order, moveTo, said, invoices } = await customerOn('2026-03-01')
  const subscriptionId = await order('support', '2026-03-01')
  await order('network', '2026-03-01')
  const standing = await readStanding(api.db, { subscriptionId })
  assert.ok(standing)
  const foreseen = simulateDocuments(standing, new Map(), '2026-07-31')
  await moveTo('2026-07-31')
  const came = (await invoices()).slice(1)
  assert.equal(came.length, 5, (await said()).join('\n'))
  assert.deepEqual(
    foreseen.map(({ on, draft }) => [on, draft.lines.map((line) => [line.servicePeriod, line.amountMinor])]),
    came.map(({ issued_on: on, lines }) => [
      on,
      lines.map((line) => [line.service_period, line.amount.amount_minor]),
    ]),
  )
})

test('C-18 a draft is open from n days before the period, for its days of review', async () => {
  await setDays(7)
  const { order, moveTo, invoices } = await customerOn('2026-03-01')
  await order('support', '2026-03-01')
  await setDays(7, 2)
  await moveTo('2026-03-26')
  const draft = (await invoices()).at(-1)
  assert.deepEqual([draft?.status, draft?.finalize_on], ['draft', '2026-03-27'])
  await moveTo('2026-04-02')
  const made = await invoices()
  assert.deepEqual(
    made.map(({ status }) => status),
    ['finalized', 'finalized'],
  )
  assert.equal(made.at(-1)?.issued_on, '2026-03-27')
  await setDays(7)
})

test('C-18 usage is waited for and billed once it is over, by its own period', async () => {
  await setDays(7)
  const { order, moveTo, said } = await customerOn('2026-03-01')
  const subscriptionId = await order('calls', '2026-03-01')
  await moveTo('2026-03-26')
  const push = async (quantity: string, day: string) =>
    pushUsage(api.db, {
      subscriptionId,
      metric: 'calls',
      quantity,
      occurredAt: `${day}T08:00:00Z`,
      unit: 'request',
    })
  await push('100', '2026-03-26')
  await push('50', '2026-03-30')
  await moveTo('2026-04-24')
  assert.deepEqual(await said(), ['2026-04-24: calls 2026-03-01/2026-04-01 300'])
})

test('C-18 a billing run finds documents n days before their periods, none that is the first', async () => {
  await setDays(7)
  await api.post('/v1/customers', { code: 'real', name: 'Real' })
  const order = await api.post('/v1/orders', {
    customer: 'real',
    lines: [{ product: 'support', quantity: 1 }],
  })
  const [{ id } = { id: '' }] = order.body['subscriptions'] as { id: string }[]
  await activateSubscription(api.db, decodeId('subscription', id), '2026-03-01T09:00:00Z')
  const due = async (day: string) => {
    const now = `${day}T09:00:00Z`
    return (await listDueDocuments(api.db, { now, after: null, limit: 9 })).map(
      ({ periodIndex }) => periodIndex,
    )
  }
  assert.deepEqual(await due('2026-02-28'), [])
  assert.deepEqual(await due('2026-03-01'), [0])
  await billOpening(api.db, decodeId('subscription', id), '2026-03-01T09:00:00Z')
  assert.deepEqual(await due('2026-03-24'), [])
  assert.deepEqual(await due('2026-03-25'), [1])
})
