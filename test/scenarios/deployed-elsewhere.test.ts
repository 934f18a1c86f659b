import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { chapter } from '#test/support/chapter.ts'
import {
  listObjects,
  startInstallation,
  until,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'

// Invoicing and deploying in two installations (G-21): `bills` sells and bills, `deploys` has the engine's containers.

let bills: TestInstallation
let deploys: TestInstallation
/** What was sold, and the same over there. */
let sold = ''
let deployment: Json
let there = ''

before(async () => {
  bills = await startInstallation({ isServed: true })
  deploys = await startInstallation({ isServed: true })
  await usageProduct(deploys, 'mails-there', '0')
  await post(deploys, '/v1/kits', {
    code: 'site-there',
    name: 'Site with mails',
    bill_of_materials: [
      { product: 'static-site', quantity: '1', sequence: 10 },
      { product: 'mails-there', quantity: '1', sequence: 20 },
    ],
  })
  await post(bills, '/v1/products', {
    code: 'hosted-site',
    name: 'Hosted site',
    billing_type: 'flat',
    billing_timing: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'month',
    base_price: '12',
    currency: 'USD',
  })
  await usageProduct(bills, 'mails', '0.10')
  await post(bills, '/v1/kits', {
    code: 'site',
    name: 'Site',
    bill_of_materials: [
      { product: 'hosted-site', quantity: '1', sequence: 10 },
      { product: 'mails', quantity: '1', sequence: 20 },
    ],
  })
})
after(async () => {
  await bills.stop()
  await deploys.stop()
})

async function usageProduct(of: TestInstallation, code: string, price: string): Promise<void> {
  await post(of, '/v1/products', {
    code,
    name: 'Mails sent',
    billing_type: 'usage',
    billing_timing: 'arrears',
    recurrence: { count: 1, unit: 'month' },
    unit: 'piece',
    base_price: price,
    currency: 'USD',
    metric: 'mails',
  })
}

async function post(of: TestInstallation, path: string, body: Json): Promise<Json> {
  const answer = await of.call('POST', path, body)
  assert.ok(answer.status < 300, `${path} ${JSON.stringify(answer.body)}`)
  return answer.body
}

const get = async (of: TestInstallation, path: string) => (await of.call('GET', path)).body

async function relay(): Promise<void> {
  await bills.relay()
  await deploys.relay()
}

async function untilPhase(of: TestInstallation, id: string, phase: string): Promise<Json> {
  let seen: Json = {}
  return await until(
    `${id} is ${phase}`,
    async () => {
      await relay()
      seen = await get(of, `/v1/subscriptions/${id}`)
      if (typeof seen['parked_reason'] === 'string')
        assert.fail(JSON.stringify((await get(of, '/v1/tasks'))['data']))
      return seen['phase'] === phase && seen
    },
    180_000,
  )
}

const count = async (
  { db }: TestInstallation,
  table: 'invoices' | 'instances' | 'subscriptions' | 'invoice_lines' | 'usage_windows',
) => {
  const { rows } = await db
    .selectFrom(table)
    .select(db.fn.countAll<string>().as('count'))
    .execute()
    .then((found) => ({ rows: found }))
  return Number(rows[0]?.count)
}

async function running(): Promise<number> {
  return (await listObjects(deploys.installationId)).containers.filter(({ State }) => State === 'running')
    .length
}

const keyScopes = [
  'orders:read',
  'orders:write',
  'orders:bill_elsewhere',
  'subscriptions:read',
  'subscriptions:write',
  'subscriptions:cancel_now',
  'usage:read',
]

async function pushMails(id: string, quantity: string): Promise<void> {
  const response = await deploys.app.request('/v1/usage-events', {
    method: 'POST',
    headers: { authorization: `Bearer ${deploys.key}`, 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({
      specversion: '1.0',
      id,
      source: 'mail-server',
      type: 'mails',
      subject: there,
      time: new Date().toISOString(),
      data: { quantity },
    }),
  })
  assert.equal(response.status, 200, await response.text())
}

chapter('an order here builds there, once, though the answer to it is lost after it was placed', async () => {
  await post(bills, '/v1/deployers', {
    code: 'yard',
    url: deploys.publicUrl,
    customer: 'north-clinic',
    key: await deploys.keyWith(keyScopes),
  })
  await post(bills, '/v1/deployers/yard/products', { product: 'hosted-site', kit_there: 'site-there' })
  const { door, app } = deploys
  let lost = 0
  door?.lead(async (request) => {
    const isOrder = request.method === 'POST' && new URL(request.url).pathname === '/v1/orders'
    const answer = await app.fetch(request)
    if (!isOrder || lost > 0) return answer
    lost += 1
    assert.equal(answer.status, 201)
    return new Response('lost', { status: 502 })
  })
  const order = await post(bills, '/v1/orders', { customer: 'harbour-bakery', lines: [{ kit: 'site' }] })
  sold = String((order['subscriptions'] as Json[])[0]?.['id'])
  const active = await untilPhase(bills, sold, 'active')
  assert.equal(lost, 1)
  deployment = (active['deployments'] as Json[])[0] ?? {}
  there = String(deployment['subscription_there'])
  const built = await get(deploys, `/v1/subscriptions/${there}`)
  assert.deepEqual(
    [built['phase'], built['billed_elsewhere'], built['external_id'], built['next_invoice_on']],
    ['active', true, deployment['id'], null],
  )
  const [instance] = built['instances'] as Json[]
  assert.equal(deployment['address_there'], instance?.['address'])
  assert.equal((await fetch(String(deployment['address_there']))).status, 200)
  assert.deepEqual([await count(deploys, 'subscriptions'), await count(bills, 'instances')], [1, 0])
  assert.equal(await running(), 1)
})

chapter('a product that cannot be ordered there is told before anybody orders it', async () => {
  const { body: hosted } = await bills.call('GET', '/v1/products/hosted-site')
  await post(bills, '/v1/products', {
    code: 'gone-site',
    name: 'Site that is not sold there',
    billing_type: 'flat',
    billing_timing: 'advance',
    recurrence: hosted['recurrence'],
    unit: 'month',
    base_price: '12',
    currency: 'USD',
  })
  await post(bills, '/v1/deployers/yard/products', { product: 'gone-site', product_there: 'gone' })
  const refusals = await until('it was tried', async () => {
    await relay()
    const { products } = await get(bills, '/v1/deployers/yard')
    const told = new Map((products as Json[]).map((of) => [of['product'], of['refusal']]))
    return typeof told.get('gone-site') === 'string' && told
  })
  assert.match(String(refusals.get('gone-site')), /product_unknown/)
  assert.equal(refusals.get('hosted-site'), null)
})

chapter('what is used there arrives here, each once, and is refused for nobody', async () => {
  await pushMails('m1', '40')
  await pushMails('m2', '2')
  for (const round of [1, 2]) {
    await post(bills, '/v1/deployers/yard/look', {})
    await until(`look ${round}`, async () => {
      await relay()
      const { lines } = await get(bills, `/v1/subscriptions/${sold}/usage`)
      const [mails] = lines as { current: { quantity: string } | null }[]
      return mails?.current?.quantity === '42'
    })
  }
  const events = await bills.db.selectFrom('usage_events').select(['source', 'event_id']).execute()
  assert.equal(events.length, 2)
  const refused = await bills.db.selectFrom('refused_usage_events').selectAll().execute()
  assert.deepEqual(refused, [])
})

chapter(
  'another quantity or customer of what runs there is refused here, with where to change it',
  async () => {
    const line = deployment['line']
    for (const [action, body] of [
      ['change-plan', { line, quantity: '2' }],
      ['transfer', { line, customer: 'north-clinic' }],
    ] as const) {
      const refused = await bills.call('POST', `/v1/subscriptions/${sold}/${action}`, body)
      assert.deepEqual([refused.status, refused.body['code']], [409, 'deployed_elsewhere'])
      assert.ok(
        String(refused.body['detail']).includes(`yard, which deploys it. Change it there at ${there}`),
      )
    }
  },
)

chapter('suspended here it is stopped there, and resumed it runs again', async () => {
  await post(bills, `/v1/subscriptions/${sold}/suspend`, { reason: 'It was not paid.' })
  const stopped = await get(deploys, `/v1/subscriptions/${there}`)
  assert.deepEqual(
    [stopped['phase'], (stopped['suspensions'] as Json[]).map(({ code }) => code)],
    ['suspended', ['biller']],
  )
  assert.equal(await running(), 0)
  await post(bills, `/v1/subscriptions/${sold}/resume`, {})
  assert.equal((await get(deploys, `/v1/subscriptions/${there}`))['phase'], 'active')
  assert.equal(await running(), 1)
})

chapter(
  'ended here it is taken down there, and only this side has invoices, of its use too (G-21)',
  async () => {
    await pushMails('m3', '8')
    await post(bills, `/v1/subscriptions/${sold}/cancel`, { when: 'now' })
    await untilPhase(bills, sold, 'ended')
    assert.equal((await get(deploys, `/v1/subscriptions/${there}`))['phase'], 'ended')
    assert.deepEqual((await listObjects(deploys.installationId)).containers, [])
    const { rows } = await bills.db
      .selectFrom('invoice_lines')
      .select(['kind', 'quantity', 'amount_minor'])
      .where('kind', '=', 'usage')
      .execute()
      .then((found) => ({ rows: found }))
    assert.deepEqual(rows, [{ kind: 'usage', quantity: '50', amount_minor: 500 }])
    assert.deepEqual(
      [
        await count(deploys, 'invoices'),
        await count(deploys, 'invoice_lines'),
        await count(deploys, 'usage_windows'),
      ],
      [0, 0, 0],
    )
    assert.deepEqual([await count(bills, 'instances'), await count(deploys, 'instances')], [0, 1])
    const ended = (await get(bills, `/v1/subscriptions/${sold}`))['deployments'] as Json[]
    assert.deepEqual([ended[0]?.['state'], ended[0]?.['phase_there']], ['ended', 'ended'])
  },
)
