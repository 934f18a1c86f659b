import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { newId } from '#db/identifier.ts'
import { createKey } from '#test/support/api.ts'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, until, type Json, type TestInstallation } from '#test/support/installation.ts'

let installation: TestInstallation
let diary: Diary
/** Of a customer's own system: it may ask, and read what it asked for. */
let customersKey: string
let manual: Sold
let automatic: Sold
let request: Json

interface Sold {
  readonly subscription: string
  readonly line: string
  readonly instance: string
}

const day = '2027-03-10'
const users = {
  billing_type: 'threshold',
  billing_timing: 'advance',
  recurrence: { count: 1, unit: 'month' },
  unit: 'user',
  base_price: '10.00',
  currency: 'USD',
  limit: 'users',
  applications: ['odoo-stand-in'],
}

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  customersKey = await createKey(installation.db, ['change_requests:read', 'change_requests:write'])
  const terms = { upgrade_mode: 'manual' }
  await diary.post('/v1/products', { ...users, code: 'managed-user', name: 'Managed user', terms }, 201)
  await diary.post('/v1/products', { ...users, code: 'free-user', name: 'User' }, 201)
  manual = await sell('managed-user')
  automatic = await sell('free-user')
})
after(async () => await installation.stop())

async function sell(product: string): Promise<Sold> {
  const clock = await diary.createClock(`${day}T09:00:00Z`)
  const subscription = await diary.order([{ product, quantity: 5 }], { clock })
  const active = await diary.untilPhase(subscription, 'active')
  const [line] = active['lines'] as Json[]
  return { subscription, line: String(line?.['id']), instance: String(line?.['instance']) }
}

