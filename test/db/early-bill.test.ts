import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { billEarly } from '#db/early-bill.ts'
import { newId } from '#db/identifier.ts'
import { readExpectedInvoices } from '#db/read/expected-invoice.ts'
import { moveClock } from '#test/support/clock-life.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { sellNetworkAt } from '#test/support/metered.ts'
import { createSeller, pushUsage, type Seller } from '#test/support/seller.ts'
import { storeUsageEvent } from '#test/support/usage-events.ts'

// Usage that is invoiced before its period ends, once 200.00 of it are not billed.
let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => {
  await assertInvariants(seller.db, { isUnderWay: true })
  await seller.drop()
})

const perGib = { model: 'per_unit', unitAmount: '1' }

const tiers = [
  { upTo: '300', unitAmount: '1' },
  { upTo: null, unitAmount: '0.5' },
]

type Sold = Awaited<ReturnType<typeof sellNetworkAt>>

async function sell(price: object = perGib): Promise<Sold> {
  const sold = await sellNetworkAt(seller, price)
  await seller.db
    .updateTable('subscriptions')
    .set({ early_invoice_minor: 20_000 })
    .where('id', '=', sold.subscriptionId)
    .execute()
  return sold
}

async function use({ subscriptionId }: Sold, quantity: string, day: string): Promise<void> {
  const occurredAt = `2026-03-${day}T12:00:00Z`
  await pushUsage(seller.db, { subscriptionId, metric: 'network', quantity, occurredAt })
}

/** Of 4 March, pushed long after. */
async function useLate({ subscriptionId }: Sold, quantity: string, now: string): Promise<void> {
  const event = { subscriptionId, source: 'test', eventId: newId(), metric: 'network', quantity, unit: 'GiB' }
  await storeUsageEvent(seller.db, { ...event, occurredAt: '2026-03-04T12:00:00Z' }, now)
}

/** `usage [2026-03-01,2026-03-11) 240 24000`: each line of network, in the order in which it was billed. */
async function networkLines({ subscriptionId }: Sold): Promise<string[]> {
  const rows = await seller.db
    .selectFrom('invoice_lines')
    .select(['kind', 'quantity', 'amount_minor'])
    .select(sql<string>`service_period::text`.as('period'))
    .where('subscription_id', '=', subscriptionId)
    .where('description', '=', 'Network Usage')
    .orderBy('id')
    .execute()
  return rows.map((row) => `${row.kind} ${row.period} ${row.quantity} ${row.amount_minor}`)
}

test('at 240.00 all of it is invoiced, and the period of 600.00 bills the rest, 360.00 (D-39)', async () => {
  const sold = await sell()
  await use(sold, '190', '05')
  assert.equal(await billEarly(seller.db, sold.subscriptionId, '2026-03-10T09:00:00Z'), null)
  await use(sold, '50', '10')
  const invoice = await billEarly(seller.db, sold.subscriptionId, '2026-03-11T09:00:00Z')
  assert.equal(invoice?.totalMinor, 24_000)
  assert.equal(await billEarly(seller.db, sold.subscriptionId, '2026-03-11T10:00:00Z'), null)
  await use(sold, '180', '20')
  await use(sold, '180', '28')
  const expected = await readExpectedInvoices(seller.db, sold)
  const rest = expected?.bills.flatMap(({ draft }) => draft.lines).find(({ kind }) => kind === 'usage')
  assert.equal(rest?.amountMinor, 36_000)
  await moveClock(seller.db, sold.testClockId, '2026-04-01T09:00:00Z')
  assert.deepEqual(await networkLines(sold), [
    'usage [2026-03-01,2026-03-11) 240 24000',
    'usage [2026-03-11,2026-04-01) 360 36000',
  ])
})

test('many callers at once make one early invoice', async () => {
  const sold = await sell()
  await use(sold, '240', '05')
  const at = '2026-03-10T09:00:00Z'
  const made = await Promise.all(
    Array.from({ length: 8 }, async () => await billEarly(seller.db, sold.subscriptionId, at)),
  )
  assert.equal(made.filter((invoice) => invoice !== null).length, 1)
  assert.deepEqual(await networkLines(sold), ['usage [2026-03-01,2026-03-10) 240 24000'])
})

test('tiers and included quantity go on counting over several early invoices and late usage, to the same whole', async () => {
  const sold = await sell({ model: 'graduated', tiers, includedQuantity: '10' })
  await use(sold, '250', '05')
  await billEarly(seller.db, sold.subscriptionId, '2026-03-06T09:00:00Z')
  await use(sold, '460', '10')
  await billEarly(seller.db, sold.subscriptionId, '2026-03-12T09:00:00Z')
  await useLate(sold, '20', '2026-03-13T12:00:00Z')
  await use(sold, '40', '20')
  await moveClock(seller.db, sold.testClockId, '2026-04-01T09:00:00Z')
  const lines = await networkLines(sold)
  assert.deepEqual(lines.toSorted(), [
    'late_usage [2026-03-01,2026-03-06) 20 1000',
    'usage [2026-03-01,2026-03-06) 250 24000',
    'usage [2026-03-06,2026-03-12) 460 26000',
    'usage [2026-03-12,2026-04-01) 40 2000',
  ])
  // 770 GiB in one: 10 included, 300 at 1.00, 460 at 0.50.
  const total = lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  assert.equal(total, 30_000 + 23_000)
})

test('late usage of a period that was billed in parts counts on from all of them', async () => {
  const sold = await sell({ model: 'graduated', tiers })
  await use(sold, '200', '05')
  await billEarly(seller.db, sold.subscriptionId, '2026-03-06T09:00:00Z')
  await use(sold, '200', '20')
  await moveClock(seller.db, sold.testClockId, '2026-04-01T09:00:00Z')
  await useLate(sold, '10', '2026-04-02T12:00:00Z')
  await moveClock(seller.db, sold.testClockId, '2026-05-01T09:00:00Z')
  const lines = await networkLines(sold)
  assert.ok(lines.includes('late_usage [2026-03-01,2026-03-06) 10 500'), lines.join('; '))
})

test('a cap of the line holds over early invoices: no more than it is billed in one period', async () => {
  const sold = await sell({ ...perGib, greatestQuantity: '300' })
  await use(sold, '240', '05')
  await billEarly(seller.db, sold.subscriptionId, '2026-03-06T09:00:00Z')
  await use(sold, '100', '20')
  await moveClock(seller.db, sold.testClockId, '2026-04-01T09:00:00Z')
  assert.deepEqual(await networkLines(sold), [
    'usage [2026-03-01,2026-03-06) 240 24000',
    'usage [2026-03-06,2026-04-01) 60 6000',
  ])
})
