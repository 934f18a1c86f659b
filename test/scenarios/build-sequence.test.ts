import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createDryRunRunner } from '#docker/dry-run.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, type Json, type TestInstallation } from '#test/support/installation.ts'
import { saveOwnApplication, sellApplication, sellProduct } from '#test/support/sold-application.ts'

const parts = [
  ['application', 30],
  ['database', 10],
  ['files', 20],
] as const

const runner = createDryRunRunner()
let installation: TestInstallation
let diary: Diary
before(async () => {
  installation = await startInstallation({ wrapRunner: () => runner })
  diary = createDiary(installation)
})
after(async () => installation.stop())

test('a database at 10, files at 20 and an application at 30 are built in this order, and removed in reverse', async () => {
  const product = {
    billing_type: 'flat',
    billing_timing: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'month',
    base_price: '5.00',
    currency: 'USD',
  }
  for (const [code] of parts) {
    const compose = `services: { main: { image: "${code}:1" } }\nx-clouder: { title: ${code} }\n`
    await saveOwnApplication(installation.db, { code, compose })
    await diary.post('/v1/products', { ...product, code, name: code, applications: [code] }, 201)
  }
  const billOfMaterials = parts.map(([code, sequence]) => ({ product: code, quantity: '1', sequence }))
  await diary.post('/v1/kits', { code: 'whole', name: 'Whole', bill_of_materials: billOfMaterials }, 201)

  const order = await diary.post(
    '/v1/orders',
    { customer: 'harbour-bakery', lines: [{ kit: 'whole', quantity: '5' }] },
    201,
  )
  const sold = (order['subscriptions'] as Json[]).map(({ id }) => String(id))
  for (const id of sold) await diary.untilPhase(id, 'active')
  for (const id of sold) {
    await diary.post(`/v1/subscriptions/${id}/cancel`, { when: 'now', reason: 'over' })
    await diary.untilPhase(id, 'ended')
  }
  const calls = runner.calls().map((call) => call.split(' '))
  const own = (
    await installation.db.selectFrom('instances').select(['name', 'subscription_id']).execute()
  ).map((row) => ({ ...row, part: row.name.replace(/-[^-]*$/, '') }))
  for (const id of new Set(own.map((row) => row.subscription_id))) {
    const partOf = (name: string): string | undefined =>
      own.find((row) => row.subscription_id === id && name.includes(`_${row.name}_`))?.part
    const walked = (verb: string): (string | undefined)[] =>
      calls.flatMap(([did, kind, name = '']) =>
        did === verb && kind === 'container' && partOf(name) !== undefined ? [partOf(name)] : [],
      )
    assert.deepEqual(walked('ensure'), ['database', 'files', 'application'])
    assert.deepEqual(walked('remove'), ['application', 'files', 'database'])
  }
})

test('what an application brings along is built, started and stopped in its sequence, and each shows whose part it is', async () => {
  for (const code of ['storage', 'data'])
    await saveOwnApplication(installation.db, {
      code,
      compose: `services: { main: { image: "${code}:1" } }\n`,
    })
  const compose = `
services: { main: { image: "blog:1" } }
x-clouder:
  title: Blog
  children:
    - { application: storage, sequence: 20 }
    - { application: data, sequence: 10 }
`
  const before = runner.calls().length
  const blog = await sellApplication(installation, diary, { code: 'blog', compose })
  await diary.untilPhase(blog, 'active')
  const { body } = await installation.call('GET', `/v1/instances?subscription=${blog}`)
  const instances = new Map((body['data'] as Json[]).map((one) => [String(one['application']), one]))
  const whole = instances.get('blog')
  const ofWhole = ((whole?.['parts'] ?? []) as Json[]).map(({ id }) => id)
  assert.deepEqual(ofWhole, [instances.get('data')?.['id'], instances.get('storage')?.['id']])
  assert.equal(instances.get('data')?.['parent'], whole?.['id'])
  const codes = new Map([...instances].map(([code, one]) => [String(one['name']), code]))
  const walked = (verb: RegExp): (string | undefined)[] =>
    runner
      .calls()
      .slice(before)
      .filter((call) => verb.test(call))
      .map((call) => codes.get(call.split('_')[1] ?? ''))
      .filter((code) => code !== undefined)
  assert.deepEqual(walked(/^ensure container/), ['data', 'storage', 'blog'])
  await diary.post(`/v1/subscriptions/${blog}/suspend`, { reason: 'not paid' })
  await diary.untilPhase(blog, 'suspended')
  assert.deepEqual(walked(/^stop/), ['blog', 'storage', 'data'])
  await diary.post(`/v1/subscriptions/${blog}/resume`, {})
  await diary.untilPhase(blog, 'active')
  assert.deepEqual(walked(/^start/), ['data', 'storage', 'blog'])
})

test('an order of what brings along something that nobody imported is refused, and one that brings itself', async () => {
  const compose = (children: string) =>
    `services: { main: { image: "lone:1" } }\nx-clouder: { children: [{ application: ${children} }] }\n`
  const order = async (code: string) =>
    await installation.call('POST', '/v1/orders', { customer: 'harbour-bakery', lines: [{ product: code }] })
  for (const [code, child, refusal] of [
    ['lone', 'nowhere', 'application_unknown'],
    ['ring', 'ring', 'dependency_cycle'],
  ] as const) {
    await sellProduct(installation.db, code, [
      await saveOwnApplication(installation.db, { code, compose: compose(child) }),
    ])
    const { body } = await order(code)
    assert.equal(body['code'], refusal)
  }
})
