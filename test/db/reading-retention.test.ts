import assert from 'node:assert/strict'
import { sql } from 'kysely'
import test, { after, before } from 'node:test'
import { findUsageWindow, listWindowReadings } from '#db/read/usage-window.ts'
import { cleanUpReadings } from '#db/reading-retention.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { networkLines, sellMetered } from '#test/support/metered.ts'
import { billDue, createSeller, pushUsage, type Seller } from '#test/support/seller.ts'

// Readings each six hours through 2026, cleaned up as time goes on. Network costs 1.00 a GiB.
let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => {
  await assertInvariants(seller.db, { isUnderWay: true })
  await seller.drop()
})

const dayMs = 86_400_000
const startMs = Date.parse('2026-01-01T00:00:00Z')
const on = (day: number) => new Date(startMs + day * dayMs).toISOString()

/** A counter that grows by 1 GiB each six hours, and begins again on each tenth day. */
async function readDays(read: (at: string, network: string) => Promise<number>, from: number, until: number) {
  const quarters = Array.from({ length: (until - from) * 4 }, (_, index) => from * 4 + index + 1)
  await Promise.all(quarters.map(async (quarter) => read(on(quarter / 4), String(((quarter - 1) % 40) + 1))))
}

async function countRows() {
  const { rows } = await sql<{ raw: number; hours: number; shown: number }>`
    select (select count(*)::integer from reading_values) as raw, (select count(*)::integer from reading_hours) as hours,
      (select count(*)::integer from readings) as shown`.execute(seller.db)
  return rows[0]
}

async function hoursOf(instanceId: string) {
  const { rows } = await sql<{ hours: number }>`
    select count(*)::integer as hours from reading_hours join reading_series on id = series_id
    where instance_id = ${instanceId}`.execute(seller.db)
  return rows[0]?.hours
}

async function openWindows(subscriptionId: string) {
  const { rows } = await sql<{ id: string }>`
    select frozen.id from usage_windows frozen join subscription_lines line on line.id = subscription_line_id
    where line.subscription_id = ${subscriptionId} and frozen.metric = 'network' order by window_period`.execute(
    seller.db,
  )
  const opened = rows.map(async ({ id }) => {
    const window = await findUsageWindow(seller.db, id)
    assert.ok(window)
    return { window, readings: await listWindowReadings(seller.db, window, undefined) }
  })
  return await Promise.all(opened)
}

test('D-46 after the clean-up every invoice opens into the same readings, and raw rows do not grow', async () => {
  const { subscriptionId, documentId, read } = await sellMetered(seller)
  await readDays(read, 0, 59)
  await billDue(seller.db, documentId, on(31.01))
  await billDue(seller.db, documentId, on(59.01))
  const opened = await openWindows(subscriptionId)
  assert.deepEqual(
    opened.map(({ window, readings }) => [window.quantity, readings.length]),
    [
      ['124', 124],
      ['112', 112],
    ],
  )
  const shown = (await countRows())?.shown
  const first = await cleanUpReadings(seller.db, on(75))
  assert.equal(first.rolledUp, 2 * 4 * 35 - 2)
  // The first run leaves what somebody may still look at; the next one takes it.
  await cleanUpReadings(seller.db, on(76))
  await cleanUpReadings(seller.db, on(77))
  assert.deepEqual(await countRows(), { raw: 2 * (4 * 23 + 1), hours: 2 * 4 * 37 - 2, shown })
  assert.deepEqual(await openWindows(subscriptionId), opened)
  await cleanUpReadings(seller.db, on(120))
  await cleanUpReadings(seller.db, on(121))
  assert.deepEqual(await openWindows(subscriptionId), opened)
  assert.deepEqual(await countRows(), { raw: 0, hours: shown, shown })
})

test('D-46 what is not billed yet is billed from hours as from raw readings, and so is what comes late', async () => {
  const { subscriptionId, documentId, read } = await sellMetered(seller)
  await readDays(read, 0, 90)
  await cleanUpReadings(seller.db, on(110))
  await cleanUpReadings(seller.db, on(111))
  await billDue(seller.db, documentId, on(31.01))
  // Between 9 and 10 of the first ten days: the growth of these six hours is in two steps, and the same.
  await read(on(2.3), '9.5')
  const late = { subscriptionId, metric: 'network', quantity: '7', occurredAt: on(20) }
  await pushUsage(seller.db, late)
  await cleanUpReadings(seller.db, on(150))
  await billDue(seller.db, documentId, on(59.01))
  await billDue(seller.db, documentId, on(90.01))
  assert.deepEqual(await networkLines(seller, subscriptionId), [
    'usage [2026-01-01,2026-02-01) 124 for 12400',
    'usage [2026-02-01,2026-03-01) 112 for 11200',
    'late_usage [2026-01-01,2026-02-01) 7 for 700',
    'usage [2026-03-01,2026-04-01) 124 for 12400',
  ])
})

