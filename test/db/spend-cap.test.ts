import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { setEarlyInvoice } from '#db/early-bill.ts'
import { decideSubscriptionLimits } from '#db/limit-hold.ts'
import { changeSubscription } from '#db/plan.ts'
import { readPresentCost } from '#db/present-usage.ts'
import { listSpendCaps, removeSpendCap, setSpendCap, watchSpend } from '#db/spend-cap.ts'
import { watchUsage } from '#db/usage-watch.ts'
import { encodeId } from '#domain/identifier.ts'
import type { InstanceState } from '#domain/instance.ts'
import { defaultSpendAlerts, type SpendCap } from '#domain/spend.ts'
import { moveClock } from '#test/support/clock-life.ts'
import { moveInstances } from '#test/support/instances.ts'
import { createSeller, pushUsage, type Seller } from '#test/support/seller.ts'

// Network costs 1.00 a GiB. What it may cost a month is said by the customer himself, and by an operator.
let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

interface Sold {
  readonly subscriptionId: string
  readonly testClockId: string
}

async function sell(): Promise<Sold> {
  const now = '2026-03-01T08:00:00Z'
  const testClockId = await seller.clock(now)
  return { subscriptionId: await seller.sell({ kit: 'odoo-config-1', testClockId, now }), testClockId }
}

const own: SpendCap = { setBy: 'customer', amountMinor: 2_000, effect: 'stop', alerts: defaultSpendAlerts }

async function say({ subscriptionId }: Sold, cap: SpendCap): Promise<void> {
  const at = { cap, actor: 'test', now: '2026-03-01T09:00:00Z' }
  await seller.db.transaction().execute(async (tx) => setSpendCap(tx, subscriptionId, at))
}

async function use({ subscriptionId }: Sold, quantity: string, occurredAt: string): Promise<void> {
  await pushUsage(seller.db, { subscriptionId, metric: 'network', quantity, occurredAt })
}

async function isHeld({ subscriptionId }: Sold): Promise<boolean> {
  return (await listSpendCaps(seller.db, subscriptionId)).some(({ held_since }) => held_since !== null)
}

async function told({ subscriptionId }: Sold): Promise<string[]> {
  const rows = await seller.db
    .selectFrom('events')
    .select(['kind', 'data'])
    .where('subscription_id', '=', subscriptionId)
    .where('kind', 'like', 'spend.%')
    .orderBy('id')
    .execute()
  return rows.map(({ kind, data: { threshold } }) =>
    typeof threshold === 'string' ? `${kind} ${threshold}` : kind,
  )
}

const look = async ({ testClockId }: Sold) => {
  await watchUsage(seller.db, { testClockId }, new Date().toISOString())
}

test('at 20.00 of usage an own cap of 20.00 that stops holds, and raised it lets go at once (D-38)', async () => {
  const sold = await sell()
  await say(sold, own)
  await use(sold, '10', '2026-03-05T00:00:00Z')
  await look(sold)
  assert.equal(await isHeld(sold), false)
  await use(sold, '10', '2026-03-06T00:00:00Z')
  await look(sold)
  await look(sold)
  assert.equal(await isHeld(sold), true)
  assert.deepEqual(await told(sold), [
    'spend.cap_changed',
    'spend.warned 50 %',
    'spend.warned 75 %',
    'spend.warned 100 %',
    'spend.cap_reached',
  ])
  await say(sold, { ...own, amountMinor: 5_000 })
  assert.equal(await isHeld(sold), false)
  assert.deepEqual((await told(sold)).slice(5), ['spend.cap_changed', 'spend.cap_lifted'])
})

/** As its workflow decides, once it is told. */
async function decide({ subscriptionId }: Sold) {
  const now = '2026-03-06T00:00:00Z'
  const decided = await decideSubscriptionLimits(seller.db, subscriptionId, { now, lostSince: now })
  return { limited: decided.limited, holds: decided.toHold.map(({ state }) => state) }
}

async function move({ subscriptionId }: Sold, ...states: InstanceState[]): Promise<void> {
  await moveInstances(seller.db, subscriptionId, ...states)
}

async function unsay({ subscriptionId }: Sold): Promise<void> {
  const of = { setBy: 'customer', actor: 'test', now: new Date().toISOString() } as const
  await seller.db.transaction().execute(async (tx) => removeSpendCap(tx, subscriptionId, of))
}

test('a cap that is taken away while its instance is suspended does not hold it afterwards', async () => {
  const sold = await sell()
  await say(sold, own)
  await move(sold, 'building', 'running')
  await use(sold, '20', '2026-03-05T00:00:00Z')
  await look(sold)
  assert.deepEqual((await decide(sold)).limited, ['spend'])
  await move(sold, 'suspended')
  await unsay(sold)
  await move(sold, 'running')
  assert.deepEqual((await decide(sold)).limited, [])
})

