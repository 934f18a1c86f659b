import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { newId } from '#db/identifier.ts'
import { billLateUsage } from '#db/late-bill.ts'
import { readStanding } from '#db/read/standing.ts'
import { setRecurrence } from '#db/recurrence.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { simulateDocuments } from '#domain/invoice/simulation.ts'
import { moveClock } from '#test/support/clock-life.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { listDocumentIds } from '#test/support/invoices.ts'
import { createSeller, pushUsage, type Seller } from '#test/support/seller.ts'
import { storeUsageEvent } from '#test/support/usage-events.ts'

// Usage from before the end that comes after the last bill. Network costs 1.00 a GiB.
let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => {
  await assertInvariants(seller.db, { isUnderWay: true })
  await seller.drop()
})

interface Ended {
  readonly subscriptionId: string
  readonly testClockId: string
}

/** Config 1 from 1 March, ended on the 21st with its last bill. */
async function sellAndEnd(used: string | null): Promise<Ended> {
  const now = '2026-03-01T08:00:00Z'
  const testClockId = await seller.clock(now)
  const subscriptionId = await seller.sell({ kit: 'odoo-config-1', testClockId, now })
  if (used !== null)
    await pushUsage(seller.db, {
      subscriptionId,
      metric: 'network',
      quantity: used,
      occurredAt: '2026-03-10T00:00:00Z',
    })
  const command = { subscriptionId, requestId: newId(), actor: 'test', now: '2026-03-02T08:00:00Z' }
  await cancelSubscription(seller.db, command, { when: 'date', endsOn: '2026-03-21', reason: 'test' })
  await moveClock(seller.db, testClockId, '2026-03-21T12:00:00Z')
  return { subscriptionId, testClockId }
}

async function pushLate(
  { subscriptionId }: Ended,
  quantity: string,
  now = '2026-03-22T08:00:00Z',
): Promise<void> {
  const event = { subscriptionId, source: 'test', eventId: newId() }
  const occurredAt = '2026-03-15T00:00:00Z'
  await storeUsageEvent(seller.db, { ...event, metric: 'network', quantity, unit: 'GiB', occurredAt }, now)
}

/** Each document of usage, with its lines of network. */
async function networkBills({ subscriptionId }: Ended): Promise<string[]> {
  const rows = await seller.db
    .selectFrom('invoice_lines')
    .innerJoin('invoices', 'invoices.id', 'invoice_id')
    .select(['number', 'invoice_lines.kind', 'amount_minor'])
    .select(sql<string>`service_period::text`.as('period'))
    .where('invoice_lines.subscription_id', '=', subscriptionId)
    .where('description', '=', 'Network Usage')
    .orderBy('invoice_lines.id')
    .execute()
  return rows.map((row) => `${row.number?.split('-').at(-1)} ${row.kind} ${row.period} ${row.amount_minor}`)
}

test('what comes after the last bill is billed on a document of its own, all that came together, and once', async () => {
  const ended = await sellAndEnd('3')
  const bill = async (now: string) => {
    await billLateUsage(seller.db, { testClockId: ended.testClockId, now })
    return (await networkBills(ended)).slice(1)
  }
  assert.deepEqual(await networkBills(ended), ['00001 usage [2026-03-01,2026-03-21) 300'])
  assert.deepEqual(await bill('2026-03-22T07:00:00Z'), [])
  await pushLate(ended, '2')
  await pushLate(ended, '5')
  const once = ['00002 late_usage [2026-03-01,2026-03-21) 700']
  assert.deepEqual(await bill('2026-03-22T09:00:00Z'), once)
  assert.deepEqual(await bill('2026-03-22T10:00:00Z'), once)
  await pushLate(ended, '1', '2026-03-25T08:00:00Z')
  assert.deepEqual(await bill('2026-03-25T09:00:00Z'), [
    ...once,
    '00003 late_usage [2026-03-01,2026-03-21) 100',
  ])
})

test('where the last bill held no usage at all, what comes later is billed too', async () => {
  const ended = await sellAndEnd(null)
  await seller.db
    .updateTable('subscription_lines')
    .set({ terms: JSON.stringify({ isZeroShown: false }) })
    .execute()
  await pushLate(ended, '4')
  await billLateUsage(seller.db, { testClockId: ended.testClockId, now: '2026-03-22T09:00:00Z' })
  assert.match((await networkBills(ended)).at(-1) ?? '', /usage \[2026-03-01,2026-03-21\) 400$/)
})

test('what cannot be billed has one task and is billed once its cause is gone', async () => {
  const ended = await sellAndEnd('3')
  await pushLate(ended, '2')
  const setUnit = async (unit: string) =>
    await seller.db
      .updateTable('subscription_lines')
      .set({ unit })
      .where('subscription_id', '=', ended.subscriptionId)
      .where('metric', '=', 'network')
      .execute()
  const tasks = async () =>
    await seller.db
      .selectFrom('tasks')
      .select(['kind', 'closed_reason'])
      .where('subject_id', '=', ended.subscriptionId)
      .execute()
  await setUnit('mailbox')
  for (const hour of ['09', '10'])
    await billLateUsage(seller.db, { testClockId: ended.testClockId, now: `2026-03-22T${hour}:00:00Z` })
  assert.deepEqual(await tasks(), [{ kind: 'bill_failed', closed_reason: null }])
  await setUnit('GiB')
  await billLateUsage(seller.db, { testClockId: ended.testClockId, now: '2026-03-22T11:00:00Z' })
  assert.deepEqual(await tasks(), [{ kind: 'bill_failed', closed_reason: 'billed' }])
  assert.deepEqual((await networkBills(ended)).slice(1), ['00002 late_usage [2026-03-01,2026-03-21) 200'])
})

test('usage of a line whose document was closed by a change comes with the next bill of its subscription, as foreseen', async () => {
  const now = '2026-03-01T08:00:00Z'
  const testClockId = await seller.clock(now)
  const subscriptionId = await seller.sell({ kit: 'odoo-config-1', testClockId, now })
  const command = { subscriptionId, requestId: newId(), actor: 'test', now: '2026-03-02T08:00:00Z' }
  await setRecurrence(seller.db, command, { count: 1, unit: 'quarter' })
  await moveClock(seller.db, testClockId, '2026-04-02T08:00:00Z')
  const [monthly = '', quarterly = ''] = await listDocumentIds(seller.db, subscriptionId)
  const closed = await seller.db
    .selectFrom('subscription_documents')
    .select('id')
    .where('closed_at', 'is not', null)
    .where('id', 'in', [monthly, quarterly])
    .execute()
  assert.deepEqual(closed, [{ id: monthly }])
  await pushLate({ subscriptionId, testClockId }, '2', '2026-04-03T08:00:00Z')
  const standing = await readStanding(seller.db, { subscriptionId })
  assert.ok(standing)
  const foreseen = simulateDocuments(standing, new Map(), '2026-07-01').flatMap(({ on, draft }) =>
    draft.lines.flatMap((line) => (line.kind === 'late_usage' ? [`${on} ${line.amountMinor}`] : [])),
  )
  assert.deepEqual(foreseen, ['2026-07-01 200'])
  await moveClock(seller.db, testClockId, '2026-07-02T08:00:00Z')
  const late = (await networkBills({ subscriptionId, testClockId })).filter((bill) => bill.includes('late'))
  assert.deepEqual(
    late.map((bill) => bill.replace(/^\d+ /, '')),
    ['late_usage [2026-03-01,2026-04-01) 200'],
  )
})
