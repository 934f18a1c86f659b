import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { billPeriod } from '#db/billing.ts'
import type { Db } from '#db/database.ts'
import { changeSubscription } from '#db/plan.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { isTransient } from '#db/transient.ts'
import { command, firstLineId, useLate } from '#test/support/books.ts'
import { advanceClock } from '#test/support/clock-hand.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { listDocumentIds } from '#test/support/invoices.ts'
import { createSeller, pushUsage, type Seller } from '#test/support/seller.ts'
import { openCutDatabase } from './cut.ts'
import { readBilled } from './fleet.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

/**
 * Does something whole, cut after its first statement, then after its second, and so on, until it is not cut any more. After
 * each cut, nothing of it must be there.
 */
async function cutAtEachStatement(work: (db: Db) => Promise<unknown>): Promise<number> {
  const before = await fingerprint()
  for (let after = 1; ; after += 1) {
    const cut = openCutDatabase(seller.url, after)
    try {
      await work(cut.db)
      assert.ok(cut.answered() < after, 'what was cut cannot have succeeded')
      return cut.answered()
    } catch (error) {
      assert.ok(isTransient(error), `cut after ${after}: ${String(error)}`)
      assert.deepEqual(await fingerprint(), before, `cut after ${after}`)
    } finally {
      await cut.close()
    }
  }
}

async function fingerprint() {
  const { db } = seller
  const lines = await db
    .selectFrom('subscription_lines')
    .select(['id', 'starts_on', 'ends_on', 'quantity'])
    .orderBy('id')
    .execute()
  const series = await db.selectFrom('number_series').selectAll().orderBy('code').execute()
  const documents = await db.selectFrom('subscription_documents').selectAll().orderBy('id').execute()
  return { lines, series, documents, billed: await readBilled(db) }
}

/** A customer who used something, and something late, with one month billed. */
async function sellMonth() {
  const now = '2026-04-01T08:00:00Z'
  const clock = await seller.clock(now)
  const subscriptionId = await seller.sell({ kit: 'odoo-config-1', testClockId: clock, now })
  await pushUsage(seller.db, {
    subscriptionId,
    metric: 'network',
    quantity: '3',
    occurredAt: '2026-04-05T00:00:00Z',
  })
  await advanceClock(seller.db, clock, '2026-05-02T00:00:00Z')
  await useLate(seller.db, subscriptionId, '2026-04-20T00:00:00Z')
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  return { clock, subscriptionId, documentId }
}

test('cut off at any statement, a bill leaves nothing behind, and is then made as if nothing had been', async () => {
  const { clock, documentId } = await sellMonth()
  const key = { documentId, periodIndex: 2 }
  const statements = await cutAtEachStatement(async (db) => billPeriod(db, key, '2026-06-01T00:00:00Z'))
  assert.ok(statements > 10, `a bill is ${statements} statements`)
  await seller.db
    .updateTable('test_clocks')
    .set({ now_at: '2026-06-01T00:00:00Z' })
    .where('id', '=', clock)
    .execute()
  const billed = await readBilled(seller.db)
  assert.equal(billed.filter((line) => line.includes('late_usage')).length, 1)
  await assertInvariants(seller.db)
})

test('cut off between closing a line and opening its successor, a change leaves both or neither', async () => {
  const { subscriptionId } = await sellMonth()
  const change = { subscriptionLineId: await firstLineId(seller.db, subscriptionId), quantity: '9' }
  const key = command(subscriptionId, 'up', '2026-05-10T00:00:00Z')
  await cutAtEachStatement(async (db) => changeSubscription(db, key, change))
  const lines = await seller.db
    .selectFrom('subscription_lines')
    .select(['quantity', 'starts_on', 'ends_on'])
    .where('first_line_id', '=', change.subscriptionLineId)
    .orderBy('starts_on')
    .execute()
  assert.deepEqual(lines, [
    { quantity: '5', starts_on: '2026-04-01', ends_on: '2026-05-10' },
    { quantity: '9', starts_on: '2026-05-10', ends_on: null },
  ])
  await assertInvariants(seller.db)
})

test('cut off at any statement, a cancellation ends every line or none', async () => {
  const { subscriptionId } = await sellMonth()
  const key = command(subscriptionId, 'end', '2026-05-10T00:00:00Z')
  const cancel = { when: 'now', reason: 'moved' } as const
  await cutAtEachStatement(async (db) => cancelSubscription(db, key, cancel))
  const lines = await seller.db
    .selectFrom('subscription_lines')
    .select('ends_on')
    .distinct()
    .where('subscription_id', '=', subscriptionId)
    .orderBy('ends_on')
    .execute()
  // What is metered on the day of the cancellation is billed.
  assert.deepEqual(lines, [{ ends_on: '2026-05-10' }, { ends_on: '2026-05-11' }])
  await assertInvariants(seller.db)
})
