import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, type Json, type TestInstallation } from '#test/support/installation.ts'

let installation: TestInstallation
let diary: Diary
let clock: string
let subscription: string
let simulation: Json

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  const product = { billing_timing: 'advance', recurrence: { count: 1, unit: 'month' }, currency: 'USD' }
  await diary.post(
    '/v1/products',
    { ...product, code: 'care', name: 'Care', billing_type: 'flat', unit: 'month', base_price: '24.95' },
    201,
  )
  const calls = {
    ...product,
    code: 'calls',
    name: 'Calls',
    billing_type: 'usage',
    unit: 'request',
    metric: 'calls',
  }
  const tiers = [
    { up_to: '1000', unit_amount: '0.013' },
    { up_to: null, unit_amount: '0.007', flat_amount: '5' },
  ]
  const price = { model: 'graduated', included_quantity: '100', tiers }
  await diary.post('/v1/products', { ...calls, billing_timing: 'arrears', price }, 201)
  const bill_of_materials = [
    { product: 'care', quantity: 1, sequence: 1 },
    { product: 'calls', quantity: 1, sequence: 2 },
  ]
  await diary.post('/v1/kits', { code: 'care-and-calls', name: 'Care and calls', bill_of_materials }, 201)
})
after(async () => await installation.stop())

/** What an invoice says, with how each line came about; without what only a row has, or readings alone can tell. */
function told(invoice: Json, on: unknown) {
  const lines = (invoice['lines'] as Json[]).map((line) => {
    const explanation = { ...(line['explanation'] as Json) }
    const usage = explanation['usage'] as Json | undefined
    if (usage !== undefined) explanation['usage'] = [usage['quantity'], usage['unit']]
    const { kind, description, quantity, service_period, amount, discount, tax, subscription_line } = line
    return {
      kind,
      description,
      quantity,
      service_period,
      amount,
      discount,
      tax,
      subscription_line,
      explanation,
    }
  })
  return {
    on,
    kind: invoice['kind'],
    net: invoice['net'],
    tax: invoice['tax'],
    total: invoice['total'],
    lines,
  }
}

chapter('31 January: sold, and simulated for a year with 1,234 calls a month', async () => {
  clock = await diary.createClock('2027-01-31T10:00:00Z')
  subscription = await diary.order([{ kit: 'care-and-calls' }], { clock })
  await diary.untilPhase(subscription, 'active')
  await diary.advance(clock, { to: '2027-01-31T12:00:00Z' })
  const wish = { months: 12, usage: { calls: '1234' } }
  simulation = await diary.post(`/v1/subscriptions/${subscription}/simulation`, wish)
  assert.equal((simulation['invoices'] as Json[]).length, 12)
  assert.deepEqual(
    (simulation['turning_points'] as Json[]).map(({ on, kind, quantity }) => [on, kind, quantity]),
    [
      ['2027-02-02', 'included_used_up', '100'],
      ['2027-02-24', 'tier_reached', '1100'],
    ],
  )
})

chapter(
  'J-07 a year on, the test clock has made just these invoices, line by line, to the last explanation',
  async () => {
    for (const [index, invoice] of (simulation['invoices'] as Json[]).entries()) {
      const metered = (invoice['lines'] as Json[]).find(({ kind }) => kind === 'usage')
      assert.ok(metered)
      const { start } = metered['service_period'] as { start: string }
      const used = { subscription, metric: 'calls', quantity: '1234', unit: 'request' }
      await diary.advance(clock, { to: `${start}T20:00:00Z` })
      await diary.pushUsage({ id: `month-${index}`, ...used, at: `${start}T18:00:00Z` })
    }
    await diary.advance(clock, { to: '2028-01-31T12:00:00Z' })
    const [, ...made] = await diary.invoices(subscription)
    assert.deepEqual(
      made.map((invoice) => told(invoice, invoice['issued_on'])),
      (simulation['invoices'] as Json[]).map((invoice) => told(invoice, invoice['on'])),
    )
  },
)
