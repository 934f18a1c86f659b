import assert from 'node:assert/strict'
import { sql } from 'kysely'
import test, { after, before } from 'node:test'
import { DocumentNotReady } from '#db/bill.ts'
import { billFinal, billPeriod } from '#db/billing.ts'
import { newId } from '#db/identifier.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { insertReadings } from '#db/usage.ts'
import { until } from '#test/support/installation.ts'
import { countWaiting } from '#test/support/lock-wait.ts'
import { correctReadings, sellMetered } from '#test/support/metered.ts'
import { billDue, createSeller, pushUsage, type Seller } from '#test/support/seller.ts'
import { storeUsageEvent, type StoredEvent } from '#test/support/usage-events.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const sellRunning = async () => await sellMetered(seller)

async function listWindows(subscriptionId: string): Promise<string[]> {
  const rows = await seller.db
    .selectFrom('usage_windows')
    .innerJoin('subscription_lines', 'subscription_lines.id', 'subscription_line_id')
    .select(['usage_windows.metric', 'usage_windows.quantity', 'usage_windows.unit'])
    .select(['reading_count', 'event_count', 'last_read_at'])
    .where('subscription_id', '=', subscriptionId)
    .where('usage_windows.metric', '=', 'network')
    .orderBy('window_period')
    .execute()
  return rows.map(
    (row) => `${row.quantity} ${row.unit} of ${row.reading_count}+${row.event_count} to ${row.last_read_at}`,
  )
}

test('a counter is billed by its growth from the opening reading, over resets and months', async () => {
  const { subscriptionId, documentId, read } = await sellRunning()
  await read('2026-01-01T00:10:00Z', '100', true)
  await read('2026-01-10T00:00:00Z', '160')
  await read('2026-01-20T00:00:00Z', '220')
  await read('2026-01-21T00:00:00Z', '0')
  await read('2026-01-31T00:00:00Z', '30')
  await read('2026-02-01T00:00:00Z', '31')
  await read('2026-02-02T00:00:00Z', '40')
  await read('2026-03-01T00:05:00Z', '45')
  await billDue(seller.db, documentId, '2026-03-01T00:06:00Z')
  assert.deepEqual(await listWindows(subscriptionId), [
    '151 GiB of 6+0 to 2026-02-01T00:00:00.000Z',
    '9 GiB of 1+0 to 2026-02-02T00:00:00.000Z',
  ])
})

test('a document waits for a reading at or past the end of its period, and is then billed', async () => {
  const { documentId, read } = await sellRunning()
  await read('2026-01-31T23:55:00Z', '5')
  const key = { documentId, periodIndex: 1 }
  await assert.rejects(billPeriod(seller.db, key, '2026-02-01T00:00:10Z'), DocumentNotReady)
  await read('2026-02-01T00:00:00Z', '6')
  assert.equal((await billPeriod(seller.db, key, '2026-02-01T00:00:20Z')).totalMinor, 1600)
})

test('after the grace a document is billed without the reading that never came', async () => {
  const { documentId, read } = await sellRunning()
  await read('2026-01-31T23:55:00Z', '5')
  const key = { documentId, periodIndex: 1 }
  await assert.rejects(billPeriod(seller.db, key, '2026-02-01T06:00:00Z'), DocumentNotReady)
  assert.equal((await billPeriod(seller.db, key, '2026-02-01T06:00:01Z')).totalMinor, 1500)
})

test('usage up to a line’s end is billed by its subscription after the closing reading, not by a document before it', async () => {
  const { subscriptionId, documentId, read } = await sellRunning()
  const command = { subscriptionId, requestId: 'end', actor: 'test', now: '2026-01-20T00:00:00Z' }
  await cancelSubscription(seller.db, command, { when: 'period_end', reason: 'moved' })
  await read('2026-01-31T23:55:00Z', '5')
  await billPeriod(seller.db, { documentId, periodIndex: 1 }, '2026-02-01T00:00:00Z')
  assert.deepEqual(await listWindows(subscriptionId), [])
  await read('2026-02-01T00:00:02Z', '8')
  await billFinal(seller.db, subscriptionId, '2026-02-01T00:00:03Z')
  assert.deepEqual(await listWindows(subscriptionId), ['8 GiB of 2+0 to 2026-02-01T00:00:02.000Z'])
})

test('a document waits for readings past its period’s end', async () => {
  const { documentId, read } = await sellRunning()
  await read('2026-01-31T23:55:00Z', '5')
  const key = { documentId, periodIndex: 1 }
  await assert.rejects(billPeriod(seller.db, key, '2026-02-01T00:00:00Z'), DocumentNotReady)
  await read('2026-02-01T00:00:02Z', '8')
  await billPeriod(seller.db, key, '2026-02-01T00:00:03Z')
})

test('cancelled now, the final bill has all up to the closing reading and waits for no other', async () => {
  const { subscriptionId, read } = await sellRunning()
  await read('2026-01-20T11:00:00Z', '5')
  const command = { subscriptionId, requestId: 'end', actor: 'test', now: '2026-01-20T12:00:00Z' }
  await cancelSubscription(seller.db, command, { when: 'now', reason: 'moved' })
  await read('2026-01-20T12:00:01Z', '9')
  await billFinal(seller.db, subscriptionId, '2026-01-20T12:00:02Z')
  assert.deepEqual(await listWindows(subscriptionId), ['9 GiB of 2+0 to 2026-01-20T12:00:01.000Z'])
})

