import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { billFinal } from '#db/billing.ts'
import { newId } from '#db/identifier.ts'
import { billLateUsage } from '#db/late-bill.ts'
import { setRecurrence } from '#db/recurrence.ts'
import { insertReadings } from '#db/usage.ts'
import { setPhase } from '#db/subscription.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { lockDocument } from '#db/subscription-documents.ts'
import { until } from '#test/support/installation.ts'
import { listDocumentIds } from '#test/support/invoices.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { countWaiting } from '#test/support/lock-wait.ts'
import { correctReadings, networkLines, sellMetered } from '#test/support/metered.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'

// Readings that come after their window was billed, or could not be taken in time. Network costs 1.00 a GiB.
let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => {
  await assertInvariants(seller.db, { isUnderWay: true })
  await seller.drop()
})

async function countUnsettled(): Promise<number> {
  return (await seller.db.selectFrom('unsettled_windows').select('usage_window_id').execute()).length
}

test('a reading of a billed period that comes later is on the next invoice, late, and is billed in no other period', async () => {
  const { subscriptionId, documentId, read } = await sellMetered(seller)
  await read('2026-01-20T00:00:00Z', '100')
  await read('2026-02-01T00:01:00Z', '160')
  await billDue(seller.db, documentId, '2026-02-01T00:02:00Z')
  assert.deepEqual(await networkLines(seller, subscriptionId), [
    'usage [2026-01-01,2026-02-01) 100 for 10000',
  ])
  await read('2026-01-31T23:59:00Z', '150')
  await read('2026-02-28T00:00:00Z', '170')
  await read('2026-03-01T00:01:00Z', '170')
  await billDue(seller.db, documentId, '2026-03-01T00:02:00Z')
  await read('2026-04-01T00:01:00Z', '171')
  await billDue(seller.db, documentId, '2026-04-01T00:02:00Z')
  assert.deepEqual((await networkLines(seller, subscriptionId)).slice(1), [
    'usage [2026-02-01,2026-03-01) 20 for 2000',
    'late_usage [2026-01-01,2026-02-01) 50 for 5000',
    'usage [2026-03-01,2026-04-01) 0 for 0',
  ])
  assert.equal(await countUnsettled(), 0)
})

test('a late reading that changes nothing that was billed makes no line', async () => {
  const { subscriptionId, documentId, read } = await sellMetered(seller)
  await read('2026-01-20T00:00:00Z', '100')
  await read('2026-02-01T00:00:00Z', '160')
  await billDue(seller.db, documentId, '2026-02-01T00:02:00Z')
  await read('2026-01-25T00:00:00Z', '130')
  assert.equal(await countUnsettled(), 2)
  await read('2026-03-01T00:00:00Z', '161')
  await billDue(seller.db, documentId, '2026-03-01T00:02:00Z')
  assert.deepEqual(await networkLines(seller, subscriptionId), [
    'usage [2026-01-01,2026-02-01) 160 for 16000',
    'usage [2026-02-01,2026-03-01) 1 for 100',
  ])
  assert.equal(await countUnsettled(), 0)
})

test('a reading that is corrected after it was billed leaves its window, and the difference is on the next invoice', async () => {
  const { subscriptionId, documentId, instanceId, read } = await sellMetered(seller)
  await read('2026-01-20T00:00:00Z', '100')
  await read('2026-02-01T00:00:00Z', '160')
  await billDue(seller.db, documentId, '2026-02-01T00:02:00Z')
  const of = { instanceId, metric: 'network', readAt: '2026-02-01T00:00:00Z' }
  await correctReadings(seller, of, String(150 * 2 ** 30))
  await read('2026-03-01T00:00:00Z', '161')
  await billDue(seller.db, documentId, '2026-03-01T00:02:00Z')
  assert.deepEqual(await networkLines(seller, subscriptionId), [
    'usage [2026-01-01,2026-02-01) 160 for 16000',
    'usage [2026-02-01,2026-03-01) 11 for 1100',
    'late_usage [2026-01-01,2026-02-01) -10 for -1000',
  ])
})

