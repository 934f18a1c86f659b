import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, type TestInstallation } from '#test/support/installation.ts'

let installation: TestInstallation
let diary: Diary
before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
})
after(async () => installation.stop())

test('with two days for review, each invoice is a draft first; what waits or comes meanwhile is on it', async () => {
  const patched = await installation.call('PATCH', '/v1/seller', { draft_days: 2 })
  assert.equal(patched.status, 200)

  // 1 March: sold. The first invoice is a draft until 3 March.
  const clock = await diary.createClock('2026-03-01T09:00:00Z')
  const subscription = await diary.order([{ kit: 'odoo-config-2', quantity: '1' }], { clock })
  await diary.untilPhase(subscription, 'active')
  await diary.advance(clock, { to: '2026-03-01T12:00:00Z' })
  const [march] = await diary.invoices(subscription)
  assert.deepEqual([march?.['status'], march?.['finalize_on']], ['draft', '2026-03-03'])
  const waiting = await installation.call('GET', `/v1/test-clocks/${clock}`)
  assert.equal(waiting.body['drafts'], 1)

  // 4 March: finalized by itself.
  await diary.advance(clock, { to: '2026-03-04T00:00:00Z' })
  const [finalized, ...others] = await diary.invoices(subscription)
  assert.deepEqual([finalized?.['id'], finalized?.['status'], others], [march?.['id'], 'finalized', []])

  // 20 March: two orders wait, of 12.00 and 8.00.
  await diary.advance(clock, { to: '2026-03-20T12:00:00Z' })
  for (const [price, reference] of [
    ['12.00', 'order 7'],
    ['8.00', 'order 9'],
  ]) {
    const body = { description: 'Work', unit_price: price, reference, test_clock: clock }
    await diary.post('/v1/customers/harbour-bakery/one-off-charges', body, 201)
  }

  // 2 April: the invoice of April is open, with both orders on it, and is finalized by hand.
  await diary.advance(clock, { to: '2026-04-02T00:00:00Z' })
  const april = (await diary.invoices(subscription))[1]
  assert.equal(april?.['status'], 'draft')
  const lines = april['lines'] as { description: string; amount: { amount_minor: number } }[]
  assert.deepEqual(
    lines.map((line) => [line.description, line.amount.amount_minor]),
    [
      ['Flat Odoo', 1_000],
      ['Work (order 7)', 1_200],
      ['Work (order 9)', 800],
    ],
  )
  const done = await diary.post(`/v1/invoices/${String(april['id'])}/finalize`, {})
  assert.equal(done['status'], 'finalized')

  // 10 June: every month has one invoice, and nothing was billed twice.
  await diary.advance(clock, { to: '2026-06-10T00:00:00Z' })
  const all = await diary.invoices(subscription)
  assert.deepEqual(
    all.map((invoice) => [invoice['status'], (invoice['net'] as { amount_minor: number }).amount_minor]),
    [
      ['finalized', 1_000],
      ['finalized', 3_000],
      ['finalized', 1_000],
      ['finalized', 1_000],
    ],
  )
})
