import { sql } from 'kysely'
import { encodeId } from '#domain/identifier.ts'
import { reasonOf } from './billing-chunk.ts'
import { recordInvoices } from './billing-run.ts'
import type { Db, Tx } from './database.ts'
import type { FinalizedInvoice } from './invoice.ts'
import { billOneOffs } from './one-off-bill.ts'
import { closeTasks, openTask } from './task.ts'
import { noteTaxQuestion } from './tax-answer.ts'

/** One-offs of a customer in a currency in which nothing of his recurs. */
export interface LoneCharges {
  readonly customer_id: string
  readonly currency: string
  readonly first_id: string
}

/**
 * Bills one-offs that would wait for ever, for the customer has no document in their currency on which they could come: those
 * of a day together, on the day after. One that cannot be billed has a task and is tried again with the next run.
 */
export async function billLoneOneOffs(
  db: Db,
  of: { testClockId: string | null; now: string; billingRunId?: string },
): Promise<void> {
  for (const lone of await listLone(db, of)) {
    try {
      await billAndTell(db, lone, of)
    } catch (error) {
      await noteTaxQuestion(db, error)
      await openTask(db, {
        kind: 'bill_failed',
        subjectKind: 'customer',
        subjectId: lone.customer_id,
        subject: `One-off charges of ${encodeId('customer', lone.customer_id)} could not be billed`,
        detail: `${reasonOf(error)} The next billing run tries again by itself.`,
      })
    }
  }
}

/** Whoever is about to get something that recurs has a first bill to come, which takes them. Texts alone make no invoice. */
export async function listLone(
  db: Db,
  { testClockId, now }: { testClockId: string | null; now: string },
): Promise<LoneCharges[]> {
  const { rows } = await sql<LoneCharges>`
    select charge.customer_id, charge.currency, min(charge.id::text) as first_id
    from one_off_charges charge join customers customer on customer.id = charge.customer_id
    where charge.withdrawn_at is null and charge.test_clock_id is not distinct from ${testClockId}::uuid
      and charge.charged_on < (${now}::timestamptz at time zone customer.time_zone)::date
      and not exists (select from invoice_lines where one_off_charge_id = charge.id)
      and not exists (select from subscription_documents document
        where document.customer_id = charge.customer_id and document.currency = charge.currency
          and document.test_clock_id is not distinct from charge.test_clock_id and document.closed_at is null)
      and not exists (select from subscriptions subscription
        where subscription.customer_id = charge.customer_id and subscription.currency = charge.currency
          and subscription.test_clock_id is not distinct from charge.test_clock_id
          and subscription.phase in ('ordered', 'building'))
    group by charge.customer_id, charge.currency
    having not bool_and(charge.is_text)
    order by charge.customer_id, charge.currency`.execute(db)
  return rows
}

async function billAndTell(
  db: Db,
  lone: LoneCharges,
  { billingRunId, ...at }: { testClockId: string | null; now: string; billingRunId?: string },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const invoice = await billLone(tx, lone, at)
    if (billingRunId !== undefined && invoice !== null)
      await recordInvoices(tx, billingRunId, { documents: 0, invoices: [invoice] })
  })
}

/** @returns null where somebody else billed them */
export async function billLone(
  tx: Tx,
  { customer_id: customerId, currency, first_id }: LoneCharges,
  at: { testClockId: string | null; now: string },
): Promise<FinalizedInvoice | null> {
  const billingKey = `one-off/${encodeId('customer', customerId)}/waiting/${first_id}`
  await tx.selectFrom('customers').select('id').where('id', '=', customerId).forNoKeyUpdate().execute()
  const made = await tx
    .selectFrom('invoices')
    .select('id')
    .where('billing_key', '=', billingKey)
    .executeTakeFirst()
  if (made) return null
  const invoice = await billOneOffs(tx, { ...at, customerId, currency, billingKey })
  await closeTasks(tx, { kind: 'customer', id: customerId, reason: 'billed' }, ['bill_failed'])
  return invoice
}
