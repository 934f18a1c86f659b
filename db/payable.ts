import { sql } from 'kysely'
import { BusinessError, fieldError } from '#domain/errors.ts'
import { formatMoney } from '#domain/money.ts'
import type { Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { newId } from './identifier.ts'
import { readPayables, type PayableRow } from './read/payable.ts'

/** What a payment pays, and how much of it. */
export interface PaidPart {
  readonly invoiceId: string
  readonly amountMinor: number
}

export interface MadePayment {
  readonly parts: readonly PaidPart[]
  /** Null: that of what is paid. */
  readonly currency: string | null
  readonly paidOn: string
  /** In the installation's time zone: money that was paid was paid by then. */
  readonly today: string
  readonly reference: string | null
  readonly actor: string
  readonly now: string
}

/**
 * Records money that we paid: in full, in part, over several documents of one supplier. Its amount is the sum of its parts.
 * @throws `paid_in_future`, `not_an_invoice` for a credit, `supplier_mismatch`, `currency_mismatch`, `payment_exceeds_invoice`
 */
export async function insertSupplierPayment(tx: Tx, payment: MadePayment): Promise<string> {
  if (payment.paidOn > payment.today)
    throw fieldError(
      '/paid_on',
      'paid_in_future',
      `Today is ${payment.today}: what will be paid is not paid.`,
    )
  const rows = await lockPayables(
    tx,
    payment.parts.map(({ invoiceId }) => invoiceId),
  )
  const found = payment.parts.map((part) => ({ ...part, row: rows.get(part.invoiceId) }))
  const [first] = found
  if (first?.row === undefined) throw new BusinessError('not_found', 'There is no such supplier invoice.')
  const { supplier_id: supplierId } = first.row
  const currency = payment.currency ?? first.row.currency
  for (const [index, { row, amountMinor }] of found.entries())
    checkPart(row, { amountMinor, supplierId, currency, pointer: `/pays/${index}` })
  const id = newId()
  const amountMinor = payment.parts.reduce((sum, part) => sum + part.amountMinor, 0)
  await tx
    .insertInto('supplier_payments')
    .values({
      id,
      supplier_id: supplierId,
      currency,
      amount_minor: amountMinor,
      paid_on: payment.paidOn,
      reference: payment.reference,
      actor: payment.actor,
      recorded_at: payment.now,
    })
    .execute()
  await tx
    .insertInto('supplier_allocations')
    .values(
      payment.parts.map((part) => ({
        id: newId(),
        supplier_invoice_id: part.invoiceId,
        payment_id: id,
        credit_note_id: null,
        amount_minor: part.amountMinor,
        allocated_at: payment.now,
      })),
    )
    .execute()
  await tellOf(tx, 'supplier_payment.recorded', { id, amountMinor, currency, actor: payment.actor })
  return id
}

function checkPart(
  row: PayableRow | undefined,
  part: { amountMinor: number; supplierId: string; currency: string; pointer: string },
): void {
  if (row === undefined)
    throw fieldError(`${part.pointer}/supplier_invoice`, 'not_found', 'There is no such supplier invoice.')
  if (row.owed_minor < 0)
    throw fieldError(
      `${part.pointer}/supplier_invoice`,
      'not_an_invoice',
      `${row.number} is a credit: it is set off, not paid.`,
    )
  if (row.voided_at !== null)
    throw fieldError(
      `${part.pointer}/supplier_invoice`,
      'supplier_invoice_void',
      `${row.number} is void: nothing of it is paid.`,
    )
  if (row.supplier_id !== part.supplierId)
    throw fieldError(
      `${part.pointer}/supplier_invoice`,
      'supplier_mismatch',
      `${row.number} is of another supplier than the first.`,
    )
  if (row.currency !== part.currency)
    throw fieldError(part.pointer, 'currency_mismatch', `${row.number} is to be paid in ${row.currency}.`)
  if (part.amountMinor > row.open_minor)
    throw fieldError(
      `${part.pointer}/amount_minor`,
      'payment_exceeds_invoice',
      `${formatMoney(row.open_minor, row.currency)} is left to pay of ${row.number}.`,
    )
}

/**
 * Takes a payment back as a whole: it came back, or was recorded by mistake. What it paid is open again, and credits that correct it
 * are set off once more.
 * @throws `payment_reversed`
 */
export async function reverseSupplierPayment(
  tx: Tx,
  { paymentId, reason, actor, now }: { paymentId: string; reason: string; actor: string; now: string },
): Promise<void> {
  const made = await tx
    .insertInto('supplier_payment_reversals')
    .values({ payment_id: paymentId, reason, actor, reversed_at: now })
    .onConflict((conflict) => conflict.column('payment_id').doNothing())
    .executeTakeFirst()
  if ((made.numInsertedOrUpdatedRows ?? 0n) === 0n)
    throw new BusinessError('payment_reversed', 'The payment was taken back before.')
  const payment = await tx
    .selectFrom('supplier_payments')
    .select(['id', 'amount_minor', 'currency'])
    .where('id', '=', paymentId)
    .executeTakeFirstOrThrow()
  const paid = await tx
    .selectFrom('supplier_allocations')
    .select('supplier_invoice_id')
    .where('payment_id', '=', paymentId)
    .orderBy('supplier_invoice_id')
    .execute()
  await setOffCorrections(
    tx,
    paid.map(({ supplier_invoice_id: id }) => id),
    now,
  )
  const { amount_minor: amountMinor, currency } = payment
  await tellOf(tx, 'supplier_payment.reversed', { id: paymentId, amountMinor, currency, actor })
}

/**
 * Sets a credit off against an invoice of the same supplier.
 * @param amountMinor null: as far as both reach
 * @throws `not_a_credit`, `not_an_invoice`, `supplier_invoice_void`, `supplier_mismatch`, `currency_mismatch`, `nothing_to_pay`, `payment_exceeds_invoice`
 */
export async function setOffCredit(
  tx: Tx,
  asked: {
    creditNoteId: string
    invoiceId: string
    amountMinor: number | null
    now: string
  },
): Promise<void> {
  const rows = await lockPayables(tx, [asked.creditNoteId, asked.invoiceId])
  const [note, invoice] = [rows.get(asked.creditNoteId), rows.get(asked.invoiceId)]
  if (note === undefined || invoice === undefined)
    throw new BusinessError('not_found', 'There is no such supplier invoice.')
  if (note.owed_minor >= 0)
    throw fieldError('/credit_note', 'not_a_credit', `${note.number} is owed, not credited.`)
  if (invoice.owed_minor < 0)
    throw new BusinessError('not_an_invoice', `${invoice.number} is a credit: nothing is set off against it.`)
  for (const { number, voided_at: voidedAt } of [note, invoice])
    if (voidedAt !== null)
      throw new BusinessError('supplier_invoice_void', `${number} is void: nothing is set off.`)
  if (note.supplier_id !== invoice.supplier_id)
    throw fieldError('/credit_note', 'supplier_mismatch', `${note.number} is of another supplier.`)
  if (note.currency !== invoice.currency)
    throw fieldError('/credit_note', 'currency_mismatch', `${note.number} is in ${note.currency}.`)
  const mostMinor = Math.min(-note.open_minor, invoice.open_minor)
  if (mostMinor === 0)
    throw new BusinessError('nothing_to_pay', 'Of one of the two nothing is left to set off.')
  const amountMinor = asked.amountMinor ?? mostMinor
  if (amountMinor > mostMinor)
    throw fieldError(
      '/amount_minor',
      'payment_exceeds_invoice',
      `No more than ${formatMoney(mostMinor, note.currency)} can be set off.`,
    )
  await insertSetOff(tx, { note, invoice, amountMinor, now: asked.now })
}

/**
 * A credit takes from what it corrects by itself, as far as that is open, whichever of the two came first. What is left of it stays
 * ours to set off.
 */
export async function setOffCorrections(tx: Tx, documentIds: readonly string[], now: string): Promise<void> {
  const pairs = await listCorrections(tx, documentIds)
  for (const { note_id: noteId, invoice_id: invoiceId } of pairs) {
    const rows = await lockPayables(tx, [noteId, invoiceId])
    const [note, invoice] = [rows.get(noteId), rows.get(invoiceId)]
    if (note === undefined || invoice === undefined) continue
    const amountMinor = Math.min(-note.open_minor, invoice.open_minor)
    if (amountMinor > 0) await insertSetOff(tx, { note, invoice, amountMinor, now })
  }
}

/** Looked for from the documents' side, so that each is found by a key; both of a pair may be among them. */
async function listCorrections(tx: Tx, documentIds: readonly string[]) {
  const { rows } = await sql<{ note_id: string; invoice_id: string }>`
    select note.id as note_id, invoice.id as invoice_id
    from supplier_invoices received
    join supplier_invoices note on received.owed_minor > 0 and note.supplier_id = received.supplier_id
      and note.corrects_document_id = received.document_id
    join supplier_invoices invoice on invoice.id = received.id
    where received.id = any(${documentIds}) and note.owed_minor < 0 and note.currency = invoice.currency
    union
    select received.id, invoice.id
    from supplier_invoices received
    join supplier_invoices invoice on invoice.supplier_id = received.supplier_id
      and invoice.document_id = received.corrects_document_id
    where received.id = any(${documentIds}) and received.owed_minor < 0 and invoice.owed_minor > 0
      and invoice.currency = received.currency
    order by note_id`.execute(tx)
  return rows
}

async function insertSetOff(
  tx: Tx,
  of: { note: PayableRow; invoice: PayableRow; amountMinor: number; now: string },
): Promise<void> {
  await tx
    .insertInto('supplier_allocations')
    .values({
      id: newId(),
      supplier_invoice_id: of.invoice.id,
      payment_id: null,
      credit_note_id: of.note.id,
      amount_minor: of.amountMinor,
      allocated_at: of.now,
    })
    .execute()
}

/** In the order of their ids, so that two that take from the same ones wait for each other. Read after they are locked. */
export async function lockPayables(tx: Tx, ids: readonly string[]): Promise<Map<string, PayableRow>> {
  await tx
    .selectFrom('supplier_invoices')
    .select('id')
    .where('id', 'in', ids)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute()
  return new Map((await readPayables(tx, { ids })).map((row) => [row.id, row]))
}

async function tellOf(
  tx: Tx,
  kind: 'supplier_payment.recorded' | 'supplier_payment.reversed',
  of: { id: string; amountMinor: number; currency: string; actor: string },
): Promise<void> {
  const { id, amountMinor, currency, actor } = of
  await insertEvent(tx, { kind, data: { supplierPayment: id, amount_minor: amountMinor, currency, actor } })
}