test('what could not be read in time is pending, and billed as late with the period once it can be read', async () => {
  const { subscriptionId, documentId, read } = await sellMetered(seller)
  await read('2026-01-20T00:00:00Z', '100')
  await billDue(seller.db, documentId, '2026-02-01T06:00:01Z')
  assert.deepEqual(await networkLines(seller, subscriptionId), [
    'usage [2026-01-01,2026-02-01) 100 for 10000 pending',
  ])
  await read('2026-02-03T00:00:00Z', '150')
  await read('2026-02-27T00:00:00Z', '157')
  await read('2026-03-01T00:00:00Z', '158')
  await billDue(seller.db, documentId, '2026-03-01T00:01:00Z')
  assert.deepEqual((await networkLines(seller, subscriptionId)).slice(1), [
    'usage [2026-02-01,2026-03-01) 8 for 800',
    'late_usage [2026-01-01,2026-02-01) 50 for 5000',
  ])
  await read('2026-04-01T00:00:00Z', '160')
  await billDue(seller.db, documentId, '2026-04-01T00:01:00Z')
  assert.deepEqual((await networkLines(seller, subscriptionId)).slice(3), [
    'usage [2026-03-01,2026-04-01) 2 for 200',
  ])
})

test('of two periods that passed unread the first takes what is found, and nothing is billed twice', async () => {
  const { subscriptionId, documentId, read } = await sellMetered(seller)
  await read('2026-01-20T00:00:00Z', '100')
  await billDue(seller.db, documentId, '2026-02-01T06:00:01Z')
  await billDue(seller.db, documentId, '2026-03-01T06:00:01Z')
  await read('2026-03-02T00:00:00Z', '130')
  await read('2026-04-01T00:00:00Z', '133')
  await billDue(seller.db, documentId, '2026-04-01T00:01:00Z')
  assert.deepEqual(await networkLines(seller, subscriptionId), [
    'usage [2026-01-01,2026-02-01) 100 for 10000 pending',
    'usage [2026-02-01,2026-03-01) 0 for 0 pending',
    'usage [2026-03-01,2026-04-01) 3 for 300',
    'late_usage [2026-01-01,2026-02-01) 30 for 3000',
  ])
  assert.equal(await countUnsettled(), 0)
})

test('a closing reading that comes after the last bill is on a document of its own', async () => {
  const { subscriptionId, testClockId, read } = await sellMetered(seller)
  await read('2026-01-20T11:00:00Z', '5')
  const command = { subscriptionId, requestId: 'end', actor: 'test', now: '2026-01-20T12:00:00Z' }
  await cancelSubscription(seller.db, command, { when: 'now', reason: 'moved' })
  await setPhase(seller.db, subscriptionId, { phase: 'unbuilding', now: command.now })
  await billFinal(seller.db, subscriptionId, '2026-01-20T12:00:02Z')
  const clocks = seller.db.updateTable('test_clocks').where('id', '=', testClockId)
  await clocks.set({ now_at: '2026-01-22T00:00:00Z' }).execute()
  await read('2026-01-20T12:00:01Z', '9')
  await billLateUsage(seller.db, { testClockId, now: '2026-01-22T00:00:00Z' })
  await billLateUsage(seller.db, { testClockId, now: '2026-01-22T01:00:00Z' })
  assert.deepEqual(await networkLines(seller, subscriptionId), [
    'usage [2026-01-01,2026-01-21) 5 for 500',
    'late_usage [2026-01-01,2026-01-21) 4 for 400',
  ])
})

