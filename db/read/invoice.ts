import { sql, type RawBuilder } from 'kysely'
import type { MoneyState } from '#domain/invoice/balance.ts'
import type { Db } from '../database.ts'
import { creditedMinor, isMarked, paidMinor } from '../invoice-money.ts'
import { onPage, type PageRequest } from './page.ts'

function invoices(db: Db) {
  return (
    db
      .selectFrom('invoices as invoice')
      .innerJoin('customers as customer', 'customer.id', 'invoice.customer_id')
      .leftJoin('customers as served', 'served.id', 'invoice.served_customer_id')
      .leftJoin('test_clocks as clock', 'clock.id', 'invoice.test_clock_id')
      .leftJoin('invoices as corrected', 'corrected.id', 'invoice.corrects_id')
      .leftJoin('invoices as annulled', 'annulled.id', 'invoice.reissue_of_id')
      .selectAll('invoice')
      .select([
        'customer.code as customer_code',
        'customer.name as customer_name',
        'served.code as served_code',
        'served.name as served_name',
        'clock.name as test_clock_name',
        'clock.now_at as test_clock_now_at',
        'corrected.number as corrected_number',
        'annulled.number as reissue_of_number',
        creditedMinor.as('credited_minor'),
        paidMinor.as('paid_minor'),
        isMarked('void').as('is_void'),
        isMarked('uncollectible').as('is_uncollectible'),
        today.as('today'),
        hasOpenDispute.as('has_open_dispute'),
      ])
      // Nobody was sent it: it only holds what is billed.
      .where('invoice.skipped_at', 'is', null)
  )
}

/** Of the seller, or where the invoice lives on a test clock, by that clock. */
const today = sql<string>`(coalesce(clock.now_at, now()) at time zone (select time_zone from installation))::date`
const openMinor = sql<number>`(invoice.total_minor - ${creditedMinor} - ${paidMinor})`

/** The customer says that it is wrong, and waits for an answer. */
const hasOpenDispute = sql<boolean>`exists (select from disputes dispute where dispute.invoice_id = invoice.id and dispute.state = 'open')`

const notYetDueMinor = sql<number>`case
  when invoice.instalments is null then case when invoice.due_on < ${today} then 0 else invoice.total_minor end
  else (select coalesce(sum((part ->> 'amountMinor')::bigint), 0) from jsonb_array_elements(invoice.instalments) part
    where (part ->> 'dueOn')::date >= ${today}) end`

/** The same rule as `moneyState`, for a list that is narrowed to one. */
function isInState(state: MoneyState) {
  const isInvoice = sql`invoice.kind = 'invoice' and invoice.finalized_at is not null`
  const isUnpaid = sql`${isInvoice} and not ${isMarked('void')} and ${openMinor} > 0`
  const isCollected = sql`${isUnpaid} and not ${isMarked('uncollectible')}`
  const isCredited = sql`invoice.total_minor > 0 and ${creditedMinor} >= invoice.total_minor`
  const conditions: Readonly<Record<MoneyState, RawBuilder<unknown>>> = {
    void: sql`${isInvoice} and ${isMarked('void')}`,
    credited: sql`${isInvoice} and not ${isMarked('void')} and ${openMinor} <= 0 and ${isCredited}`,
    paid: sql`${isInvoice} and not ${isMarked('void')} and ${openMinor} <= 0 and not (${isCredited})`,
    uncollectible: sql`${isUnpaid} and ${isMarked('uncollectible')}`,
    overdue: sql`${isCollected} and ${openMinor} > ${notYetDueMinor}`,
    partly_paid: sql`${isCollected} and ${openMinor} <= ${notYetDueMinor} and ${openMinor} < invoice.total_minor`,
    open: sql`${isCollected} and ${openMinor} <= ${notYetDueMinor} and ${openMinor} = invoice.total_minor`,
  }
  return sql<boolean>`(${conditions[state]})`
}

export type InvoiceRow = Awaited<ReturnType<typeof listInvoices>>[number]

export interface InvoiceFilter {
  /** Who pays for it, or who is served. */
  readonly customerId?: string | null
  /** To whom it goes, and nobody else. */
  readonly payerId?: string | null
  readonly subscriptionId?: string | null
  /** With lines of what it sold. */
  readonly orderId?: string | null
  readonly documentId?: string | null
  readonly moneyState?: MoneyState | null
  readonly isDraft?: boolean | null
}

export async function listInvoices(db: Db, page: PageRequest & InvoiceFilter) {
  let query = onPage(invoices(db), page, 'invoice.id')
  const { customerId, payerId, documentId, subscriptionId, orderId, moneyState, isDraft } = page
  if (payerId) query = query.where('invoice.customer_id', '=', payerId)
  if (customerId) {
    query = query.where((eb) =>
      eb.or([eb('invoice.customer_id', '=', customerId), eb('invoice.served_customer_id', '=', customerId)]),
    )
  }
  if (documentId) query = query.where('invoice.document_id', '=', documentId)
  if (moneyState) query = query.where(isInState(moneyState))
  if (typeof isDraft === 'boolean') {
    query = query.where('invoice.finalized_at', isDraft ? 'is' : 'is not', null)
  }
  if (subscriptionId) {
    query = query.where('invoice.id', 'in', (line) =>
      line.selectFrom('invoice_lines').select('invoice_id').where('subscription_id', '=', subscriptionId),
    )
  }
  if (orderId) {
    query = query.where('invoice.id', 'in', (line) =>
      line
        .selectFrom('invoice_lines')
        .innerJoin('subscriptions', 'subscriptions.id', 'invoice_lines.subscription_id')
        .select('invoice_lines.invoice_id')
        .where('subscriptions.order_id', '=', orderId),
    )
  }
  return await query.execute()
}

