import { sql } from 'kysely'
import type { Period } from '#domain/calendar.ts'
import type { CapacityUse, CostTarget, MarginPlace } from '#domain/margin.ts'
import type { LineName } from '#domain/supplied-line.ts'
import type { Db } from '../database.ts'

export interface CostRuleRow {
  readonly supplierId: string
  readonly matches: LineName
  readonly value: string
  readonly target: CostTarget
  /** The server's or product's code, or the subscription's title. */
  readonly name: string
}

/** What lines of one supplier pay for, or of all. */
export async function listCostRules(db: Db, supplierId?: string): Promise<CostRuleRow[]> {
  const query = db
    .selectFrom('cost_rules as rule')
    .leftJoin('servers as server', 'server.id', 'rule.server_id')
    .leftJoin('subscriptions as subscription', 'subscription.id', 'rule.subscription_id')
    .leftJoin('products as product', 'product.id', 'rule.product_id')
    .selectAll('rule')
    .select(['server.code as server_code', 'subscription.title', 'product.code as product_code'])
    .orderBy('rule.matches')
    .orderBy('rule.value')
  const rows = await (
    supplierId === undefined ? query : query.where('rule.supplier_id', '=', supplierId)
  ).execute()
  return rows.map((row) => {
    const { supplier_id, matches, value } = row
    const target: CostTarget =
      row.server_id !== null
        ? { kind: 'server', id: row.server_id }
        : row.subscription_id !== null
          ? { kind: 'subscription', id: row.subscription_id }
          : { kind: 'product', id: row.product_id ?? '' }
    const name = row.server_code ?? row.title ?? row.product_code ?? ''
    return { supplierId: supplier_id, matches, value, target, name }
  })
}

export interface EarnedLine extends MarginPlace {
  readonly currency: string
  readonly amountMinor: number
  readonly servicePeriod: Period | null
  readonly issuedOn: string
}

/** What was billed for days of a period, net: finalized, of nobody's test clock. A subscription earns for whom it serves. */
export async function listEarnedLines(db: Db, { start, end }: Period): Promise<EarnedLine[]> {
  const { rows } = await sql<{
    product_id: string | null
    subscription_id: string | null
    customer_id: string
    currency: string
    amount_minor: number
    starts_on: string | null
    ends_on: string | null
    issued_on: string
  }>`
    select line.product_id, line.subscription_id, coalesce(subscription.customer_id, invoice.served_customer_id, invoice.customer_id) as customer_id,
      invoice.currency, line.amount_minor, lower(line.service_period) as starts_on, upper(line.service_period) as ends_on, invoice.issued_on
    from invoice_lines line
    join invoices invoice on invoice.id = line.invoice_id
    left join subscriptions subscription on subscription.id = line.subscription_id
    where invoice.finalized_at is not null and invoice.test_clock_id is null and line.amount_minor <> 0
      and case when line.service_period is null or isempty(line.service_period) then invoice.issued_on >= ${start} and invoice.issued_on < ${end}
        else line.service_period && daterange(${start}, ${end}) end
    order by line.id`.execute(db)
  return rows.map((row) => ({
    productId: row.product_id,
    subscriptionId: row.subscription_id,
    customerId: row.customer_id,
    currency: row.currency,
    amountMinor: row.amount_minor,
    servicePeriod:
      row.starts_on === null || row.ends_on === null ? null : { start: row.starts_on, end: row.ends_on },
    issuedOn: row.issued_on,
  }))
}

/** What instances took of servers between two instants: memory times seconds. */
export async function listCapacityUses(
  db: Db,
  { startAt, endAt }: { startAt: string; endAt: string },
): Promise<CapacityUse[]> {
  const { rows } = await sql<{ server_id: string; subscription_id: string; weight: string }>`
    select reservation.server_id, instance.subscription_id,
      (reservation.memory_mib * trunc(extract(epoch from least(coalesce(reservation.released_at, ${endAt}::timestamptz), ${endAt}::timestamptz)
        - greatest(reservation.reserved_at, ${startAt}::timestamptz))))::text as weight
    from reservations reservation
    join instances instance on instance.id = reservation.instance_id
    join subscriptions subscription on subscription.id = instance.subscription_id
    where reservation.reserved_at < ${endAt}::timestamptz and subscription.test_clock_id is null
      and (reservation.released_at is null or reservation.released_at > ${startAt}::timestamptz)
    order by reservation.instance_id`.execute(db)
  return rows.map((row) => ({
    serverId: row.server_id,
    subscriptionId: row.subscription_id,
    weight: row.weight,
  }))
}

/** Where subscriptions stand while they earn nothing: of whom, and by the product of their first line. */
export async function readMarginPlaces(
  db: Db,
  ids: readonly string[],
): Promise<ReadonlyMap<string, MarginPlace>> {
  const { rows } = await sql<{ id: string; customer_id: string; product_id: string | null }>`
    select subscription.id, subscription.customer_id, coalesce(subscription.product_id, (
      select product_id from subscription_lines where subscription_id = subscription.id order by position, id limit 1)) as product_id
    from subscriptions subscription where subscription.id = any(${ids}::uuid[])`.execute(db)
  return new Map(
    rows.map((row) => [
      row.id,
      { productId: row.product_id, subscriptionId: row.id, customerId: row.customer_id },
    ]),
  )
}

/** What people call them. */
export async function readMarginNames(
  db: Db,
  kind: 'product' | 'subscription' | 'customer' | 'server',
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map()
  const table = {
    product: sql`select id, (select name from product_versions where product_id = products.id order by version desc limit 1) as name from products`,
    subscription: sql`select id, title as name from subscriptions`,
    customer: sql`select id, name from customers`,
    server: sql`select id, code as name from servers`,
  }[kind]
  const { rows } = await sql<{ id: string; name: string }>`${table} where id = any(${ids}::uuid[])`.execute(
    db,
  )
  return new Map(rows.map(({ id, name }) => [id, name]))
}