test('a billed window stays as it was when its source changes afterwards', async () => {
  const { subscriptionId, documentId, read, instanceId } = await sellRunning()
  await read('2026-02-01T00:00:00Z', '5')
  await billDue(seller.db, documentId, '2026-02-01T00:01:00Z')
  const billed = await listWindows(subscriptionId)
  await correctReadings(seller, { instanceId }, '0')
  await pushUsage(seller.db, {
    subscriptionId,
    metric: 'network',
    quantity: '4',
    occurredAt: '2026-01-20T00:00:00Z',
  })
  await billPeriod(seller.db, { documentId, periodIndex: 1 }, '2026-02-01T00:02:00Z')
  assert.deepEqual(await listWindows(subscriptionId), billed)
})

test('the same moment read twice is one reading', async () => {
  const { read } = await sellRunning()
  assert.equal(await read('2026-01-02T00:00:00Z', '5'), 2)
  assert.equal(await read('2026-01-02T00:00:00Z', '7'), 0)
})

function networkEvent(subscriptionId: string, overrides: Partial<StoredEvent> = {}): StoredEvent {
  return {
    source: 'gateway',
    eventId: newId(),
    subscriptionId,
    metric: 'network',
    quantity: '1.50',
    unit: 'GiB',
    occurredAt: '2026-01-02T00:00:00.123Z',
    ...overrides,
  }
}

test('an event that is sent twenty times at once is stored once', async () => {
  const { subscriptionId } = await sellRunning()
  const event = networkEvent(subscriptionId)
  const results = await Promise.all(Array.from({ length: 20 }, async () => storeUsageEvent(seller.db, event)))
  assert.deepEqual(results.map(String).toSorted(), [
    ...Array.from({ length: 19 }, () => 'duplicate'),
    'stored',
  ])
})

test('an event is a duplicate however its number and instant are written', async () => {
  const { subscriptionId } = await sellRunning()
  const event = networkEvent(subscriptionId)
  assert.equal(await storeUsageEvent(seller.db, event), 'stored')
  assert.equal(await storeUsageEvent(seller.db, event), 'duplicate')
  const otherwise = { ...event, quantity: '1.5', occurredAt: '2026-01-02T01:00:00.123+01:00' }
  assert.equal(await storeUsageEvent(seller.db, otherwise), 'duplicate')
})

test('an event with the id of another one is a conflict, and the first one stays', async () => {
  const { subscriptionId } = await sellRunning()
  const event = networkEvent(subscriptionId)
  await storeUsageEvent(seller.db, event)
  const changes: Partial<StoredEvent>[] = [
    { quantity: '1.51' },
    { unit: 'GB' },
    { metric: 'disk' },
    { occurredAt: '2026-01-02T00:00:00.124Z' },
  ]
  for (const change of changes) {
    assert.equal(await storeUsageEvent(seller.db, { ...event, ...change }), 'conflict')
  }
  const kept = await seller.db
    .selectFrom('usage_events')
    .select('quantity')
    .where('event_id', '=', event.eventId)
    .execute()
  assert.deepEqual(kept, [{ quantity: '1.50' }])
})

test('an event whose window was billed is late, on its boundary too, and the next invoice bills it once', async () => {
  const { subscriptionId, documentId, read } = await sellRunning()
  await read('2026-02-01T00:00:00Z', '5')
  await billDue(seller.db, documentId, '2026-02-01T00:01:00Z')
  const push = async (occurredAt: string) => {
    const event = networkEvent(subscriptionId, { quantity: '2', occurredAt })
    await storeUsageEvent(seller.db, event)
    const kept = seller.db.selectFrom('usage_events').select('is_late').where('event_id', '=', event.eventId)
    return (await kept.executeTakeFirstOrThrow()).is_late
  }
  assert.equal(await push('2026-01-20T00:00:00Z'), true)
  assert.equal(await push('2026-02-01T00:00:00Z'), true)
  assert.equal(await push('2026-02-01T00:00:00.001Z'), false)
  await read('2026-03-01T00:00:00Z', '6')
  await billDue(seller.db, documentId, '2026-03-01T00:01:00Z')
  await read('2026-04-01T00:00:00Z', '6')
  await billDue(seller.db, documentId, '2026-04-01T00:01:00Z')
  const lines = await seller.db
    .selectFrom('invoice_lines')
    .select(['kind', 'quantity', 'amount_minor'])
    .select(sql<string>`service_period::text`.as('service_period'))
    .where('subscription_id', '=', subscriptionId)
    .where('description', '=', 'Network Usage')
    .where('kind', 'in', ['usage', 'late_usage'])
    .orderBy('id')
    .execute()
  assert.deepEqual(
    lines.map((line) => [line.kind, line.service_period, Number(line.quantity), line.amount_minor]),
    [
      ['usage', '[2026-01-01,2026-02-01)', 5, 500],
      ['usage', '[2026-02-01,2026-03-01)', 3, 300],
      ['late_usage', '[2026-01-01,2026-02-01)', 4, 400],
      ['usage', '[2026-03-01,2026-04-01)', 0, 0],
    ],
  )
})

test('a series goes over to its base unit after a rolling up that is under way, never beside it', async () => {
  const { instanceId } = await sellRunning()
  const store = async (unit: string) => {
    const now = new Date().toISOString()
    const at = { instanceId, isOpening: false, readAt: now, sampledAt: now }
    return await insertReadings(seller.db, at, [{ metric: 'disk', series: 'volume', value: '1', unit }])
  }
  await store('GiB')
  const { going } = await seller.db.transaction().execute(async (tx) => {
    await sql`select from reading_store for update`.execute(tx)
    const going = store('MiB')
    await until('it waits', async () => (await countWaiting(seller.db)) === 1, 4_000)
    return { going }
  })
  assert.equal(await going, 1)
})
