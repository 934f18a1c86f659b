import { BusinessError } from '#domain/errors.ts'
import { openMinor } from '#domain/invoice/balance.ts'
import { encodeId } from '#domain/identifier.ts'
import { annulLocked, lockLinesOf } from './credit-note.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent, type EventKind } from './event.ts'
import { redraftDocuments } from './finalization.ts'
import { newId } from './identifier.ts'
import type { FinalizedInvoice } from './invoice.ts'
import { lockFinalizedInvoice, type LockedInvoice } from './invoice-lock.ts'
import { readInvoiceMoney } from './invoice-money.ts'
import { queuePeerStandings } from './peer-standing.ts'
import { lockDocumentsOf, type DocumentRow } from './subscription-documents.ts'

export interface WantedMark {
  readonly invoiceId: string
  readonly reason: string
  readonly actor: string
  readonly now: string
}

/**
 * Annuls an invoice that should not have been: one credit note for all that is left of it, and a mark; it keeps its number.
 * Nothing of it stands after that: what drafts would still credit of it they credit no more, and what it had credited itself
 * counts again, but of an invoice that is void too. An invoice that is void already stays as it is.
 * @returns the credit note, or the invoice that it is where others had credited more; null where nothing was left
 * @throws `not_found`, `not_finalized`, `not_an_invoice`, `action_not_allowed` as `redraft`
 */
export async function voidInvoice(tx: Tx, wanted: WantedMark): Promise<FinalizedInvoice | null> {
  const documents = await lockDocumentsOf(tx, wanted.invoiceId)
  await lockLinesOf(tx, wanted.invoiceId, documents)
  const voided = await lockVoidedBefore(tx, wanted.invoiceId)
  const invoice = await lockFinalizedInvoice(tx, wanted.invoiceId)
  const billingKey = `void/${encodeId('invoice', invoice.id)}`
  if (await hasMark(tx, invoice.id, 'void')) return await findByBillingKey(tx, billingKey)
  // The mark comes first, and by it the drafts: numbers are taken last in a transaction.
  await insertMark(tx, invoice, 'void', wanted)
  await tell(tx, 'invoice.voided', invoice, wanted)
  await redraftDocuments(tx, await listDraftsCrediting(tx, invoice.id, documents), wanted.now)
  const note = await annulLocked(tx, invoice, { billingKey, now: wanted.now })
  for (const before of voided) {
    const restKey = `void/${encodeId('invoice', before.id)}/with/${encodeId('invoice', invoice.id)}`
    await annulLocked(tx, before, { billingKey: restKey, now: wanted.now })
  }
  await queuePeerStandings(tx, [invoice.id])
  return note
}

/** Invoices that are void, of which this one credited a part: that part comes back with it, and is annulled like the rest. */
async function lockVoidedBefore(tx: Tx, invoiceId: string): Promise<LockedInvoice[]> {
  const rows = await tx
    .selectFrom('invoice_marks')
    .select('invoice_id')
    .distinct()
    .where('kind', '=', 'void')
    .where('ended_at', 'is', null)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('invoice_lines as credit')
          .innerJoin('invoice_lines as charge', 'charge.id', 'credit.credits_line_id')
          .select('charge.id')
          .where('credit.invoice_id', '=', invoiceId)
          .whereRef('charge.invoice_id', '=', 'invoice_marks.invoice_id'),
      ),
    )
    .orderBy('invoice_id')
    .execute()
  const locked: LockedInvoice[] = []
  for (const row of rows) locked.push(await lockFinalizedInvoice(tx, row.invoice_id))
  return locked
}

/** Those of the documents whose drafts hold credits of the invoice. */
async function listDraftsCrediting(
  tx: Tx,
  invoiceId: string,
  documents: readonly DocumentRow[],
): Promise<DocumentRow[]> {
  const rows = await tx
    .selectFrom('invoice_lines as charge')
    .innerJoin('invoice_lines as credit', 'credit.credits_line_id', 'charge.id')
    .innerJoin('invoices as draft', 'draft.id', 'credit.invoice_id')
    .select('draft.document_id')
    .distinct()
    .where('charge.invoice_id', '=', invoiceId)
    .where('draft.finalized_at', 'is', null)
    .execute()
  return documents.filter(({ id }) => rows.some((row) => row.document_id === id))
}

/**
 * Writes off what is left to pay of an invoice: it is not overdue any more. Money that comes after all makes it paid.
 * @throws `not_found`, `not_finalized`, `not_an_invoice`, `nothing_to_pay`
 */
export async function markUncollectible(tx: Tx, wanted: WantedMark): Promise<void> {
  const invoice = await lockFinalizedInvoice(tx, wanted.invoiceId)
  if (openMinor(await readInvoiceMoney(tx, invoice.id)) === 0) {
    throw new BusinessError('nothing_to_pay', `Nothing is left to pay of ${invoice.number}.`)
  }
  if (await hasMark(tx, invoice.id, 'uncollectible')) return
  await insertMark(tx, invoice, 'uncollectible', wanted)
  await tell(tx, 'invoice.marked_uncollectible', invoice, wanted)
  await queuePeerStandings(tx, [invoice.id])
}

/**
 * Takes a write-off back: the invoice is open or overdue again. Without one it stays as it is.
 * @throws `not_found`, `not_finalized`, `not_an_invoice`
 */
export async function markCollectible(tx: Tx, wanted: WantedMark): Promise<void> {
  const invoice = await lockFinalizedInvoice(tx, wanted.invoiceId)
  const ended = await tx
    .updateTable('invoice_marks')
    .set({ ended_at: wanted.now })
    .where('invoice_id', '=', invoice.id)
    .where('kind', '=', 'uncollectible')
    .where('ended_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  if (!ended) return
  await tell(tx, 'invoice.marked_collectible', invoice, wanted)
  await queuePeerStandings(tx, [invoice.id])
}

type MarkKind = 'void' | 'uncollectible'

export async function hasMark(db: Db, invoiceId: string, kind: MarkKind): Promise<boolean> {
  const mark = await db
    .selectFrom('invoice_marks')
    .select('id')
    .where('invoice_id', '=', invoiceId)
    .where('kind', '=', kind)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  return mark !== undefined
}

async function insertMark(tx: Tx, invoice: LockedInvoice, kind: MarkKind, wanted: WantedMark): Promise<void> {
  await tx
    .insertInto('invoice_marks')
    .values({
      id: newId(),
      invoice_id: invoice.id,
      kind,
      reason: wanted.reason,
      actor: wanted.actor,
      marked_at: wanted.now,
      ended_at: null,
    })
    .execute()
}

async function tell(tx: Tx, kind: EventKind, invoice: LockedInvoice, wanted: WantedMark): Promise<void> {
  await insertEvent(tx, {
    kind,
    customerId: invoice.customer_id,
    invoiceId: invoice.id,
    businessAt: wanted.now,
    data: { number: invoice.number, reason: wanted.reason, actor: wanted.actor },
  })
}

/** What was made under a business key, by whomever. */
export async function findByBillingKey(db: Db, billingKey: string): Promise<FinalizedInvoice | null> {
  const row = await db
    .selectFrom('invoices')
    .select(['id', 'kind', 'number', 'total_minor', 'currency'])
    .where('billing_key', '=', billingKey)
    .executeTakeFirst()
  if (!row || row.number === null) return null
  const { id, kind, number, currency } = row
  return { id, kind, number, currency, totalMinor: row.total_minor }
}