test('a reading that comes while its period is being billed waits, and is late', async () => {
  const { subscriptionId, documentId, read } = await sellMetered(seller)
  await read('2026-02-01T00:00:00Z', '100')
  let reading: Promise<number> | undefined
  await seller.db.transaction().execute(async (tx) => {
    await lockDocument(tx, documentId)
    reading = read('2026-01-31T23:00:00Z', '120')
    await until('it waits', async () => (await countWaiting(seller.db)) === 1)
    await billDue(tx, documentId, '2026-02-01T00:01:00Z')
  })
  assert.equal(await reading, 2)
  await read('2026-03-01T00:00:00Z', '121')
  await billDue(seller.db, documentId, '2026-03-01T00:01:00Z')
  // 100 after 120 is a reset: the counter had grown by 120, and by 100 since.
  assert.deepEqual(await networkLines(seller, subscriptionId), [
    'usage [2026-01-01,2026-02-01) 100 for 10000',
    'usage [2026-02-01,2026-03-01) 21 for 2100',
    'late_usage [2026-01-01,2026-02-01) 120 for 12000',
  ])
})

test('a reading that comes while the window of a closed document is measured anew is not lost: the next bill has it', async () => {
  const { subscriptionId, documentId, instanceId, read } = await sellMetered(seller)
  /** Of the network alone: what is noted of the disk is settled before the bill is computed. */
  const readNetwork = async (at: string, gib: number) =>
    await insertReadings(seller.db, { instanceId, isOpening: false, readAt: at, sampledAt: at }, [
      { metric: 'network', series: 'eth0', value: String(gib * 2 ** 30), unit: 'B' },
    ])
  const command = { subscriptionId, requestId: newId(), actor: 'test', now: '2026-01-02T08:00:00Z' }
  await setRecurrence(seller.db, command, { count: 1, unit: 'quarter' })
  const [, quarterly = ''] = await listDocumentIds(seller.db, subscriptionId)
  // What goes on is no instance's: who stores a reading meets the closed document alone.
  await seller.db
    .updateTable('subscription_lines')
    .set({ instance_id: null })
    .where('document_id', '=', quarterly)
    .execute()
  await read('2026-01-20T00:00:00Z', '100')
  await read('2026-02-01T00:01:00Z', '160')
  await billDue(seller.db, documentId, '2026-02-01T00:02:00Z')
  await readNetwork('2026-01-31T23:58:00Z', 150)
  assert.equal(await countUnsettled(), 1)

  let billing: Promise<unknown> | undefined
  let reading: Promise<number> | undefined
  const passing = await stopBillsOnTheWay()
  await seller.db.transaction().execute(async (gate) => {
    await sql`select pg_advisory_xact_lock(${aGate})`.execute(gate)
    billing = billDue(seller.db, quarterly, '2026-02-01T00:05:00Z')
    await until('it has measured', async () => (await countWaiting(seller.db)) === 1)
    let isStored = false
    reading = readNetwork('2026-01-31T23:59:00Z', 155).finally(() => (isStored = true))
    await until('it waits or is stored', async () => isStored || (await countWaiting(seller.db)) === 2)
  })
  await Promise.all([billing, reading])
  await passing()
  await billDue(seller.db, quarterly, '2026-05-01T00:05:00Z')
  const late = (await networkLines(seller, subscriptionId)).filter((line) => line.startsWith('late'))
  assert.deepEqual(late, [
    'late_usage [2026-01-01,2026-02-01) 50 for 5000',
    'late_usage [2026-01-01,2026-02-01) 5 for 500',
  ])
  assert.equal(await countUnsettled(), 0)
})

const aGate = 4_711

/** Bills wait, once they have measured, for who holds the gate. @returns what lets them pass again */
async function stopBillsOnTheWay(): Promise<() => Promise<void>> {
  await sql`create function wait_at_gate() returns trigger language plpgsql as
    ${sql.raw(`'begin perform pg_advisory_xact_lock_shared(${aGate}); return new; end'`)}`.execute(seller.db)
  await sql`create trigger at_gate before insert on invoices for each row execute function wait_at_gate()`.execute(
    seller.db,
  )
  return async () => {
    await sql`drop function wait_at_gate cascade`.execute(seller.db)
  }
}