test('an instance that runs only since a cap holds is held by it as well', async () => {
  const sold = await sell()
  await say(sold, own)
  await use(sold, '20', '2026-03-05T00:00:00Z')
  await look(sold)
  // As if it had been made after that look.
  await seller.db.deleteFrom('limits').where('code', '=', 'spend').execute()
  await move(sold, 'building', 'running')
  await look(sold)
  assert.deepEqual(await decide(sold), { limited: ['spend'], holds: ['running'] })
})

test('what is said of a cap on a test clock is told in its time', async () => {
  const sold = await sell()
  await say(sold, own)
  await unsay(sold)
  const instants = await seller.db
    .selectFrom('events')
    .select('business_at')
    .where('subscription_id', '=', sold.subscriptionId)
    .where('kind', '=', 'spend.cap_changed')
    .execute()
  assert.deepEqual(
    instants.map(({ business_at: at }) => Date.parse(String(at))),
    Array.from({ length: 2 }, () => Date.parse('2026-03-01T08:00:00Z')),
  )
})

test('what a cap stops is a reached limit of the running instances, which its workflow is told of, until the cap is raised (D-38)', async () => {
  const sold = await sell()
  const own20 = { ...own, amountMinor: 2_000 }
  await say(sold, own20)
  await move(sold, 'building', 'running')
  await use(sold, '20', '2026-03-05T00:00:00Z')
  await look(sold)
  const held = await decide(sold)
  assert.deepEqual(held.limited, ['spend'])
  const state = await seller.db
    .selectFrom('instances')
    .innerJoin('limits', 'limits.instance_id', 'instances.id')
    .select(['state', 'hold'])
    .where('subscription_id', '=', sold.subscriptionId)
    .where('code', '=', 'spend')
    .executeTakeFirst()
  assert.deepEqual(state, { state: 'limited', hold: { way: 'stop' } })
  await say(sold, { ...own20, amountMinor: 5_000 })
  assert.deepEqual((await decide(sold)).limited, [])
  const told = await seller.db
    .selectFrom('outbox')
    .select('key')
    .where(
      'key',
      'like',
      `subscription/${encodeId('subscription', sold.subscriptionId)}/limitCrossed/spend/%`,
    )
    .execute()
  assert.equal(told.length, 2)
})

test('a new period begins with a cost of nothing: what was held is let go, and the same shares are told once more', async () => {
  const sold = await sell()
  await say(sold, own)
  await use(sold, '25', '2026-03-05T00:00:00Z')
  await look(sold)
  assert.equal(await isHeld(sold), true)
  await moveClock(seller.db, sold.testClockId, '2026-04-01T09:00:00Z')
  await look(sold)
  assert.equal(await isHeld(sold), false)
  await use(sold, '11', '2026-04-05T00:00:00Z')
  await look(sold)
  const shares = (await told(sold)).filter((text) => text.startsWith('spend.warned'))
  assert.deepEqual(shares, [
    'spend.warned 50 %',
    'spend.warned 75 %',
    'spend.warned 100 %',
    'spend.warned 50 %',
  ])
})

test('a cap that only tells never holds, and alerts may be amounts; taken away, it tells no more', async () => {
  const sold = await sell()
  const alerts = [{ amountMinor: 500 }, { percent: 150 }]
  await say(sold, { ...own, setBy: 'operator', effect: 'alert', alerts })
  await use(sold, '6', '2026-03-05T00:00:00Z')
  await look(sold)
  assert.deepEqual((await told(sold)).slice(1), ['spend.warned 5.00 USD'])
  const of = { setBy: 'operator', actor: 'test', now: '2026-03-05T00:00:00Z' } as const
  await seller.db.transaction().execute(async (tx) => removeSpendCap(tx, sold.subscriptionId, of))
  await use(sold, '60', '2026-03-06T00:00:00Z')
  await look(sold)
  assert.equal(await isHeld(sold), false)
  assert.deepEqual((await told(sold)).slice(2), ['spend.cap_changed'])
})

test('days that were invoiced early still count to the cost of the period', async () => {
  const sold = await sell()
  await seller.db
    .updateTable('subscriptions')
    .set({ early_invoice_minor: 1_500 })
    .where('id', '=', sold.subscriptionId)
    .execute()
  await say(sold, own)
  await use(sold, '16', '2026-03-05T00:00:00Z')
  await moveClock(seller.db, sold.testClockId, '2026-03-10T09:00:00Z')
  await look(sold)
  await use(sold, '4', '2026-03-11T00:00:00Z')
  const present = await watchSpend(seller.db, sold.subscriptionId, '2026-03-11T09:00:00Z')
  assert.equal(present?.costMinor, 2_000)
  const [line] = present.lines
  assert.deepEqual([line?.quantity, line?.unbilledMinor], ['20', 400])
  assert.equal(await isHeld(sold), true)
})

