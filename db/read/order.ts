import { sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function orders(db: Db) {
  return db
    .selectFrom('orders as order')
    .innerJoin('customers as customer', 'customer.id', 'order.customer_id')
    .leftJoin('test_clocks as clock', 'clock.id', 'order.test_clock_id')
    .selectAll('order')
    .select(['customer.code as customer_code', 'customer.name as customer_name', 'customer.time_zone'])
    .select('clock.now_at as test_clock_now_at')
    .select([
      sql<{ id: string; name: string; prefix: string } | null>`(
        select json_build_object('id', environment.id, 'name', environment.name, 'prefix', environment.prefix)
        from environments environment
        where environment.id = coalesce(
          (select environment_id from subscriptions where order_id = "order".id order by id limit 1),
          ("order".quote->'environment'->>'environmentId')::uuid))`.as('environment'),
      sql<string | null>`(select max(expires_at) from reserved_names where order_id = "order".id)`.as(
        'names_reserved_until',
      ),
    ])
    .select((order) => [
      jsonArrayFrom(
        order
          .selectFrom('order_lines as line')
          .leftJoin('products as product', 'product.id', 'line.product_id')
          .leftJoin('kits as kit', 'kit.id', 'line.kit_id')
          .select([
            'product.code as product_code',
            'kit.code as kit_code',
            'line.subscription_id',
            'line.answers',
          ])
          .select(sql<string>`line.quantity::text`.as('quantity'))
          .whereRef('line.order_id', '=', 'order.id')
          .orderBy('line.position'),
      ).as('lines'),
      jsonArrayFrom(
        order
          .selectFrom('subscriptions as subscription')
          .select(['subscription.id', 'subscription.external_id', 'subscription.title', 'subscription.phase'])
          .whereRef('subscription.order_id', '=', 'order.id')
          .orderBy('subscription.id'),
      ).as('subscriptions'),
      jsonArrayFrom(
        order
          .selectFrom('order_holds as hold')
          .select(['hold.kind', 'hold.rule', 'hold.detail', 'hold.opened_at', 'hold.expires_at'])
          .select(['hold.settled_at', 'hold.outcome', 'hold.settled_by', 'hold.reason'])
          .whereRef('hold.order_id', '=', 'order.id')
          .orderBy('hold.opened_at')
          .orderBy('hold.id'),
      ).as('holds'),
      jsonArrayFrom(
        order
          .selectFrom('payment_requests as request')
          .select(['request.id', 'request.total_minor', 'request.state'])
          .select(['request.expires_at', 'request.settled_at'])
          .whereRef('request.order_id', '=', 'order.id')
          .orderBy('request.id'),
      ).as('payment_requests'),
    ])
}

export type OrderRow = Awaited<ReturnType<typeof listOrders>>[number]

export async function listOrders(db: Db, page: PageRequest & { customerId: string | null }) {
  const query = onPage(orders(db), page, 'order.id')
  return await (
    page.customerId === null ? query : query.where('order.customer_id', '=', page.customerId)
  ).execute()
}

export async function getOrder(db: Db, id: string): Promise<OrderRow> {
  return await orders(db).where('order.id', '=', id).executeTakeFirstOrThrow()
}