export async function findInvoice(db: Db, id: string): Promise<InvoiceRow | undefined> {
  return await invoices(db).where('invoice.id', '=', id).executeTakeFirst()
}

/** A finalized one that goes to a customer: a draft, or another's, is not found, as one that nobody has. */
export async function findInvoiceOf(
  db: Db,
  of: { payerId: string; id: string },
): Promise<InvoiceRow | undefined> {
  return await invoices(db)
    .where('invoice.id', '=', of.id)
    .where('invoice.customer_id', '=', of.payerId)
    .where('invoice.finalized_at', 'is not', null)
    .executeTakeFirst()
}

/** What a customer has to pay in one currency. */
export interface OpenAmount {
  readonly currency: string
  readonly openMinor: number
  readonly overdueMinor: number
  /** The earliest of what is not paid. */
  readonly dueOn: string
}

/** Of all invoices that go to a customer; tests are not to be paid, and nothing is asked for that was written off. */
export async function readOpenAmounts(db: Db, payerId: string): Promise<readonly OpenAmount[]> {
  const { rows } = await sql<OpenAmount>`
    select invoice.currency, sum(${openMinor})::bigint as "openMinor", min(invoice.due_on) as "dueOn",
      sum(greatest(0, ${openMinor} - ${notYetDueMinor}))::bigint as "overdueMinor"
    from invoices invoice left join test_clocks clock on clock.id = invoice.test_clock_id
    where invoice.customer_id = ${payerId} and invoice.kind = 'invoice' and invoice.finalized_at is not null
      and invoice.skipped_at is null and invoice.test_clock_id is null
      and not ${isMarked('void')} and not ${isMarked('uncollectible')} and ${openMinor} > 0
    group by invoice.currency order by invoice.currency`.execute(db)
  return rows
}

export async function getInvoice(db: Db, id: string): Promise<InvoiceRow> {
  return await invoices(db).where('invoice.id', '=', id).executeTakeFirstOrThrow()
}

export async function listInvoiceLines(db: Db, invoiceId: string) {
  return await db
    .selectFrom('invoice_lines as line')
    .leftJoin('products as product', 'product.id', 'line.product_id')
    .leftJoin('subscriptions as subscription', 'subscription.id', 'line.subscription_id')
    .leftJoin('instances as instance', 'instance.id', 'line.instance_id')
    .leftJoin('usage_windows as window', 'window.id', 'line.usage_window_id')
    .selectAll('line')
    .select([
      'product.code as product_code',
      'subscription.title as subscription_title',
      'subscription.purchase_order_reference',
      'instance.name as instance_name',
      'window.reading_count',
      'window.event_count',
      sql<string | null>`lower(line.service_period)`.as('starts_on'),
      sql<string | null>`upper(line.service_period)`.as('ends_on'),
    ])
    .where('line.invoice_id', '=', invoiceId)
    .orderBy('line.position')
    .execute()
}
export type InvoiceLineRow = Awaited<ReturnType<typeof listInvoiceLines>>[number]

export async function listInvoiceTaxes(db: Db, invoiceId: string) {
  return await db
    .selectFrom('invoice_taxes')
    .selectAll()
    .where('invoice_id', '=', invoiceId)
    .orderBy('position')
    .execute()
}
export type InvoiceTaxRow = Awaited<ReturnType<typeof listInvoiceTaxes>>[number]

/** What the customer's balance paid of an invoice when it was finalized, in minor units. */
export async function readBalanceUsed(db: Db, invoiceId: string): Promise<number> {
  const { used_minor: usedMinor } = await db
    .selectFrom('allocations')
    .select(sql<number>`coalesce(sum(amount_minor), 0)::bigint`.as('used_minor'))
    .where('invoice_id', '=', invoiceId)
    .where('kind', '=', 'balance')
    .executeTakeFirstOrThrow()
  return usedMinor
}

/** What was set against an invoice, oldest first. */
export async function listAllocations(db: Db, invoiceId: string) {
  return await db
    .selectFrom('allocations')
    .leftJoin('invoices as note', 'note.id', 'allocations.credit_note_id')
    .select(['allocations.id', 'allocations.kind', 'allocations.amount_minor', 'allocations.reference'])
    .select(['allocations.allocated_at', 'allocations.credit_note_id', 'note.number as credit_note_number'])
    .where('allocations.invoice_id', '=', invoiceId)
    .orderBy('allocations.id')
    .execute()
}
export type AllocationRow = Awaited<ReturnType<typeof listAllocations>>[number]

/** The credit notes that a person made of an invoice, oldest first. */
export async function listCreditNotes(db: Db, invoiceId: string) {
  return await db
    .selectFrom('invoices')
    .select(['id', 'number', 'total_minor', 'issued_on'])
    .where('corrects_id', '=', invoiceId)
    .orderBy('id')
    .execute()
}
export type CreditNoteRow = Awaited<ReturnType<typeof listCreditNotes>>[number]

export async function listInvoiceMarks(db: Db, invoiceId: string) {
  return await db
    .selectFrom('invoice_marks')
    .select(['kind', 'reason', 'actor', 'marked_at', 'ended_at'])
    .where('invoice_id', '=', invoiceId)
    .orderBy('id')
    .execute()
}
export type InvoiceMarkRow = Awaited<ReturnType<typeof listInvoiceMarks>>[number]
