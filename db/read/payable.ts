import { sql } from 'kysely'
import type { Payable } from '#domain/payable.ts'
import type { Db } from '../database.ts'

/** Of payments that were not taken back. For a query over `supplier_invoices as supplied`, as are those below. */
export const suppliedPaidMinor = sql<number>`(select coalesce(sum(amount_minor), 0)::bigint from supplier_allocations set_against
  where set_against.supplier_invoice_id = supplied.id and set_against.payment_id is not null
    and not exists (select from supplier_payment_reversals reversal where reversal.payment_id = set_against.payment_id))`

/** Of credit notes that were set off against it, and are not void. */
export const suppliedCreditedMinor = sql<number>`(select coalesce(sum(amount_minor), 0)::bigint from supplier_allocations set_against
  join supplier_invoices by_note on by_note.id = set_against.credit_note_id
  where set_against.supplier_invoice_id = supplied.id and by_note.voided_at is null)`

/** Of a credit note, what of it was set off against what is not void. */
export const suppliedUsedMinor = sql<number>`(select coalesce(sum(amount_minor), 0)::bigint from supplier_allocations set_against
  join supplier_invoices used_for on used_for.id = set_against.supplier_invoice_id
  where set_against.credit_note_id = supplied.id and used_for.voided_at is null)`

export const suppliedOpenMinor = sql<number>`(case when supplied.voided_at is not null then 0
  else supplied.owed_minor - ${suppliedPaidMinor} - ${suppliedCreditedMinor} + ${suppliedUsedMinor} end)`

export const suppliedInstalments = sql<
  readonly { due_on: string; amount_minor: number }[] | null
>`nullif(supplied.content -> 'instalments', 'null')`

/** Of the seller. */
export const suppliedToday = sql<string>`(now() at time zone (select time_zone from installation))::date`

/** A credit note that came before what it corrects. */
export const suppliedIsWaiting = sql<boolean>`(supplied.corrects_document_id is not null and not exists (select from supplier_invoices corrected
  where corrected.supplier_id = supplied.supplier_id and corrected.document_id = supplied.corrects_document_id))`

/** Which the supplier has not answered yet. */
export const suppliedHasOpenDispute = sql<boolean>`exists (select from disputes dispute
  where dispute.supplier_invoice_id = supplied.id and dispute.state = 'open')`

export type PayableRow = Awaited<ReturnType<typeof readPayables>>[number]

/** Documents of suppliers with what was set against each: those that are named, or all of which something is open. */
export async function readPayables(db: Db, of: { ids: readonly string[] } | 'open') {
  const query = db
    .selectFrom('supplier_invoices as supplied')
    .select(['id', 'number', 'peer_id', 'supplier_id', 'currency', 'owed_minor', 'issued_on', 'due_on'])
    .select(['disagreement', 'voided_at'])
    .select([
      suppliedInstalments.as('instalments'),
      suppliedPaidMinor.as('paid_minor'),
      suppliedCreditedMinor.as('credited_minor'),
      suppliedUsedMinor.as('used_minor'),
      suppliedOpenMinor.as('open_minor'),
      suppliedIsWaiting.as('is_waiting'),
      suppliedHasOpenDispute.as('has_open_dispute'),
    ])
    .orderBy('id')
  return await (
    of === 'open' ? query.where(suppliedOpenMinor, '<>', 0) : query.where('id', 'in', of.ids)
  ).execute()
}

export function toPayable(
  row: Pick<
    PayableRow,
    | 'owed_minor'
    | 'due_on'
    | 'instalments'
    | 'paid_minor'
    | 'credited_minor'
    | 'used_minor'
    | 'disagreement'
    | 'has_open_dispute'
    | 'is_waiting'
    | 'voided_at'
  >,
): Payable {
  return {
    totalMinor: row.owed_minor,
    dueOn: row.due_on,
    instalments:
      row.instalments?.map(({ due_on: dueOn, amount_minor: amountMinor }) => ({ dueOn, amountMinor })) ??
      null,
    paidMinor: row.paid_minor,
    creditedMinor: row.credited_minor,
    usedMinor: row.used_minor,
    isDisputed: row.disagreement !== null || row.has_open_dispute,
    isWaiting: row.is_waiting,
    isVoid: row.voided_at !== null,
  }
}

/** Suppliers that have billed anything, or were made here. */
export async function readSuppliersByIds(db: Db, ids: readonly string[]) {
  if (ids.length === 0) return []
  return await db.selectFrom('suppliers').select(['id', 'code', 'name']).where('id', 'in', ids).execute()
}

/** What a payment paid, or was set against a document: with how, when and whether it was taken back. */
export async function listSupplierAllocations(db: Db, of: { invoiceId: string } | { paymentId: string }) {
  const query = db
    .selectFrom('supplier_allocations as allocation')
    .innerJoin('supplier_invoices as invoice', 'invoice.id', 'allocation.supplier_invoice_id')
    .leftJoin('supplier_payments as payment', 'payment.id', 'allocation.payment_id')
    .leftJoin('supplier_payment_reversals as reversal', 'reversal.payment_id', 'payment.id')
    .leftJoin('supplier_invoices as note', 'note.id', 'allocation.credit_note_id')
    .select(['allocation.id', 'allocation.amount_minor', 'allocation.allocated_at', 'allocation.payment_id'])
    .select([
      'allocation.credit_note_id',
      'allocation.supplier_invoice_id',
      'invoice.number as invoice_number',
    ])
    .select(['note.number as credit_note_number', 'payment.reference', 'payment.paid_on', 'invoice.currency'])
    .select('reversal.reversed_at')
    .select((eb) => eb.fn.coalesce('invoice.voided_at', 'note.voided_at').as('voided_at'))
    .orderBy('allocation.id')
  if ('paymentId' in of) return await query.where('payment.id', '=', of.paymentId).execute()
  const { invoiceId } = of
  return await query
    .where((eb) =>
      eb.or([
        eb('allocation.supplier_invoice_id', '=', invoiceId),
        eb('allocation.credit_note_id', '=', invoiceId),
      ]),
    )
    .execute()
}

export type SupplierAllocationRow = Awaited<ReturnType<typeof listSupplierAllocations>>[number]
