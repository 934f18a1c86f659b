import { openMinor } from '#domain/invoice/balance.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { creditLocked, lockLinesOf } from './credit-note.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent, type EventKind } from './event.ts'
import { newId } from './identifier.ts'
import type { FinalizedInvoice } from './invoice.ts'
import { lockFinalizedInvoice, type LockedInvoice } from './invoice-lock.ts'
import { readInvoiceMoney } from './invoice-money.ts'

export interface WantedMark {
  readonly invoiceId: string
  readonly reason: string
  readonly actor: string
  readonly now: string
}

/**
 * Annuls an invoice that should not have been: one credit note for all that is left of it, and a mark; it keeps its number.
 * An invoice that is void already stays as it is.
 * @returns the credit note; null where nothing was left to credit
 * @throws `not_found`, `not_finalized`, `not_an_invoice`
 */
export async function voidInvoice(tx: Tx, wanted: WantedMark): Promise<FinalizedInvoice | null> {
  await lockLinesOf(tx, wanted.invoiceId)
  const invoice = await lockFinalizedInvoice(tx, wanted.invoiceId)
  const billingKey = `void/${encodeId('invoice', invoice.id)}`
  if (await hasMark(tx, invoice.id, 'void')) return await findByBillingKey(tx, billingKey)
  // The mark comes first: numbers are taken last in a transaction.
  await insertMark(tx, invoice, 'void', wanted)
  await tell(tx, 'invoice.voided', invoice, wanted)
  try {
    return await creditLocked(tx, invoice, {
      request: { kind: 'full' },
      billingKey,
      now: wanted.now,
    })
  } catch (error) {
    if (error instanceof BusinessError && error.code === 'credit_exceeds_invoice') return null
    throw error
  }
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
  if (ended) await tell(tx, 'invoice.marked_collectible', invoice, wanted)
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
