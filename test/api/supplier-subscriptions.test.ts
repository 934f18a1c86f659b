import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { watchSupplierSubscriptions } from '#db/supplier-subscription.ts'
import { addDays, dateIn } from '#domain/calendar.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'

type Json = Record<string, unknown>
let api: TestApi
const now = new Date().toISOString()
const today = dateIn('UTC', now)
before(async () => {
  api = await createTestApi()
  await api.db.updateTable('installation').set({ time_zone: 'UTC' }).execute()
  await api.post('/v1/suppliers', { code: 'power', name: 'Power', currency: 'EUR' })
})
after(async () => api.close())

const expectMonthly = async (different: Json = {}) =>
  await api.post('/v1/supplier-subscriptions', {
    supplier: 'power',
    name: 'Rack 7',
    amount_minor: 12_000,
    begins_on: addDays(today, -10),
    ...different,
  })
const record = async (number: string, issuedOn: string, net: number) =>
  await api.post('/v1/supplier-invoices', {
    supplier: 'power',
    number,
    issued_on: issuedOn,
    net_minor: net,
    tax_minor: 0,
    total_minor: net,
    lines: [{ description: 'Rack', amount_minor: net }],
  })
const tasks = async () =>
  ((await api.get('/v1/tasks')).body['data'] as Json[])
    .filter(({ kind }) => kind === 'supplier_invoice_missing')
    .map((task) => [task['subject'], task['closed_at'] === null ? 'open' : 'closed'])
const watch = async () => await watchSupplierSubscriptions(api.db, { supplierId: null, now })
const expected = async (day: string) =>
  (await api.get(`/v1/expected-supplier-invoices?month=${day.slice(0, 7)}`)).body['suppliers'] as Json[]

test('an invoice that is missing after its grace makes one task, and its arrival closes it (G-13)', async () => {
  const { status, body } = await expectMonthly()
  assert.equal(status, 201, JSON.stringify(body))
  await watch()
  await watch()
  assert.deepEqual(await tasks(), [['No invoice of Power for Rack 7', 'open']])
  const day = addDays(today, -10)
  const money = (amount: number) => ({ amount_minor: amount, currency: 'EUR' })
  const facts = async () => {
    const [row] = await expected(day)
    const [one] = (row?.['expectations'] ?? []) as Json[]
    return [row?.['expected'], row?.['received'], row?.['missing'], one?.['state'], one?.['number']]
  }
  assert.deepEqual(await facts(), [money(12_000), money(0), 1, 'missing', null])
  assert.equal((await record('R-1', addDays(today, -9), 12_100)).status, 201)
  assert.deepEqual(await tasks(), [['No invoice of Power for Rack 7', 'closed']])
  assert.deepEqual(await facts(), [money(12_000), money(12_100), 0, 'received', 'R-1'])
  await watch()
  assert.equal((await tasks()).length, 1)
})

test('while its grace lasts nothing is missing', async () => {
  await expectMonthly({ name: 'Power', begins_on: addDays(today, -3), amount_minor: 500 })
  await watch()
  assert.equal((await tasks()).length, 1)
})

test('where nothing is expected any more, what was missing is settled', async () => {
  const { body } = await expectMonthly({ name: 'Cable', begins_on: addDays(today, -20), amount_minor: null })
  const cable = async () => (await tasks()).filter(([subject]) => subject === 'No invoice of Power for Cable')
  assert.deepEqual(await cable(), [['No invoice of Power for Cable', 'open']])
  const address = `/v1/supplier-subscriptions/${String(body['id'])}`
  const early = await api.patch(address, { ends_on: addDays(today, -21) })
  assert.deepEqual([early.status, early.body['code']], [422, 'date_range_invalid'])
  assert.equal((await api.patch(address, { ends_on: addDays(today, -20) })).status, 200)
  assert.deepEqual(await cable(), [['No invoice of Power for Cable', 'closed']])
  assert.equal((await api.get(address)).body['ends_on'], addDays(today, -20))
})

test('supplier subscriptions are listed, of one supplier too, and of one that is unknown refused', async () => {
  const of = async (query: string) =>
    ((await api.get(`/v1/supplier-subscriptions${query}`)).body['data'] as Json[]).length
  assert.deepEqual([await of(''), await of('?supplier=power')], [3, 3])
  const unknown = await api.get('/v1/supplier-subscriptions?supplier=nobody')
  assert.equal(unknown.body['code'], 'supplier_unknown')
  assert.equal((await expectMonthly({ supplier: 'nobody' })).body['code'], 'supplier_unknown')
})