/** From a day on, at another price: the line before it ends within its period. */
async function changePrice({ subscriptionId }: Sold, on: string, amount: string): Promise<void> {
  const line = await seller.db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', subscriptionId)
    .where('metric', '=', 'network')
    .executeTakeFirstOrThrow()
  const key = { subscriptionId, requestId: `price/${on}`, actor: 'test', now: `${on}T08:00:00Z` }
  const price = { model: 'per_unit', unitAmount: amount } as const
  await changeSubscription(seller.db, key, { subscriptionLineId: line.id, price })
}

const costOn = async ({ subscriptionId }: Sold, now: string) =>
  (await readPresentCost(seller.db, subscriptionId, now)).costMinor

test('what a line used that was changed earlier in the period still counts, until the period is over', async () => {
  const sold = await sell()
  await say(sold, own)
  await use(sold, '15', '2026-03-05T00:00:00Z')
  await changePrice(sold, '2026-03-10', '2')
  await use(sold, '2', '2026-03-12T00:00:00Z')
  await moveClock(seller.db, sold.testClockId, '2026-03-13T00:00:00Z')
  assert.equal(await costOn(sold, '2026-03-13T00:00:00Z'), 1_900)
  assert.equal(await isHeld(sold), false)
  await use(sold, '1', '2026-03-13T00:00:00Z')
  await look(sold)
  assert.equal(await isHeld(sold), true)
  await moveClock(seller.db, sold.testClockId, '2026-04-01T08:00:00Z')
  assert.equal(await costOn(sold, '2026-04-01T08:00:00Z'), 0)
})

test('also where all of it was invoiced early', async () => {
  const sold = await sell()
  await say(sold, own)
  await setEarlyInvoice(seller.db, sold.subscriptionId, 1_000)
  await use(sold, '15', '2026-03-05T00:00:00Z')
  await changePrice(sold, '2026-03-10', '2')
  await moveClock(seller.db, sold.testClockId, '2026-03-13T00:00:00Z')
  await look(sold)
  assert.equal(await costOn(sold, '2026-03-13T00:00:00Z'), 1_500)
})

test('a cap that only tells, once raised, tells of each share of the new amount once; said again as it was, of none', async () => {
  const sold = await sell()
  const telling: SpendCap = { ...own, effect: 'alert', alerts: [{ percent: 100 }] }
  await say(sold, telling)
  await use(sold, '20', '2026-03-01T08:30:00Z')
  await look(sold)
  await say(sold, telling)
  await say(sold, { ...telling, amountMinor: 4_000 })
  const warned = async () => (await told(sold)).filter((one) => one.startsWith('spend.warned'))
  assert.deepEqual(await warned(), ['spend.warned 100 %'])
  await use(sold, '20', '2026-03-01T08:45:00Z')
  await look(sold)
  await look(sold)
  assert.deepEqual(await warned(), ['spend.warned 100 %', 'spend.warned 100 %'])
  await say(sold, telling)
  await say(sold, { ...telling, amountMinor: 4_000 })
  assert.equal((await warned()).length, 3)
})

test('a cap that is said again as it is changes nothing and is not told; other alerts are another cap', async () => {
  const sold = await sell()
  const cap: SpendCap = { ...own, alerts: [{ percent: 80 }, { amountMinor: 1_250 }] }
  await say(sold, cap)
  const [said] = await listSpendCaps(seller.db, sold.subscriptionId)
  const again = { cap, actor: 'somebody else', now: '2026-03-01T10:00:00Z' }
  await seller.db.transaction().execute(async (tx) => setSpendCap(tx, sold.subscriptionId, again))
  assert.deepEqual(await listSpendCaps(seller.db, sold.subscriptionId), [said])
  assert.deepEqual(await told(sold), ['spend.cap_changed'])
  await say(sold, { ...cap, alerts: [{ percent: 80 }] })
  await say(sold, { ...cap, effect: 'alert', alerts: [{ percent: 80 }] })
  assert.equal((await told(sold)).length, 3)
})

test('a cap that was taken away is over: another one after it, in the same period, tells of its own shares', async () => {
  const sold = await sell()
  const telling: SpendCap = { ...own, effect: 'alert', alerts: [{ percent: 100 }] }
  await say(sold, telling)
  await use(sold, '20', '2026-03-01T08:30:00Z')
  await look(sold)
  const of = { setBy: 'customer', actor: 'test', now: '2026-03-01T09:00:00Z' } as const
  await seller.db.transaction().execute(async (tx) => removeSpendCap(tx, sold.subscriptionId, of))
  await say(sold, { ...telling, amountMinor: 4_000 })
  await use(sold, '20', '2026-03-01T08:45:00Z')
  await look(sold)
  await look(sold)
  assert.deepEqual((await told(sold)).slice(1), [
    'spend.warned 100 %',
    'spend.cap_changed',
    'spend.cap_changed',
    'spend.warned 100 %',
  ])
})