async function asCustomer(method: string, address: string, body?: Json) {
  const response = await installation.app.request(address, {
    method,
    headers: {
      authorization: `Bearer ${customersKey}`,
      ...(body ? { 'content-type': 'application/json', 'idempotency-key': newId() } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return { status: response.status, body: (await response.json()) as Json }
}

async function ask({ subscription, line }: Sold, quantity: string, message?: string) {
  return await asCustomer('POST', `/v1/subscriptions/${subscription}/change-requests`, {
    line,
    quantity,
    ...(message === undefined ? {} : { message }),
  })
}

async function quantities({ subscription }: Sold): Promise<unknown[]> {
  const { lines } = (await diary.subscription(subscription)) as { lines: Json[] }
  return lines.map((line) => [line['quantity'], line['ends_on']])
}

async function taskOf(id: unknown): Promise<Json | undefined> {
  return (await diary.list('/v1/tasks?limit=100')).find((task) => task['subject_id'] === id)
}

async function eventsOf({ subscription }: Sold, kind: string): Promise<Json[]> {
  return await until(`an event ${kind}`, async () => {
    const events = await diary.events(subscription)
    const found = events.filter((event) => event['kind'] === kind)
    return found.length > 0 && found.map((event) => event['data'] as Json)
  })
}

chapter('C-30 with upgrade mode manual, asking makes a task and changes nothing', async () => {
  const { status, body } = await ask(manual, '8', 'We hired three people.')
  assert.equal(status, 201, JSON.stringify(body))
  request = body
  assert.partialDeepStrictEqual(body, {
    subscription: manual.subscription,
    line: manual.line,
    instance: manual.instance,
    mode: 'manual',
    asked: { quantity: '8' },
    message: 'We hired three people.',
    state: 'open',
    preview: {
      from: '5',
      to: '8',
      effective_on: day,
      // The whole month is given back and charged anew, and April is on the same invoice.
      credit: { amount_minor: -5000 },
      charge: { amount_minor: 16_000 },
      limit: { code: 'users', from: '5', to: '8' },
      next_invoice: { on: '2027-04-10' },
    },
  })
  const task = await taskOf(body['id'])
  assert.partialDeepStrictEqual(task, { kind: 'change_requested', closed_at: null })
  const detail = String(task?.['detail'])
  for (const told of [manual.subscription, manual.instance, String(body['requested_by']), 'from 5 to 8', '-50.00', '160.00', '2027-04-10', 'We hired three people.'])
    assert.ok(detail.includes(told), `${detail} lacks ${told}`) // prettier-ignore
  assert.deepEqual(await quantities(manual), [['5', null]])
  assert.deepEqual(
    (await eventsOf(manual, 'subscription.change_requested')).map((data) => data['actor']),
    [body['requested_by']],
  )
})

chapter('who may ask may not decide, nor change by himself; and one change waits at a time', async () => {
  const id = String(request['id'])
  for (const address of [
    `/v1/change-requests/${id}/apply`,
    `/v1/change-requests/${id}/refuse`,
    `/v1/subscriptions/${manual.subscription}/change-plan`,
  ]) {
    const { status, body } = await asCustomer('POST', address, {})
    assert.deepEqual([status, body['code']], [403, 'scope_missing'], address)
  }
  const again = await ask(manual, '9')
  assert.deepEqual([again.status, again.body['code']], [409, 'change_requested_already'])
})

chapter('C-30 completing the task applies the change, once', async () => {
  const id = String(request['id'])
  const applied = await diary.post(`/v1/change-requests/${id}/apply`, {})
  const { id: operator } = await diary.get('/v1/me')
  assert.partialDeepStrictEqual(applied, { state: 'applied', decided_by: operator, refused_reason: null })
  assert.deepEqual(await quantities(manual), [
    ['5', day],
    ['8', null],
  ])
  assert.partialDeepStrictEqual(await taskOf(id), { closed_reason: 'applied' })
  assert.partialDeepStrictEqual(await eventsOf(manual, 'subscription.changed'), [
    { from: '5', to: '8', actor: operator },
  ])
  for (const answer of ['apply', 'refuse']) {
    const reply = await installation.call('POST', `/v1/change-requests/${id}/${answer}`, answer === 'refuse' ? { reason: 'No.' } : {}) // prettier-ignore
    assert.deepEqual([reply.status, reply.body['code']], [409, 'change_request_decided'])
  }
})

chapter('C-30 refusing tells the customer why, and changes nothing', async () => {
  const { body: asked } = await ask(manual, '10')
  const id = String(asked['id'])
  const silent = await installation.call('POST', `/v1/change-requests/${id}/refuse`, { reason: ' ' })
  assert.equal(silent.status, 422)
  const reason = 'The server is full until June.'
  await diary.post(`/v1/change-requests/${id}/refuse`, { reason })
  const read = await asCustomer('GET', `/v1/change-requests/${id}`)
  assert.partialDeepStrictEqual(read.body, { state: 'refused', refused_reason: reason })
  assert.deepEqual((await quantities(manual)).at(-1), ['8', null])
  assert.partialDeepStrictEqual(await taskOf(id), { closed_reason: 'refused' })
  assert.partialDeepStrictEqual(await eventsOf(manual, 'subscription.change_refused'), [{ reason }])
})

chapter('C-31 with upgrade mode automatic, the same request is applied at once, without a task', async () => {
  const beganAt = Date.now()
  const { status, body } = await ask(automatic, '8')
  assert.ok(Date.now() - beganAt < 10_000)
  assert.equal(status, 201, JSON.stringify(body))
  assert.partialDeepStrictEqual(body, { mode: 'automatic', state: 'applied' })
  // The same preview as the manual one, but for the product.
  const withoutProduct = ({ preview }: Json) => ({ ...(preview as Json), product: null })
  assert.deepEqual(withoutProduct(body), withoutProduct(request))
  assert.deepEqual(await quantities(automatic), [
    ['5', day],
    ['8', null],
  ])
  assert.equal(await taskOf(body['id']), undefined)
})

chapter('what the instance cannot take is refused at once, and the request says so', async () => {
  const { instances } = (await diary.subscription(automatic.subscription)) as { instances: Json[] }
  for (const name of ['ada', 'bob']) {
    const body = new URLSearchParams({ name })
    const address = new URL('/cgi-bin/users', String(instances[0]?.['address']))
    assert.equal((await fetch(address, { method: 'POST', body })).status, 201)
  }
  const { status, body } = await ask(automatic, '1')
  assert.deepEqual([status, body['code']], [409, 'below_current_use'])
  const page = `/v1/change-requests?subscription=${automatic.subscription}&state=refused`
  const { body: list } = await asCustomer('GET', page)
  const [refused] = list['data'] as Json[]
  assert.match(String(refused?.['refused_reason']), /are in use/)
})

chapter(
  'an operator changes what is manual without a request, and an ended subscription leaves no task',
  async () => {
    await diary.post(`/v1/subscriptions/${manual.subscription}/change-plan`, {
      line: manual.line,
      quantity: '9',
    })
    assert.deepEqual((await quantities(manual)).at(-1), ['9', null])
    const { body: asked } = await ask(manual, '11')
    assert.equal(asked['state'], 'open')
    await diary.post(`/v1/subscriptions/${manual.subscription}/cancel`, { when: 'now' })
    await diary.untilPhase(manual.subscription, 'ended')
    const { body: after } = await asCustomer('GET', `/v1/change-requests/${String(asked['id'])}`)
    assert.partialDeepStrictEqual(after, { state: 'refused', refused_reason: 'The subscription has ended.' })
  },
)
