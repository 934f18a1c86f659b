import { compareDates, dateIn } from '#domain/calendar.ts'
import { encodeId } from '#domain/identifier.ts'
import { computeDocument } from '#domain/invoice/document.ts'
import { canBillEarly } from '#domain/invoice/early.ts'
import { writeBills, type BillRequest } from './bill.ts'
import { readBillInputs } from './bill-input.ts'
import { readBillableLines, type LineContext } from './billable-line.ts'
import { within, type Db, type Tx } from './database.ts'
import { insertEvent } from './event.ts'
import type { FinalizedInvoice } from './invoice.ts'
import { dueOn, lockDocuments, type DocumentRow } from './subscription-documents.ts'
import { lockSubscription, type Subscription } from './subscription.ts'
import { definedMetric, readMeters } from './usage-measure.ts'

/**
 * Bills usage of a subscription before its period ends (D-39): where what is not billed yet has come to the agreed amount, all
 * of it is, up to the day that has begun; the period's end bills the rest, and tiers go on counting. Called again, by whomever,
 * it finds nothing left that comes to the amount.
 * @returns null where nothing is to be billed early
 */
export async function billEarly(
  db: Db,
  subscriptionId: string,
  now: string,
): Promise<FinalizedInvoice | null> {
  return await within(db, async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId)
    const leastMinor = subscription.early_invoice_minor
    if (leastMinor === null || subscription.phase !== 'active' || isBounded(subscription)) return null
    const documents = await lockDocuments(tx, subscriptionId)
    if (documents.some((document) => isDueFirst(document, now))) return null
    const request = await toRequest(tx, { subscriptionId, documents, now })
    if (request === null || !(await comesTo(tx, request, leastMinor))) return null
    const [outcome] = await writeBills(tx, [request])
    if (outcome?.state === 'failed') throw outcome.error
    if (outcome?.state !== 'billed' || outcome.invoice === null) return null
    await insertEvent(tx, {
      kind: 'usage.billed_early',
      customerId: subscription.customer_id,
      subscriptionId,
      data: { least_minor: leastMinor, currency: subscription.currency },
      ...(subscription.test_clock_id === null ? {} : { businessAt: now }),
    })
    return outcome.invoice
  })
}

/** What a period comes to at least and at most is settled with the period alone. */
function isBounded(subscription: Subscription): boolean {
  return subscription.least_amount !== null || subscription.greatest_amount !== null
}

/** A period that is over is billed first, and a draft of it finalized: its usage belongs there. */
function isDueFirst(document: DocumentRow, now: string): boolean {
  if (document.closed_at !== null) return false
  return document.finalize_on !== null || compareDates(dueOn(document), dateIn(document.time_zone, now)) <= 0
}

async function toRequest(
  tx: Tx,
  { subscriptionId, documents, now }: { subscriptionId: string; documents: DocumentRow[]; now: string },
): Promise<BillRequest | null> {
  const [only] = documents
  if (only === undefined) return null
  const subscriptionIds = [subscriptionId]
  const asked = { reason: 'early', document: null, subscriptionIds } as const
  const [contexts = []] = await readBillableLines(tx, [asked], { isLocked: false })
  const earlyLineIds = await findCounted(tx, contexts)
  if (earlyLineIds.size === 0) return null
  const asOf = dateIn(only.time_zone, now)
  return {
    reason: 'early',
    document: documents.length === 1 ? only : null,
    subscriptionIds,
    earlyLineIds,
    asOf,
    now,
    billingKey: `subscription/${encodeId('subscription', subscriptionId)}/early/${asOf}`,
  }
}

/** Lines whose quantity is a sum, so that days of a period and the rest of it make the whole; a highest value is known at the end. */
async function findCounted(tx: Tx, contexts: readonly LineContext[]): Promise<Set<string>> {
  const candidates = contexts.filter(({ line }) => canBillEarly(line))
  const meters = await readMeters(
    tx,
    candidates.flatMap(({ instanceId }) => instanceId ?? []),
  )
  const counted = candidates.filter(({ line, instanceId }) => {
    const rule = definedMetric(meters, { instanceId, metric: line.metric })
    const isSum = rule === undefined || (rule.kind === 'counter' && rule.aggregation === 'sum')
    return isSum && rule?.rounding === undefined
  })
  return new Set(counted.map(({ line }) => line.id))
}

async function comesTo(tx: Tx, request: BillRequest, leastMinor: number): Promise<boolean> {
  const [bill = null] = await readBillInputs(tx, [request])
  if (bill === null || !bill.isReady || bill.input.parts.length === 0) return false
  return (computeDocument(bill.input)?.netMinor ?? 0) >= leastMinor
}

/** Says at which amount of unbilled usage a subscription is invoiced early; null: with its periods only. */
export async function setEarlyInvoice(
  db: Db,
  subscriptionId: string,
  amountMinor: number | null,
): Promise<void> {
  await db
    .updateTable('subscriptions')
    .set({ early_invoice_minor: amountMinor })
    .where('id', '=', subscriptionId)
    .execute()
}