test('D-46 hours go after their time, but for what is not billed, and for where the next step of a counter begins', async () => {
  const [billed, unbilled] = [await sellMetered(seller), await sellMetered(seller)]
  for (const { read } of [billed, unbilled]) await readDays(read, 0, 31)
  await billDue(seller.db, billed.documentId, on(31.01))
  await cleanUpReadings(seller.db, on(31 + 365 - 10))
  assert.deepEqual([await hoursOf(billed.instanceId), await hoursOf(unbilled.instanceId)], [248, 248])
  await cleanUpReadings(seller.db, on(31 + 365 + 60))
  // Of network and disk each the last hour of January, and the first moment of February.
  assert.deepEqual([await hoursOf(billed.instanceId), await hoursOf(unbilled.instanceId)], [4, 248])
  await billed.read(on(59), '5')
  await billDue(seller.db, billed.documentId, on(59.01))
  assert.deepEqual(await networkLines(seller, billed.subscriptionId), [
    'usage [2026-01-01,2026-02-01) 124 for 12400',
    'usage [2026-02-01,2026-03-01) 1 for 100',
  ])
})

test('hours of a window that is to be measured anew stay until its bill, and it is not billed back as if unused', async () => {
  const { documentId, subscriptionId, instanceId, read } = await sellMetered(seller)
  await readDays(read, 0, 31)
  await billDue(seller.db, documentId, on(31.01))
  // It changes nothing, which only the next bill finds.
  await read(on(2.3), '9.5')
  await cleanUpReadings(seller.db, on(31 + 365 + 60))
  await cleanUpReadings(seller.db, on(31 + 365 + 61))
  assert.equal(await hoursOf(instanceId), 250)
  await read(on(59), '41')
  await billDue(seller.db, documentId, on(59.01))
  assert.deepEqual(await networkLines(seller, subscriptionId), [
    'usage [2026-01-01,2026-02-01) 124 for 12400',
    'usage [2026-02-01,2026-03-01) 37 for 3700',
  ])
  // Once it is settled they go as any others.
  await cleanUpReadings(seller.db, on(59 + 365 + 60))
  assert.equal(await hoursOf(instanceId), 4)
})

test('a line that was left on its first day holds no hours: it has no day that could be billed', async () => {
  const { documentId, instanceId, read } = await sellMetered(seller)
  await seller.db
    .updateTable('subscription_lines')
    .set({ ends_on: '2026-01-01' })
    .where('instance_id', '=', instanceId)
    .where('metric', '=', 'disk')
    .execute()
  await readDays(read, 0, 31)
  await billDue(seller.db, documentId, on(31.01))
  await cleanUpReadings(seller.db, on(59 + 365 + 61))
  await cleanUpReadings(seller.db, on(59 + 365 + 62))
  assert.equal(await hoursOf(instanceId), 4)
})

test('the weeks to come are made ahead, and what lies in the rest stays there', async () => {
  const { read } = await sellMetered(seller)
  await read('2027-08-04T00:00:00Z', '1')
  const weeks = async () => {
    const { rows } = await sql<{ name: string }>`
      select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
      where inhparent = 'reading_values'::regclass and relname ~ '_20270[89]' order by 1`.execute(seller.db)
    return rows.map(({ name }) => name.replace('reading_values_', ''))
  }
  await cleanUpReadings(seller.db, '2027-08-04T00:00:00Z')
  assert.deepEqual(await weeks(), ['20270809', '20270816'])
  await read('2027-08-10T00:00:00Z', '2')
  await cleanUpReadings(seller.db, '2027-09-27T00:00:00Z')
  const { dropped } = await cleanUpReadings(seller.db, '2027-10-04T00:00:00Z')
  assert.deepEqual(dropped, ['reading_values_20270809'])
})
