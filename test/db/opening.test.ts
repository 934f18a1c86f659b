import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { activateSubscription } from '#db/activation.ts'
import { billOpening } from '#db/billing.ts'
import { listDueDocuments } from '#db/billing-run.ts'
import { isOpeningAwaited } from '#db/opening.ts'
import { setParked, setPhase } from '#db/subscription.ts'
import { listInvoiceLines } from '#test/support/invoices.ts'
import { activate, createSeller, type Seller, type TestOrder } from '#test/support/seller.ts'

// What is ordered together is built at different instants of a day, and is on one first invoice.
let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

async function order(wanted: TestOrder & { now: string }): Promise<[string, string, string]> {
  const { subscriptionIds } = await seller.order(wanted)
  const [first = '', second = '', third = ''] = subscriptionIds
  for (const id of subscriptionIds) await setPhase(seller.db, id, { phase: 'building', now: wanted.now })
  return [first, second, third]
}

/** What the workflow does when the application was observed ready: true when the first bill was made. */
async function ready(id: string, now: string): Promise<boolean> {
  await activateSubscription(seller.db, id, now)
  return await billUnlessAwaited(id, now)
}

async function billUnlessAwaited(id: string, now: string): Promise<boolean> {
  if (await isOpeningAwaited(seller.db, id, now)) return false
  await billOpening(seller.db, id, now)
  return true
}

/** The invoices on which a subscription stands, each with all of its lines. */
async function invoicesOf(id: string): Promise<string[][]> {
  const rows = await seller.db
    .selectFrom('invoices')
    .select('number')
    .where('id', 'in', (eb) =>
      eb.selectFrom('invoice_lines').select('invoice_id').where('subscription_id', '=', id),
    )
    .orderBy('id')
    .execute()
  return await Promise.all(rows.map(async ({ number }) => await listInvoiceLines(seller.db, number ?? '')))
}

const whole = 'recurring 2026-03-01/2026-04-01 1 × 10 = 1000'

test('three of Config 2 in one order are three subscriptions on one document with three lines of 10.00', async () => {
  const testClockId = await seller.clock('2026-03-01T08:00:00Z')
  const [first, second, third] = await order({ quantity: '3', testClockId, now: '2026-03-01T08:00:00Z' })
  assert.equal(await ready(first, '2026-03-01T08:00:00Z'), false)
  assert.equal(await ready(second, '2026-03-01T08:00:00Z'), false)
  assert.deepEqual(await invoicesOf(first), [])
  assert.equal(await ready(third, '2026-03-01T08:00:00Z'), true)
  assert.deepEqual(await invoicesOf(third), [[whole, whole, whole]])
  assert.equal(await billUnlessAwaited(first, '2026-03-01T08:00:00Z'), true)
  assert.deepEqual(await invoicesOf(first), [[whole, whole, whole]])
})

test('joining a document of which the period is billed, they share one invoice of its remaining days', async () => {
  const testClockId = await seller.clock('2026-03-01T08:00:00Z')
  await seller.sell({ testClockId, now: '2026-03-01T08:00:00Z' })
  const [first, second, third] = await order({ quantity: '3', testClockId, now: '2026-03-16T08:00:00Z' })
  for (const id of [first, second, third]) await ready(id, '2026-03-16T08:00:00Z')
  const part = 'recurring 2026-03-16/2026-04-01 1 × 10 = 516'
  assert.deepEqual(await invoicesOf(second), [[part, part, part]])
  for (const id of [first, second, third]) await billOpening(seller.db, id, '2026-03-16T09:00:00Z')
  assert.deepEqual(await invoicesOf(first), [[part, part, part]])
})

test('what is parked is not waited for, and comes on an invoice of its own when it is helped', async () => {
  const testClockId = await seller.clock('2026-03-01T08:00:00Z')
  const [first, second, third] = await order({ quantity: '3', testClockId, now: '2026-03-01T08:00:00Z' })
  await setParked(seller.db, third, { reason: 'pull_failed', now: '2026-03-01T08:05:00Z' })
  assert.equal(await ready(first, '2026-03-01T08:00:00Z'), false)
  assert.equal(await ready(second, '2026-03-01T08:00:00Z'), true)
  assert.deepEqual(await invoicesOf(first), [[whole, whole]])
  assert.equal(await ready(third, '2026-03-01T08:00:00Z'), true)
  assert.deepEqual(await invoicesOf(third), [[whole]])
})

test('in real time the others are waited for ten minutes and not beyond the day, by a billing run as well', async () => {
  const [first, , third] = await order({ quantity: '3', now: '2026-03-01T08:00:00Z' })
  assert.equal(await ready(first, '2026-03-01T08:00:00Z'), false)
  const isDue = async (now: string) =>
    (await listDueDocuments(seller.db, { now, after: null, limit: 100 })).length > 0
  assert.equal(await isDue('2026-03-01T08:09:59Z'), false)
  assert.equal(await isDue('2026-03-01T08:10:00Z'), true)
  assert.equal(await billUnlessAwaited(first, '2026-03-01T08:09:59Z'), false)
  assert.equal(await billUnlessAwaited(first, '2026-03-01T08:10:00Z'), true)
  assert.equal(await ready(third, '2026-03-01T23:58:00Z'), false)
  assert.equal(await billUnlessAwaited(third, '2026-03-02T00:00:00Z'), true)
})

test('what was ordered apart is billed apart, each at once', async () => {
  const testClockId = await seller.clock('2026-03-01T08:00:00Z')
  await order({ testClockId, now: '2026-03-01T08:00:00Z' })
  const id = await seller.sell({ testClockId, now: '2026-03-01T08:00:00Z' })
  assert.deepEqual(await invoicesOf(id), [[whole]])
})

test('a one-time fee of the order does not wait', async () => {
  const testClockId = await seller.clock('2026-03-01T08:00:00Z')
  const fee = await seller.order({ product: 'set-up', testClockId, now: '2026-03-01T08:00:00Z' })
  const [feeId = ''] = fee.subscriptionIds
  await activate(seller.db, feeId, '2026-03-01T08:00:00Z')
  assert.equal(await isOpeningAwaited(seller.db, feeId, '2026-03-01T08:00:00Z'), false)
  assert.deepEqual(await invoicesOf(feeId), [['one_time 1 × 20 = 2000']])
})
