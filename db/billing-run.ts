import { sql } from 'kysely'
import type { PeriodKey, PeriodOutcome } from './billing-period.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import type { FinalizedInvoice } from './invoice.ts'
import { isDocumentAwaited } from './opening.ts'

/** The run's row, made when its first chunk begins. */
export async function ensureBillingRun(
  db: Db,
  run: { workflowId: string; billedAt: string },
): Promise<string> {
  const row = await db
    .insertInto('billing_runs')
    .values({ id: newId(), workflow_id: run.workflowId, billed_at: run.billedAt, finished_at: null })
    // Written again, so that the row is given back.
    .onConflict((conflict) => conflict.column('workflow_id').doUpdateSet({ workflow_id: run.workflowId }))
    .returning('id')
    .executeTakeFirstOrThrow()
  return row.id
}

/** Documents whose next invoice is due, in id order, after a cursor; those on a test clock bill by their subscriptions. */
export async function listDueDocuments(
  db: Db,
  due: { now: string; after: string | null; limit: number; isFailedOnly?: boolean },
): Promise<PeriodKey[]> {
  let query = db
    .selectFrom('subscription_documents as document')
    .select(['id', 'next_period_index'])
    .where('closed_at', 'is', null)
    .where('test_clock_id', 'is', null)
    .where(sql<boolean>`due_on <= (${due.now}::timestamptz at time zone time_zone)::date`)
    // Who comes last of an order bills the first period for all of it.
    .where(
      sql<boolean>`not (next_period_index = 0 and finalize_on is null and ${isDocumentAwaited(due.now)})`,
    )
    .orderBy('id')
    .limit(due.limit)
  if (due.after) query = query.where('id', '>', due.after)
  if (due.isFailedOnly) query = query.where('parked_reason', 'is not', null)
  const rows = await query.execute()
  return rows.map((row) => ({ documentId: row.id, periodIndex: row.next_period_index }))
}

/**
 * Counts what a transaction billed, in the same transaction: a run that is cut off and goes on counts nothing twice, and
 * forgets nothing. A document counts once, however many of its periods were missed, and only where this run billed it; its
 * totals all count.
 */
export async function recordBilled(
  tx: Tx,
  run: { billingRunId: string; isFirst: boolean },
  outcomes: readonly PeriodOutcome[],
): Promise<void> {
  const billed = outcomes.filter((outcome) => outcome.state === 'billed')
  await recordInvoices(tx, run.billingRunId, {
    documents: run.isFirst ? billed.filter(({ isFoundDone }) => !isFoundDone).length : 0,
    invoices: billed.flatMap(({ invoice }) => invoice ?? []),
  })
}

/** Adds to what a run billed. */
export async function recordInvoices(
  tx: Tx,
  billingRunId: string,
  { documents, invoices }: { documents: number; invoices: readonly FinalizedInvoice[] },
): Promise<void> {
  const totals: Record<string, number> = {}
  for (const { kind, currency, totalMinor } of invoices) {
    totals[currency] = (totals[currency] ?? 0) + (kind === 'invoice' ? totalMinor : -totalMinor)
  }
  await sql`
    update billing_runs set billed = billed + ${documents}, totals = (
      select coalesce(jsonb_object_agg(currency, amount_minor), '{}') from (
        select key as currency, sum(value::bigint) as amount_minor from (
          select * from jsonb_each_text(totals) union all select * from jsonb_each_text(${JSON.stringify(totals)}::jsonb)
        ) parts group by key
      ) summed
    )
    where id = ${billingRunId}`.execute(tx)
}

/** Why a document was not billed, and what became of it: told with the run, once a document. */
export async function recordException(
  db: Db,
  exception: { billingRunId: string; documentId: string; outcome: 'waiting' | 'parked'; reason: string },
): Promise<void> {
  await db
    .insertInto('billing_run_exceptions')
    .values({
      billing_run_id: exception.billingRunId,
      document_id: exception.documentId,
      outcome: exception.outcome,
      reason: exception.reason,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['billing_run_id', 'document_id'])
        .doUpdateSet({ outcome: exception.outcome, reason: exception.reason }),
    )
    .execute()
}

/** Once every chunk is done. */
export async function finishBillingRun(db: Db, billingRunId: string): Promise<void> {
  await sql`
    update billing_runs run set finished_at = now(), waiting = seen.waiting, parked = seen.parked,
      considered = run.billed + seen.waiting + seen.parked
    from (
      select count(*) filter (where outcome = 'waiting') as waiting, count(*) filter (where outcome = 'parked') as parked
      from billing_run_exceptions where billing_run_id = ${billingRunId}
    ) seen
    where run.id = ${billingRunId} and finished_at is null`.execute(db)
}
