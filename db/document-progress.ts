import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { cycleBoundary, startOfDay, type Period } from '#domain/calendar.ts'
import type { Tx } from './database.ts'
import type { FinalizedInvoice } from './invoice.ts'
import { dueOn, issuedOn, type DocumentRow } from './subscription-documents.ts'
import { closeTasks } from './task.ts'

/** A document's state after billing, and the invoice that billing made or found. */
export interface BilledDocument {
  readonly documentId: string
  readonly invoiceNumber: string | null
  readonly totalMinor: number
  /** Index and instant of the next period to bill; null when the document is closed. */
  readonly next: { readonly periodIndex: number; readonly dueAt: string } | null
}

interface PeriodBill {
  readonly document: DocumentRow
  readonly invoice: FinalizedInvoice | null
  /** The document that holds what came to nothing. */
  readonly skippedId?: string | undefined
}

/** Records the periods as billed; documents go on to their next one, or close. */
export async function advance(
  tx: Tx,
  bills: readonly PeriodBill[],
  now: string,
): Promise<ReadonlyMap<string, BilledDocument>> {
  if (bills.length === 0) return new Map()
  const open = await findDocumentsGoingOn(
    tx,
    bills.map(({ document }) => ({ documentId: document.id, on: issuedOn(document) })),
    null,
  )
  const moves = bills.map(({ document, invoice, skippedId }) => {
    const period = periodOf(document)
    return {
      id: document.id,
      period_index: document.next_period_index,
      period: `[${period.start},${period.end})`,
      invoice_id: invoice?.id ?? skippedId ?? null,
      due_on: issuedOn(document),
      next_invoice_on: period.end,
      closed_at: open.has(document.id) ? null : now,
    }
  })
  const advanceDays = await writeMoves(tx, moves)
  for (const { document } of bills) {
    if (document.parked_reason === null) continue
    await closeTasks(tx, { kind: 'document', id: document.id, reason: 'billed' }, ['document_parked'])
  }
  return new Map(
    bills.map(({ document, invoice }, index) => {
      const move = moves[index]
      assert(move, 'every bill moves its document')
      const after = {
        ...document,
        next_period_index: document.next_period_index + 1,
        next_invoice_on: move.next_invoice_on,
        advance_days: advanceDays,
        finalize_on: null,
        closed_at: move.closed_at,
      }
      return [document.id, toBilled(after, invoice?.number ?? null, invoice?.totalMinor ?? 0)]
    }),
  )
}

function periodOf(document: DocumentRow): Period {
  const interval = { count: document.interval_count, unit: document.interval_unit }
  const end = cycleBoundary(document.billing_cycle_anchor, interval, document.next_period_index + 1)
  return { start: document.next_invoice_on, end }
}

/** @returns how many days before its period the next invoice of each is made: what the seller has set by now */
async function writeMoves(tx: Tx, moves: readonly object[]): Promise<number> {
  const { advance_days } = await tx
    .selectFrom('installation')
    .select('advance_days')
    .executeTakeFirstOrThrow()
  const rows = JSON.stringify(moves)
  await sql`
    insert into billing_periods (document_id, period_index, period, invoice_id, due_on)
    select id, period_index, period, invoice_id, due_on from json_to_recordset(${rows}::json) as move
      (id uuid, period_index integer, period daterange, invoice_id uuid, due_on date)`.execute(tx)
  await sql`
    update subscription_documents document set next_period_index = move.period_index + 1,
      next_invoice_on = move.next_invoice_on, advance_days = ${advance_days}, finalize_on = null, parked_reason = null, closed_at = move.closed_at
    from json_to_recordset(${rows}::json) as move
      (id uuid, period_index integer, next_invoice_on date, closed_at timestamptz)
    where document.id = move.id`.execute(tx)
  return advance_days
}

/**
 * The documents of which a line goes on after a date: the others are closed, and a later order of the customer opens a
 * new one. Subscriptions that are taken down have their last bill already, and the one that gets it now is as good as ended.
 */
export async function findDocumentsGoingOn(
  tx: Tx,
  documents: readonly { readonly documentId: string; readonly on: string }[],
  finalOf: string | null,
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ id: string }>`
    select document."documentId" as id
    from json_to_recordset(${JSON.stringify(documents)}::json) as document ("documentId" uuid, "on" date)
    where exists (
      select from subscription_lines line join subscriptions on subscriptions.id = line.subscription_id
      where line.document_id = document."documentId" and line.interval_unit is not null
        and subscriptions.phase not in ('unbuilding', 'ended') and subscriptions.id is distinct from ${finalOf}::uuid
        and (line.ends_on is null or line.ends_on > document."on"))`.execute(tx)
  return new Set(rows.map(({ id }) => id))
}

export function toBilled(
  document: DocumentRow,
  invoiceNumber: string | null,
  totalMinor: number,
): BilledDocument {
  const { closed_at, next_period_index, time_zone } = document
  const next =
    closed_at === null
      ? { periodIndex: next_period_index, dueAt: startOfDay(time_zone, dueOn(document)) }
      : null
  return { documentId: document.id, invoiceNumber, totalMinor, next }
}
