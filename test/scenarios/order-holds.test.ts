import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import {
  listObjects,
  startInstallation,
  until,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'

let installation: TestInstallation
let diary: Diary

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  await patchSeller({ country: 'DE', tax_id: 'DE123456789' })
  const rate = { country: 'DE', name: 'VAT', rate_percent: '19', category: 'standard' }
  await diary.post('/v1/tax-rates', rate, 201)
  const site = {
    billing_type: 'flat',
    billing_timing: 'advance',
    unit: 'month',
    currency: 'USD',
    base_price: '3',
    recurrence: { count: 1, unit: 'month' },
    applications: ['static-site'],
  }
  for (const trigger of ['payment', 'acceptance']) {
    const terms = { build_trigger: trigger }
    await diary.post('/v1/products', { ...site, code: `site-on-${trigger}`, name: 'Site', terms }, 201)
  }
})
after(async () => await installation.stop())

async function patchSeller(change: Json): Promise<void> {
  const { status, body } = await installation.call('PATCH', '/v1/seller', change)
  assert.equal(status, 200, JSON.stringify(body))
}

interface Placed {
  readonly order: string
  readonly subscription: string
  readonly body: Json
}

async function place(order: Json): Promise<Placed> {
  const body = await diary.post('/v1/orders', { customer: 'harbour-bakery', ...order }, 201)
  const [subscription] = body['subscriptions'] as Json[]
  return { order: String(body['id']), subscription: String(subscription?.['id']), body }
}

const line = (product: string) => ({ lines: [{ product }] })
const read = async ({ order }: Placed) => await diary.get(`/v1/orders/${order}`)
const request = (order: Json) => (order['payment_requests'] as Json[])[0] ?? {}
const openTasks = async ({ order }: Placed) =>
  (await diary.list('/v1/tasks?open=true&limit=100')).filter((task) => task['subject_id'] === order)
/** In minor units; in real time. */
async function balance(): Promise<number> {
  const found = (await diary.list('/v1/customers/harbour-bakery/balances')).find(
    ({ test_clock: clock }) => clock === null,
  )
  return Number((found?.['balance'] as Json | undefined)?.['amount_minor'] ?? 0)
}

async function pay(order: Json): Promise<Json> {
  const { id, total } = request(order) as { id: string; total: Json }
  return await diary.post(`/v1/payment-requests/${id}/payments`, { ...total, reference: 'bank, 1 March' })
}

async function assertNothingBuilt({ subscription }: Placed): Promise<void> {
  const { containers, volumes } = await listObjects(installation.installationId)
  const labels = [...containers.map((found) => found.Labels), ...volumes.map((found) => found.Labels)]
  assert.deepEqual(
    labels.filter((own) => own['io.clouder.subscription'] === subscription),
    [],
  )
  assert.deepEqual(await diary.invoices(subscription), [])
}

/** Without it nothing could be seen not to have happened. */
async function untilItWaits({ subscription }: Placed): Promise<string> {
  const handle = installation.client.workflow.getHandle(`subscription/${subscription}`)
  return await until('the workflow waits', async () => {
    const described = await handle.describe().catch(() => undefined)
    if (described?.raw.workflowExtendedInfo === undefined) return undefined
    const { currentDetails } = await handle
      .query<{ currentDetails?: string }>('__temporal_workflow_metadata')
      .catch(() => ({ currentDetails: undefined }))
    return currentDetails?.includes('| order |') ? currentDetails : undefined
  })
}

async function untilEnded(placed: Placed): Promise<void> {
  await until('ended', async () => (await diary.subscription(placed.subscription))['phase'] === 'ended')
  await assertNothingBuilt(placed)
  assert.deepEqual(await openTasks(placed), [])
}

test('built with the payment: no container before, the build within 5 s after, and the first invoice is settled by it', async () => {
  const placed = await place(line('site-on-payment'))
  assert.deepEqual(placed.body['waits_for'], ['waiting for payment'])
  const { total, state } = request(placed.body)
  assert.deepEqual([total, state], [{ amount_minor: 357, currency: 'USD' }, 'open'])
  assert.match(
    await untilItWaits(placed),
    /\| order \| waiting for payment, since \d{4}-\d\d-\d\d, until \d{4}/,
  )
  await assertNothingBuilt(placed)
  assert.equal((await diary.subscription(placed.subscription))['phase'], 'ordered')

  const paid = await pay(placed.body)
  const paidMs = Date.now()
  assert.deepEqual([paid['waits_for'], request(paid)['state']], [[], 'paid'])
  await until('the build begins', async () => {
    const [build] = await diary.list(`/v1/builds?subscription=${placed.subscription}`)
    return build
  })
  assert.ok(Date.now() - paidMs < 5_000, `it began after ${Date.now() - paidMs} ms`)
  await diary.untilPhase(placed.subscription, 'active')
  const [invoice] = await until('billed', async () => {
    const invoices = await diary.invoices(placed.subscription)
    return invoices.length > 0 && invoices
  })
  assert.deepEqual(
    [invoice?.['total'], invoice?.['money_state']],
    [{ amount_minor: 357, currency: 'USD' }, 'paid'],
  )
  assert.equal(await balance(), 0)
})

