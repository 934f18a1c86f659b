import { assert } from '#domain/assert.ts'
import { dateIn, earlierDate } from '#domain/calendar.ts'
import { encodeId } from '#domain/identifier.ts'
import { DocumentNotReady, writeBills } from './bill.ts'
import { billPeriodsIn, type PeriodKey, type PeriodOutcome } from './billing-period.ts'
import { recordBilled } from './billing-run.ts'
import { within, type Db, type Tx } from './database.ts'
import { findDocumentsGoingOn, type BilledDocument } from './document-progress.ts'
import { finalizeDrafts } from './finalization.ts'
import { listBegunTogether } from './opening.ts'
import { listDocuments, lockDocuments, type DocumentRow } from './subscription-documents.ts'
import { getSubscription } from './subscription.ts'

export type { BilledDocument } from './document-progress.ts'

/**
 * Bills one period of a document in one transaction. Called again, by whomever, it finds the work done and gives the same
 * answer.
 * @throws DocumentNotReady
 */
export async function billPeriod(db: Db, key: PeriodKey, now: string): Promise<BilledDocument> {
  const [outcome] = await within(db, async (tx) => billPeriodsIn(tx, [key], { now, isHeldPassedBy: false }))
  if (outcome?.state === 'waiting') throw new DocumentNotReady(key.documentId)
  if (outcome?.state === 'failed') throw outcome.error
  assert(outcome?.state === 'billed', 'a document that is waited for is never held')
  return outcome.billed
}

/**
 * Bills one period of each of many documents in one transaction, and counts it for the billing run.
 * @returns in the order given
 */
export async function billPeriods(
  db: Db,
  keys: readonly PeriodKey[],
  at: { now: string; isHeldPassedBy: boolean; billingRunId: string; isFirst: boolean },
): Promise<PeriodOutcome[]> {
  return await db.transaction().execute(async (tx) => {
    const outcomes = await billPeriodsIn(tx, keys, at)
    await recordBilled(tx, at, outcomes)
    return outcomes
  })
}

/**
 * The first bill of a subscription and of all that began with it: on its document's period 0 where activation opened the
 * document, else on an invoice of their own for what the joined document had billed before; the next period is billed
 * with all the others. Whoever comes last of one order bills for all, whoever came before finds the work done.
 */
export async function billOpening(db: Db, subscriptionId: string, now: string): Promise<string[]> {
  const subscription = await getSubscription(db, subscriptionId)
  const subscriptionIds = await listBegunTogether(db, subscriptionId)
  const documents = await listDocuments(db, ...subscriptionIds)
  for (const document of documents.filter((row) => row.next_period_index === 0)) {
    await billPeriod(db, { documentId: document.id, periodIndex: 0 }, now)
  }
  assert(subscription.starts_on, 'an active subscription has a start')
  // What begins later is billed with the document that it lies on.
  const asOf = earlierDate(subscription.starts_on, dateIn(subscription.time_zone, now))
  await billSubscriptions(db, { of: subscriptionId, subscriptionIds, reason: 'opening', asOf, now })
  return await listInvoiceNumbers(db, subscriptionId)
}

/** The last bill of a subscription: every open fee and all usage up to its end, and credit for what was paid beyond it. */
export async function billFinal(db: Db, subscriptionId: string, now: string): Promise<string[]> {
  const last = await db
    .selectFrom('subscription_lines')
    .select((eb) => eb.fn.max('ends_on').as('ends_on'))
    .where('subscription_id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  if (last.ends_on)
    await billSubscriptions(db, {
      of: subscriptionId,
      subscriptionIds: [subscriptionId],
      reason: 'final',
      asOf: last.ends_on,
      now,
    })
  return await listInvoiceNumbers(db, subscriptionId)
}

interface SubscriptionBill {
  /** By whose key the bill is made once. */
  readonly of: string
  readonly subscriptionIds: readonly string[]
  readonly reason: 'opening' | 'final'
  readonly asOf: string
  readonly now: string
}

async function billSubscriptions(db: Db, bill: SubscriptionBill): Promise<void> {
  const billingKey = `subscription/${encodeId('subscription', bill.of)}/${bill.reason}`
  await within(db, async (tx) => {
    const documents = await lockDocuments(tx, ...bill.subscriptionIds)
    const existing = await tx
      .selectFrom('invoices')
      .select('id')
      .where('billing_key', '=', billingKey)
      .executeTakeFirst()
    if (existing === undefined) {
      const current = bill.reason === 'final' ? await finalizeDrafts(tx, documents, bill.now) : documents
      const document = current.length === 1 ? (current[0] ?? null) : null
      const [outcome] = await writeBills(tx, [{ ...bill, billingKey, document }])
      if (outcome?.state === 'failed') throw outcome.error
      assert(outcome?.state === 'billed', 'the bill of a subscription does not wait for readings')
    }
    if (bill.reason === 'final') await closeIfBilled(tx, documents, bill)
  })
}

async function closeIfBilled(
  tx: Tx,
  documents: readonly DocumentRow[],
  bill: SubscriptionBill,
): Promise<void> {
  const at = documents.map((document) => ({ documentId: document.id, on: bill.asOf }))
  const open = await findDocumentsGoingOn(tx, at, bill.of)
  const closing = documents.map(({ id }) => id).filter((id) => !open.has(id))
  if (closing.length === 0) return
  await tx
    .updateTable('subscription_documents')
    .set({ closed_at: bill.now })
    .where('id', 'in', closing)
    .where('closed_at', 'is', null)
    .execute()
}

async function listInvoiceNumbers(db: Db, subscriptionId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('invoices')
    .select(['number', 'id'])
    .where(
      'id',
      'in',
      db.selectFrom('invoice_lines').select('invoice_id').where('subscription_id', '=', subscriptionId),
    )
    .where('number', 'is not', null)
    .orderBy('id', 'desc')
    .limit(3)
    .execute()
  return rows.flatMap((row) => (row.number === null ? [] : [row.number]))
}
