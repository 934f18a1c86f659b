import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, until, type Json, type TestInstallation } from '#test/support/installation.ts'

let installation: TestInstallation
let diary: Diary

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  for (const end of ['bill', 'suspend', 'cancel'])
    await diary.post('/v1/products', productOf(end, { trial_days: 15, trial_end: end }), 201)
  await diary.post('/v1/products', productOf('once', { trial_days: 15, is_trial_once: true }), 201)
})
after(async () => await installation.stop())

function productOf(code: string, terms: Json): Json {
  return {
    code,
    name: code,
    billing_type: 'flat',
    billing_timing: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'month',
    base_price: '31.00',
    currency: 'USD',
    terms,
  }
}

/** Sold and active on 3 January. */
async function sell(product: string): Promise<{ id: string; moveTo: (day: string) => Promise<void> }> {
  const clock = await diary.createClock('2027-01-03T09:00:00Z')
  const id = await diary.order([{ product }], { clock })
  await diary.untilPhase(id, 'active')
  const moveTo = async (day: string) => await diary.advance(clock, { to: `${day}T12:00:00Z` })
  return { id, moveTo }
}

/** The row is active a moment before its workflow takes commands. */
async function untilTaken(address: string): Promise<void> {
  await until(address, async () => (await installation.call('POST', address, {})).status === 200)
}

async function endings(id: string): Promise<unknown[]> {
  const events = await diary.events(id)
  return events
    .filter((event) => event['kind'] === 'subscription.trial_ending')
    .map((event) => [String(event['business_at']).slice(0, 10), (event['data'] as Json)['becomes']])
}

async function billed(id: string): Promise<unknown[]> {
  const invoices = await diary.invoices(id)
  return invoices.flatMap((invoice) =>
    (invoice['lines'] as Json[]).map((line) => {
      const { start, end } = line['service_period'] as { start: string; end: string }
      return `${start}/${end} ${(line['amount'] as Json)['amount_minor'] as number}`
    }),
  )
}

test('C-42 a trial from 3 January for 15 days: the first billed day is 18 January, told once on the 15th', async () => {
  const { id, moveTo } = await sell('bill')
  assert.equal((await diary.subscription(id))['trial_ends_on'], '2027-01-18')
  await moveTo('2027-01-14')
  assert.deepEqual(await endings(id), [])
  await moveTo('2027-02-04')
  assert.deepEqual(await endings(id), [['2027-01-15', 'bill']])
  const [first] = await billed(id)
  assert.match(String(first), /^2027-01-18\//)
})

test('C-42 a trial that ends in suspension is billed only from the day on which it is resumed', async () => {
  const { id, moveTo } = await sell('suspend')
  await moveTo('2027-01-17')
  assert.equal((await diary.subscription(id))['phase'], 'active')
  assert.deepEqual(await endings(id), [['2027-01-15', 'suspend']])
  await moveTo('2027-01-20')
  const suspended = await diary.subscription(id)
  assert.deepEqual([suspended['phase'], suspended['suspended_reason']], ['suspended', 'The trial is over.'])
  assert.deepEqual(await billed(id), [])
  await diary.post(`/v1/subscriptions/${id}/resume`, {})
  await moveTo('2027-02-04')
  const [first] = await billed(id)
  assert.match(String(first), /^2027-01-20\//)
})

test('whoever withdraws the suspension before is billed from the end of the trial on', async () => {
  const { id, moveTo } = await sell('suspend')
  await untilTaken(`/v1/subscriptions/${id}/unpause`)
  await moveTo('2027-02-04')
  assert.deepEqual(await endings(id), [['2027-01-15', 'bill']])
  assert.match(String((await billed(id))[0]), /^2027-01-18\//)
})

test('C-42 a trial that ends in cancellation ends by itself and costs nothing; taken back, it goes on', async () => {
  const { id, moveTo } = await sell('cancel')
  const kept = await sell('cancel')
  await untilTaken(`/v1/subscriptions/${kept.id}/uncancel`)
  await moveTo('2027-02-04')
  await diary.untilPhase(id, 'ended')
  assert.partialDeepStrictEqual(await diary.subscription(id), {
    ends_on: '2027-01-18',
    cancel_reason_code: 'trial_over',
  })
  assert.deepEqual([await endings(id), await billed(id)], [[['2027-01-15', 'cancel']], []])
  await kept.moveTo('2027-02-04')
  assert.match(String((await billed(kept.id))[0]), /^2027-01-18\//)
})

test('C-42 a second trial of the same product is refused, also of orders at the same moment', async () => {
  const order = { customer: 'harbour-bakery', lines: [{ product: 'once' }] }
  const replies = await Promise.all(
    Array.from({ length: 5 }, async () => installation.call('POST', '/v1/orders', order)),
  )
  assert.deepEqual(
    replies.map(({ status }) => status).toSorted((one, other) => one - other),
    [201, 409, 409, 409, 409],
  )
  for (const { status, body } of replies) if (status === 409) assert.equal(body['code'], 'trial_used')
  const preview = await installation.call('POST', '/v1/orders/preview', order)
  assert.deepEqual([preview.status, preview.body['code']], [409, 'trial_used'])
  const without = { customer: 'harbour-bakery', lines: [{ product: 'once', without_trial: true }] }
  const again = await diary.post('/v1/orders', without, 201)
  const [sold] = again['subscriptions'] as Json[]
  const subscription = await diary.untilPhase(String(sold?.['id']), 'active')
  assert.equal(subscription['trial_ends_on'], null)
  await until('billed from the first day', async () => (await billed(String(sold?.['id']))).length === 1)
  // Another customer has his own, and so has a test clock.
  await diary.post('/v1/customers', { code: 'other', name: 'Other' }, 201)
  await diary.post('/v1/orders', { ...order, customer: 'other' }, 201)
  await sell('once')
})
