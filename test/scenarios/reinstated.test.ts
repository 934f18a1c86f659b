import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, type Json, type TestInstallation } from '#test/support/installation.ts'
import { createDataKeeper } from '#test/support/kept-data.ts'

// A cancellation is withdrawn after the end, while the last backup is kept (C-40).

let installation: TestInstallation
let diary: Diary
let keeper: ReturnType<typeof createDataKeeper>
let clock: string
let ended: string
let again: string

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  keeper = createDataKeeper(installation, diary)
  clock = await diary.createClock('2026-04-01T09:00:00Z')
})
after(async () => await installation.stop())

async function nameOf(subscription: string): Promise<string> {
  const [instance] = (await diary.subscription(subscription))['instances'] as Json[]
  return String(instance?.['name'])
}

/** What it sells at the end or now, without ids and days. */
async function soldBy(subscription: string): Promise<string[]> {
  const lines = (await diary.subscription(subscription))['lines'] as Json[]
  return lines
    .filter((line) => line['quantity'] !== '5' || line['product'] !== 'odoo-user')
    .map(({ product, product_version: version, quantity, price }) =>
      [product, version, quantity, JSON.stringify(price)].map(String).join(' '),
    )
    .toSorted()
}

/** The lines of its documents: what is charged for which days. */
async function billedFor(subscription: string): Promise<string[]> {
  const invoices = await diary.invoices(subscription)
  return invoices
    .flatMap((invoice) => invoice['lines'] as Json[])
    .map((line) => {
      const { start, end } = line['service_period'] as Json
      const { amount_minor: amount } = line['amount'] as Json
      return `${String(line['product'])} ${String(start)} to ${String(end)}: ${String(amount)}`
    })
}

async function reinstate(subscription: string) {
  return await installation.call('POST', `/v1/subscriptions/${subscription}/reinstate`, {})
}

test('what ended on the 10th goes on from the 20th: same name, secrets, data, lines and prices, billed from then on', async () => {
  ended = await diary.order([{ kit: 'odoo-config-1' }], { clock })
  await diary.untilPhase(ended, 'active')
  const refused = await reinstate(ended)
  assert.deepEqual([refused.status, refused.body['code']], [409, 'action_not_allowed'])
  await keeper.run(ended, 'echo written > /data/page')
  const name = await nameOf(ended)
  const lines = (await diary.subscription(ended))['lines'] as Json[]
  const users = lines.find(({ limit }) => limit === 'users')
  const price = { model: 'per_unit', unit_amount: '3' }
  const change = { line: users?.['id'], quantity: '7', price }
  await diary.post(`/v1/subscriptions/${ended}/change-plan`, change)
  await diary.advance(clock, { to: '2026-04-10T09:00:00Z' })
  await keeper.cancel(ended)
  await keeper.untilEnded(ended)
  const uncancel = await installation.call('POST', `/v1/subscriptions/${ended}/uncancel`, {})
  assert.deepEqual([uncancel.status, uncancel.body['code']], [409, 'subscription_ended'])
  const billed = await billedFor(ended)

  await diary.advance(clock, { to: '2026-04-20T09:00:00Z' })
  const { status, body } = await reinstate(ended)
  assert.equal(status, 201, JSON.stringify(body))
  again = String((body['subscriptions'] as Json[])[0]?.['id'])
  await diary.untilPhase(again, 'active')
  assert.equal(await nameOf(again), name)
  assert.equal(await keeper.run(again, 'cat /data/page'), 'written')
  const { starts_on: startsOn } = await diary.subscription(again)
  assert.equal(startsOn, '2026-04-20')
  assert.deepEqual(await soldBy(again), await soldBy(ended))
  const inForce = await installation.db
    .selectFrom('limits')
    .innerJoin('instances', 'instances.id', 'limits.instance_id')
    .select(['limits.code', 'in_force_quantity'])
    .where('destroyed_at', 'is', null)
    .orderBy('limits.code')
    .execute()
  assert.deepEqual(
    inForce.map(({ code, in_force_quantity: quantity }) => `${code} ${quantity}`),
    ['emails 5', 'users 7'],
  )
  assert.deepEqual(await billedFor(ended), billed)
  assert.deepEqual(await billedFor(again), [
    // At 3.00 a user, as agreed.
    'odoo-user 2026-04-20 to 2026-05-20: 2100',
    'email 2026-04-20 to 2026-05-20: 500',
  ])
})

test('it comes back once at a time', async () => {
  const { status, body } = await reinstate(ended)
  assert.deepEqual([status, body['code']], [409, 'reinstated_already'])
  assert.match(String(body['detail']), new RegExp(again))
})

test('when its time is over it is refused', async () => {
  await keeper.cancel(again)
  await keeper.untilEnded(again)
  const now = new Date().toISOString()
  await installation.db.updateTable('backups').set({ expires_at: now }).where('state', '=', 'kept').execute()
  const { status, body } = await reinstate(again)
  assert.deepEqual([status, body['code']], [409, 'backup_expired'])
})