test('built when an operator accepts: a task until then', async () => {
  const placed = await place(line('site-on-acceptance'))
  assert.deepEqual(placed.body['waits_for'], ['waiting to be accepted'])
  const [task] = await openTasks(placed)
  assert.equal(task?.['kind'], 'order_acceptance')
  await untilItWaits(placed)
  await assertNothingBuilt(placed)
  const accepted = await diary.post(`/v1/orders/${placed.order}/accept`, { reason: 'known by phone' })
  const [hold] = accepted['holds'] as Json[]
  assert.deepEqual([hold?.['outcome'], hold?.['reason']], ['released', 'known by phone'])
  await diary.untilPhase(placed.subscription, 'active')
  assert.deepEqual(await openTasks(placed), [])
})

test('in the shop, what is due now is paid first; what costs nothing now is built at once', async () => {
  await patchSeller({ mail_verification: 'never' })
  const shop = await place({ ...line('static-site'), channel: 'shop' })
  assert.deepEqual(shop.body['waits_for'], ['waiting for payment'])
  assert.deepEqual((await place(line('static-site'))).body['waits_for'], [])
  const metered = { lines: [{ product: 'network-usage' }], channel: 'shop' }
  assert.deepEqual((await place(metered)).body['waits_for'], [])
  await diary.post(`/v1/orders/${shop.order}/cancel`, {})
  await untilEnded(shop)
})

test('an order that is not paid in 14 days expires: no instance, no open request, its name, port and place free again', async () => {
  const clock = await diary.createClock('2026-03-01T09:00:00Z')
  const before = await reservedInstances()
  const placed = await place({ ...line('site-on-payment'), test_clock: clock })
  assert.equal(await reservedInstances(), before + 1)
  assert.equal(request(placed.body)['expires_at'], '2026-03-15T09:00:00.000Z')
  await diary.advance(clock, { to: '2026-03-15T08:59:00Z' })
  assert.equal((await read(placed))['state'], 'confirmed')
  await diary.advance(clock, { to: '2026-04-01T00:00:00Z' })
  const expired = await read(placed)
  assert.deepEqual(
    [expired['state'], expired['expired_at'], request(expired)['state'], expired['waits_for']],
    ['expired', '2026-03-15T09:00:00.000Z', 'expired', []],
  )
  const { total } = request(expired) as { total: Json }
  const late = await installation.call(
    'POST',
    `/v1/payment-requests/${String(request(expired)['id'])}/payments`,
    total,
  )
  assert.deepEqual([late.status, late.body['code']], [409, 'payment_request_closed'])
  await untilEnded(placed)
  const { instances } = (await diary.subscription(placed.subscription)) as { instances: Json[] }
  assert.deepEqual(
    instances.map(({ state }) => state),
    ['destroyed'],
  )
  assert.equal(await reservedInstances(), before)
})

async function reservedInstances(): Promise<number> {
  const { capacity } = (await diary.get('/v1/servers/local')) as {
    capacity?: { instances: { reserved: string } }
  }
  return Number(capacity?.instances.reserved)
}

test('cancelled before the build: the request is closed and nothing is built', async () => {
  const placed = await place(line('site-on-payment'))
  await untilItWaits(placed)
  const cancelled = await diary.post(`/v1/orders/${placed.order}/cancel`, { reason: 'changed my mind' })
  assert.deepEqual(
    [cancelled['state'], request(cancelled)['state'], cancelled['waits_for']],
    ['cancelled', 'closed', []],
  )
  await untilEnded(placed)
  const again = await installation.call('POST', `/v1/orders/${placed.order}/cancel`, {})
  assert.deepEqual([again.status, again.body['code']], [409, 'order_ended'])
})

test('cancelled during the build: it stops between two steps and is undone, and the money stays as balance', async () => {
  const placed = await place(line('site-on-payment'))
  await pay(placed.body)
  await until('a step runs', async () => {
    const [build] = await diary.list(`/v1/builds?subscription=${placed.subscription}`)
    return build
  })
  await diary.post(`/v1/orders/${placed.order}/cancel`, {})
  await untilEnded(placed)
  assert.equal(await balance(), 357)
  assert.equal((await read(placed))['state'], 'cancelled')
})

