import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { readExpectedInvoices } from '#db/read/expected-invoice.ts'
import { moveClock } from '#test/support/clock-life.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { sellNetworkAt } from '#test/support/metered.ts'
import { createSeller, pushUsage, type Seller } from '#test/support/seller.ts'
import { storeUsageEvent } from '#test/support/usage-events.ts'
import { newId } from '#db/identifier.ts'

// Network costs 1.00 a GiB, and no more than 100 GiB of a period are billed.
let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => {
  await assertInvariants(seller.db, { isUnderWay: true })
  await seller.drop()
})

const sellCapped = async () =>
  await sellNetworkAt(seller, { model: 'per_unit', unitAmount: '1', greatestQuantity: '100' })

async function networkLines(subscriptionId: string) {
  return await seller.db
    .selectFrom('invoice_lines')
    .leftJoin('usage_windows', 'usage_windows.id', 'usage_window_id')
    .select([
      'kind',
      'invoice_lines.quantity',
      'amount_minor',
      'explanation',
      'usage_windows.quantity as metered',
    ])
    .where('invoice_lines.subscription_id', '=', subscriptionId)
    .where('description', '=', 'Network Usage')
    .orderBy('invoice_lines.id')
    .execute()
}

test('of 120 GiB 100 are billed up to the cap, 20 are recorded as not billed: in preview, line and explanation (D-37)', async () => {
  const { subscriptionId, testClockId } = await sellCapped()
  const usage = { subscriptionId, metric: 'network', quantity: '120', occurredAt: '2026-03-10T00:00:00Z' }
  await pushUsage(seller.db, usage)
  const expected = await readExpectedInvoices(seller.db, { subscriptionId })
  const preview = expected?.bills.flatMap(({ draft }) => draft.lines).find(({ kind }) => kind === 'usage')
  assert.deepEqual(
    [preview?.quantity, preview?.amountMinor, preview?.explanation.notBilledQuantity],
    ['100', 10_000, '20'],
  )
  await moveClock(seller.db, testClockId, '2026-04-01T09:00:00Z')
  const [line] = await networkLines(subscriptionId)
  assert.deepEqual([line?.quantity, line?.metered, line?.amount_minor], ['100', '120', 10_000])
  assert.equal(line?.explanation.notBilledQuantity, '20')
  assert.equal(line?.explanation.formula, '20 GiB not billed + 100 GiB × 1')
})

test('what comes late to a period is billed up to what was left below its cap', async () => {
  const { subscriptionId, testClockId } = await sellCapped()
  const occurredAt = '2026-03-10T00:00:00Z'
  await pushUsage(seller.db, { subscriptionId, metric: 'network', quantity: '95', occurredAt })
  await moveClock(seller.db, testClockId, '2026-04-01T09:00:00Z')
  const late = { subscriptionId, source: 'test', eventId: newId(), metric: 'network', unit: 'GiB' }
  await storeUsageEvent(seller.db, { ...late, quantity: '30', occurredAt }, '2026-04-02T00:00:00Z')
  await moveClock(seller.db, testClockId, '2026-05-01T09:00:00Z')
  const line = (await networkLines(subscriptionId)).find(({ kind }) => kind === 'late_usage')
  assert.deepEqual([line?.quantity, line?.metered, line?.amount_minor], ['5', '30', 500])
  assert.equal(line?.explanation.notBilledQuantity, '25')
})

test('D-10 what was used over a span counts at its end: on one bill only, of the period before where it ends on the boundary', async () => {
  const { subscriptionId, testClockId } = await sellNetworkAt(seller, { model: 'per_unit', unitAmount: '1' })
  const spans = [
    ['2026-03-25T00:00:00Z', '2026-04-05T00:00:00Z', '7'],
    ['2026-03-20T00:00:00Z', '2026-04-01T00:00:00Z', '5'],
  ] as const
  await moveClock(seller.db, testClockId, '2026-03-31T09:00:00Z')
  for (const [start, occurredAt, quantity] of spans) {
    const event = { subscriptionId, source: 'test', eventId: newId(), metric: 'network', unit: 'GiB', quantity }
    await storeUsageEvent(seller.db, { ...event, occurredAt, startedMs: Date.parse(start) })
  }
  await moveClock(seller.db, testClockId, '2026-05-01T09:00:00Z')
  const lines = (await networkLines(subscriptionId)).map(({ kind, quantity }) => [kind, Number(quantity)])
  assert.deepEqual(lines, [
    ['usage', 5],
    ['usage', 7],
  ])
}) // prettier-ignore
