import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, until, type Json, type TestInstallation } from '#test/support/installation.ts'

// What is ordered together is built side by side, ready at different instants, and on one first invoice (B-07, C-10).
let installation: TestInstallation
let diary: Diary
let clock: string
let subscriptions: string[]

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
})
after(async () => await installation.stop())

const totals = (invoices: readonly Json[]) =>
  invoices.map((invoice) => ({
    lines: (invoice['lines'] as Json[]).map(
      (line) => (line['amount'] as { amount_minor: number }).amount_minor,
    ),
    total: (invoice['total'] as { amount_minor: number }).amount_minor,
  }))

chapter(
  '1 April: three of Config 2 are three subscriptions, three instances, one document with three lines of 10.00',
  async () => {
    clock = await diary.createClock('2026-04-01T09:00:00Z')
    const order = await diary.post(
      '/v1/orders',
      { customer: 'harbour-bakery', lines: [{ kit: 'odoo-config-2', quantity: '3' }], test_clock: clock },
      201,
    )
    subscriptions = (order['subscriptions'] as Json[]).map((subscription) => String(subscription['id']))
    assert.equal(subscriptions.length, 3)
    for (const subscription of subscriptions) {
      const active = await diary.untilPhase(subscription, 'active')
      assert.equal((active['instances'] as Json[]).length, 1)
    }
    for (const subscription of subscriptions) {
      const invoices = await until('the first invoice', async () => {
        const found = await diary.invoices(subscription)
        return found.length > 0 && found
      })
      assert.deepEqual(totals(invoices), [{ lines: [1000, 1000, 1000], total: 3000 }])
    }
  },
)

chapter('1 May: they go on together', async () => {
  await diary.advance(clock, { to: '2026-05-01T09:00:00Z' })
  const [first = ''] = subscriptions
  const april = { lines: [1000, 1000, 1000], total: 3000 }
  assert.deepEqual(totals(await diary.invoices(first)), [april, april])
})
