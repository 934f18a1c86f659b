import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, type Json, type TestInstallation } from '#test/support/installation.ts'

let installation: TestInstallation
let diary: Diary
let clock: string
let subscription: string

const month = { count: 1, unit: 'month' }
const quarter = { count: 1, unit: 'quarter' }
const flat = {
  billing_type: 'flat',
  billing_timing: 'advance',
  recurrence: month,
  unit: 'month',
  currency: 'USD',
}

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  const product = async (code: string, more: Json) =>
    await diary.post('/v1/products', { ...flat, code, name: code, ...more }, 201)
  await product('seat', { billing_type: 'threshold', unit: 'user', base_price: '10.00' })
  await product('care', { base_price: '30.00' })
  // A quarter of care has a price of its own.
  await product('care-quarter', { variant_of: 'care', recurrence: quarter, base_price: '80.00' })
  await product('calls', { billing_type: 'usage', billing_timing: 'arrears', unit: 'request', metric: 'calls', base_price: '0.02' }) // prettier-ignore
  await product('furniture', { base_price: '50.00', terms: { period_count: 12 } })
  const bill_of_materials = ['seat', 'care', 'calls', 'furniture'].map((code, index) => ({
    product: code,
    quantity: code === 'seat' ? 3 : 1,
    sequence: index + 1,
  }))
  await diary.post('/v1/kits', { code: 'office', name: 'Office', bill_of_materials }, 201)
  clock = await diary.createClock('2027-03-10T09:00:00Z')
  subscription = await diary.order([{ kit: 'office' }], { clock })
  await diary.untilPhase(subscription, 'active')
  await diary.advance(clock, { to: '2027-03-20T09:00:00Z' })
})
after(async () => await installation.stop())

async function lines(): Promise<string[]> {
  const detail = (await diary.subscription(subscription)) as { lines: Json[] }
  return detail.lines.map((line) => {
    const { count, unit } = line['interval'] as Json
    return `${line['product'] as string} ${count as number} ${unit as string} ${line['starts_on'] as string}/${(line['ends_on'] as string | null) ?? ''}`
  })
}

async function billedOn(day: string): Promise<string[]> {
  const invoices = (await diary.invoices(subscription)).filter(({ issued_on: on }) => on === day)
  return invoices
    .flatMap((invoice) => invoice['lines'] as Json[])
    .map((line) => {
      const { start, end } = line['service_period'] as { start: string; end: string }
      return `${line['product'] as string} ${start}/${end} ${(line['amount'] as Json)['amount_minor'] as number}`
    })
    .toSorted()
}

chapter(
  'C-14 set to quarterly, every recurring line moves to the quarterly document from its next period',
  async () => {
    await diary.post(`/v1/subscriptions/${subscription}/set-recurrence`, { recurrence: quarter })
    assert.deepEqual((await lines()).toSorted(), [
      'calls 1 month 2027-03-10/2027-04-10',
      'calls 3 month 2027-04-10/',
      'care 1 month 2027-03-10/2027-04-10',
      'care-quarter 3 month 2027-04-10/',
      'furniture 1 month 2027-03-10/',
      'seat 1 month 2027-03-10/2027-04-10',
      'seat 3 month 2027-04-10/',
    ])
    const { lines: all } = (await diary.subscription(subscription)) as { lines: Json[] }
    const quarterly = all.filter((line) => (line['interval'] as Json)['count'] === 3)
    assert.equal(new Set(quarterly.map((line) => line['document'])).size, 1)
  },
)

chapter(
  'the quarter is billed on its first day, at the price of the variant, or as three months cost',
  async () => {
    await diary.advance(clock, { to: '2027-04-12T09:00:00Z' })
    assert.deepEqual(await billedOn('2027-04-10'), [
      'calls 2027-03-10/2027-04-10 0',
      'care-quarter 2027-04-10/2027-07-10 8000',
      'furniture 2027-04-10/2027-05-10 5000',
      'seat 2027-04-10/2027-07-10 9000',
    ])
    await diary.advance(clock, { to: '2027-07-12T09:00:00Z' })
    assert.deepEqual(await billedOn('2027-07-10'), [
      'calls 2027-04-10/2027-07-10 0',
      'care-quarter 2027-07-10/2027-10-10 8000',
      'furniture 2027-07-10/2027-08-10 5000',
      'seat 2027-07-10/2027-10-10 9000',
    ])
  },
)

chapter('a planned change stays planned, and what has the recurrence already is refused', async () => {
  const again = await installation.call('POST', `/v1/subscriptions/${subscription}/set-recurrence`, {
    recurrence: quarter,
  })
  assert.deepEqual([again.status, again.body['code']], [409, 'action_not_allowed'])
  const { lines: all } = (await diary.subscription(subscription)) as { lines: Json[] }
  const seat = all.find((line) => line['product'] === 'seat' && line['ends_on'] === null)
  const less = { line: seat?.['id'], quantity: '2' }
  await diary.post(`/v1/subscriptions/${subscription}/change-plan`, less)
  await diary.post(`/v1/subscriptions/${subscription}/set-recurrence`, { recurrence: month })
  await diary.advance(clock, { to: '2027-10-12T09:00:00Z' })
  assert.deepEqual(await billedOn('2027-10-10'), [
    'calls 2027-07-10/2027-10-10 0',
    'care 2027-10-10/2027-11-10 3000',
    'furniture 2027-10-10/2027-11-10 5000',
    'seat 2027-10-10/2027-11-10 2000',
  ])
  const days = await installation.call('POST', `/v1/subscriptions/${subscription}/set-recurrence`, {
    recurrence: { count: 10, unit: 'day' },
  })
  assert.deepEqual([days.status, days.body['code']], [422, 'price_missing_in_currency'])
})
