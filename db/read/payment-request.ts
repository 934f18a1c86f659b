import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function requests(db: Db) {
  return db
    .selectFrom('payment_requests as request')
    .innerJoin('orders as order', 'order.id', 'request.order_id')
    .innerJoin('customers as customer', 'customer.id', 'order.customer_id')
    .selectAll('request')
    .select('customer.code as customer_code')
}

export type PaymentRequestRow = Awaited<ReturnType<typeof listPaymentRequests>>[number]

export async function listPaymentRequests(db: Db, page: PageRequest & { isOpen: boolean | null }) {
  const query = onPage(requests(db), page, 'request.id')
  if (page.isOpen === null) return await query.execute()
  return await query.where('request.state', page.isOpen ? '=' : '<>', 'open').execute()
}
