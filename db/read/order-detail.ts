import { sql } from 'kysely'
import { encodeId } from '#domain/identifier.ts'
import type { Db } from '../database.ts'
import { listBuildsOfOrder } from './build.ts'
import { listEventsOfOrder } from './event.ts'
import { listInvoices } from './invoice.ts'
import { getOrder } from './order.ts'
import { subscriptionLines } from './subscription.ts'

const shownRows = 100

/** An order with all that came of it. What there is more of than a hundred is cut, the newest are kept. */
export async function readOrderDetail(db: Db, orderId: string) {
  const newest = { limit: shownRows, cursor: null, direction: 'after' } as const
  const [row, lines, builds, invoices, payments, events] = await Promise.all([
    getOrder(db, orderId),
    listAgreedLines(db, orderId),
    listBuildsOfOrder(db, { orderId, limit: shownRows }),
    listInvoices(db, { ...newest, orderId }),
    listPayments(db, orderId),
    listEventsOfOrder(db, { orderId, limit: shownRows }),
  ])
  return { row, lines, builds, invoices: invoices.slice(0, shownRows), payments, events }
}
export type OrderDetail = Awaited<ReturnType<typeof readOrderDetail>>

/** The lines that the order sold, at their prices as agreed: not those that followed them. */
async function listAgreedLines(db: Db, orderId: string) {
  return await subscriptionLines(db)
    .whereRef('line.id', '=', 'line.first_line_id')
    .where((eb) =>
      eb.or([
        eb.and([eb('subscription.order_id', '=', orderId), eb('line.opened_by', 'is', null)]),
        eb('line.opened_by', '=', `order/${encodeId('order', orderId)}`),
      ]),
    )
    .orderBy('line.subscription_id')
    .orderBy('line.position')
    .execute()
}

/** Money that was received for invoices with lines of the order's subscriptions. */
async function listPayments(db: Db, orderId: string) {
  return await db
    .selectFrom('allocations as allocation')
    .innerJoin('invoices as invoice', 'invoice.id', 'allocation.invoice_id')
    .select(['allocation.amount_minor', 'allocation.reference', 'allocation.allocated_at'])
    .select(['invoice.id as invoice_id', 'invoice.number', 'invoice.currency'])
    .where('allocation.kind', '=', 'payment')
    .where(
      'invoice.id',
      'in',
      sql<string>`(select invoice_id from invoice_lines where subscription_id in (
        select id from subscriptions where order_id = ${orderId}))`,
    )
    .orderBy('allocation.allocated_at', 'desc')
    .limit(shownRows)
    .execute()
}
