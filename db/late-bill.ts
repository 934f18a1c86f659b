import { assert } from '#domain/assert.ts'
import { encodeId } from '#domain/identifier.ts'
import { writeBills } from './bill.ts'
import { reasonOf } from './billing-chunk.ts'
import { recordInvoices } from './billing-run.ts'
import type { Db, Tx } from './database.ts'
import type { FinalizedInvoice } from './invoice.ts'
import { lockDocuments } from './subscription-documents.ts'
import { lockSubscription } from './subscription.ts'
import { closeTasks, openTask } from './task.ts'
import { noteTaxQuestion } from './tax-answer.ts'

/**
 * Bills usage that came after the last bill of its subscription, all of a subscription that came since on one document of its
 * own. One that cannot be billed has a task and is tried again with the next run; the others go on.
 */
export async function billLateUsage(
  db: Db,
  of: { testClockId: string | null; now: string; billingRunId?: string },
): Promise<void> {
  for (const subscriptionId of await listWithLateUsage(db, of.testClockId)) {
    try {
      await billAndTell(db, subscriptionId, of)
    } catch (error) {
      await noteTaxQuestion(db, error)
      await openTask(db, {
        kind: 'bill_failed',
        subjectKind: 'subscription',
        subjectId: subscriptionId,
        subject: `Late usage of ${encodeId('subscription', subscriptionId)} could not be billed`,
        detail: `${reasonOf(error)} The next billing run tries again by itself.`,
      })
    }
  }
}

/** Subscriptions whose service has ended, of which usage came since. */
export async function listWithLateUsage(db: Db, testClockId: string | null): Promise<string[]> {
  const rows = await db
    .selectFrom('subscriptions')
    .select('id')
    .where('late_usage_at', 'is not', null)
    .where('phase', 'in', ['unbuilding', 'ended'])
    .where('test_clock_id', 'is not distinct from', testClockId)
    .orderBy('id')
    .execute()
  return rows.map((row) => row.id)
}

async function billAndTell(
  db: Db,
  subscriptionId: string,
  { now, billingRunId }: { now: string; billingRunId?: string },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const invoice = await billAfterEnd(tx, subscriptionId, now)
    if (billingRunId !== undefined && invoice !== null)
      await recordInvoices(tx, billingRunId, { documents: 0, invoices: [invoice] })
  })
}

/**
 * As a last bill: of days before the end, at their prices. Of days after it nothing is ever due.
 * @returns null where nothing came of it, or somebody else billed it
 */
export async function billAfterEnd(
  tx: Tx,
  subscriptionId: string,
  now: string,
): Promise<FinalizedInvoice | null> {
  const { late_usage_at: cameAt } = await lockSubscription(tx, subscriptionId)
  if (cameAt === null) return null
  const documents = await lockDocuments(tx, subscriptionId)
  const { ends_on: asOf } = await tx
    .selectFrom('subscription_lines')
    .select((eb) => eb.fn.max('ends_on').as('ends_on'))
    .where('subscription_id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  assert(asOf, 'a subscription that ended has lines that end')
  const billingKey = `subscription/${encodeId('subscription', subscriptionId)}/late/${cameAt}`
  const document = documents.length === 1 ? (documents[0] ?? null) : null
  const subscriptionIds = [subscriptionId]
  const [outcome] = await writeBills(tx, [
    { billingKey, reason: 'final', document, subscriptionIds, asOf, now },
  ])
  if (outcome?.state === 'failed') throw outcome.error
  assert(outcome?.state === 'billed', 'the bill of a subscription does not wait for readings')
  await tx
    .updateTable('subscriptions')
    .set({ late_usage_at: null })
    .where('id', '=', subscriptionId)
    .execute()
  await closeTasks(tx, { kind: 'subscription', id: subscriptionId, reason: 'billed' }, ['bill_failed'])
  return outcome.invoice
}