test('what is active is not cancelled with its order', async () => {
  const placed = await place(line('static-site'))
  await diary.untilPhase(placed.subscription, 'active')
  await until('billed', async () => (await diary.invoices(placed.subscription)).length === 1)
  const refused = await installation.call('POST', `/v1/orders/${placed.order}/cancel`, {})
  assert.deepEqual([refused.status, refused.body['code']], [409, 'order_active'])
})

test('by the seller’s setting the money of what was never built is refunded: a task until it was sent', async () => {
  await patchSeller({ unbuilt_payments: 'refund' })
  const before = await balance()
  const placed = await place({
    lines: [{ product: 'site-on-payment' }, { product: 'site-on-acceptance' }],
  })
  assert.deepEqual(placed.body['waits_for'], ['waiting to be accepted', 'waiting for payment'])
  const paid = await pay(placed.body)
  assert.deepEqual(paid['waits_for'], ['waiting to be accepted'])
  const refused = await diary.post(`/v1/orders/${placed.order}/refuse`, { reason: 'not our customer' })
  assert.equal(refused['state'], 'cancelled')
  const [task] = await until('the refund is a task', async () => {
    const tasks = await openTasks(placed)
    return tasks.length > 0 && tasks
  })
  assert.deepEqual([task?.['kind'], task?.['subject']], ['refund_due', '7.14 USD to be refunded'])
  assert.equal(await balance(), before)
  await diary.post(`/v1/orders/${placed.order}/refund-sent`, { reference: 'bank, 2 March' })
  await untilEnded(placed)
  const again = await installation.call('POST', `/v1/orders/${placed.order}/refund-sent`, {})
  assert.deepEqual([again.status, again.body['code']], [409, 'no_refund_due'])
})

test('held for review by the rules of the seller: the task names them, the customer sees that it is checked', async () => {
  await patchSeller({ review_rules: { amount_from_minor: 700, countries: ['PL'], is_first_order: true } })
  await diary.post(
    '/v1/customers',
    { code: 'newcomer', name: 'Newcomer', address: 'Kraków', country: 'PL', currency: 'USD' },
    201,
  )
  const first = await place({ ...line('static-site'), customer: 'newcomer' })
  assert.deepEqual(first.body['waits_for'], ['being checked'])
  const [task] = await openTasks(first)
  assert.deepEqual(
    [task?.['kind'], task?.['subject']],
    ['order_review', 'Order to be reviewed: country, first_order'],
  )
  await untilItWaits(first)
  await assertNothingBuilt(first)
  const dear = await place({ lines: [{ product: 'static-site', quantity: 2 }] })
  assert.deepEqual(
    (dear.body['holds'] as Json[]).map(({ rule }) => rule),
    ['amount'],
  )
  await diary.post(`/v1/orders/${first.order}/accept`, { reason: 'looks fine' })
  await diary.post(`/v1/orders/${dear.order}/refuse`, { reason: 'a stolen card' })
  await diary.untilPhase(first.subscription, 'active')
  await untilEnded(dear)
  const told = await diary.events(dear.subscription)
  const refusal = told.find(({ kind }) => kind === 'order.refused')
  const { reason, actor } = (refusal?.['data'] ?? {}) as Json
  assert.equal(reason, 'a stolen card')
  assert.match(String(actor), /^key_/)
  await patchSeller({ review_rules: {} })
})

test('a mail address that is not verified is waited for, 7 days at most', async () => {
  await patchSeller({ mail_verification: 'always' })
  const clock = await diary.createClock('2026-03-01T09:00:00Z')
  const [verified, forgotten] = [
    await place({ ...line('static-site'), customer: 'north-clinic' }),
    await place({ ...line('static-site'), test_clock: clock }),
  ]
  assert.deepEqual(verified.body['waits_for'], ['waiting for the mail address to be verified'])
  await untilItWaits(verified)
  await assertNothingBuilt(verified)
  const { token } = (await diary.post('/v1/customers/north-clinic/mail-verification', {}, 201)) as {
    token: string
  }
  const customer = await diary.post('/v1/mail-verifications', { token })
  assert.notEqual(customer['mail_verified_at'], null)
  const used = await installation.call('POST', '/v1/mail-verifications', { token })
  assert.deepEqual([used.status, used.body['code']], [404, 'verification_invalid'])
  await diary.untilPhase(verified.subscription, 'active')

  await diary.advance(clock, { to: '2026-03-09T00:00:00Z' })
  assert.deepEqual(
    [(await read(forgotten))['state'], (await read(forgotten))['expired_at']],
    ['expired', '2026-03-08T09:00:00.000Z'],
  )
  await untilEnded(forgotten)
  await patchSeller({ mail_verification: 'shop' })
})
