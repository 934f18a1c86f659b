import { sql } from 'kysely'
import { insertProduct } from '#db/product.ts'
import type { Db } from '#db/database.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'

export const rareProduct = 'rare-hosting'

const commonProduct = 'bench-hosting'
const subscriptionsPerCustomer = 10

/**
 * Grows an installation to a number of subscriptions, with all that such an installation has: orders, documents, lines,
 * instances, builds, invoices, events. Of a hundred subscriptions nine have ended, one is suspended and the rest are active;
 * one of 500 is of the rare product. Rows are written by SQL, because selling them would take an hour; ids are in the
 * order of time, as those of sold ones are.
 */
export async function populate(db: Db, subscriptions: number): Promise<void> {
  for (const code of [commonProduct, rareProduct]) await addProduct(db, code)
  await db.transaction().execute(async (tx) => {
    for (const statement of statements(subscriptions)) await sql.raw(statement).execute(tx)
  })
  await sql`analyze`.execute(db)
}

async function addProduct(db: Db, code: string): Promise<void> {
  await insertProduct(db, {
    code,
    name: code,
    billingType: 'flat',
    billingTiming: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'month',
    basePrice: perUnitPrice('10'),
    currency: 'USD',
    metric: null,
    limitCode: null,
    applicationIds: [],
  })
}

function statements(subscriptions: number): string[] {
  const customers = Math.ceil(subscriptions / subscriptionsPerCustomer)
  return [...growing(customers, subscriptions), ...sold, ...built, ...billed, ...told]
}

const monthStart = `date_trunc('month', current_date)::date`
const monthEnd = `(date_trunc('month', current_date) + interval '1 month')::date`

/** One row a customer and one a subscription, from which everything else follows. */
function growing(customers: number, subscriptions: number): string[] {
  return [
    `create temp table grown_customers on commit drop as
      select n, 'grown-' || n as code, uuidv7() as customer_id, uuidv7() as environment_id, uuidv7() as document_id,
        uuidv7() as invoice_id
      from generate_series(1, ${customers}) n`,
    `create temp table grown on commit drop as
      select counted.n, customer.customer_id, customer.environment_id, customer.document_id, customer.invoice_id,
        uuidv7() as order_id, uuidv7() as order_line_id, uuidv7() as subscription_id, uuidv7() as instance_id,
        uuidv7() as build_order_id, uuidv7() as line_id, uuidv7() as fee_id, product.id as product_id,
        case when counted.n % 100 = 50 then 'suspended' when counted.n % 10 = 0 then 'ended' else 'active' end as phase
      from generate_series(1, ${subscriptions}) counted (n)
      join grown_customers customer on customer.n = (counted.n - 1) / ${subscriptionsPerCustomer} + 1
      join products product on product.code = case when counted.n % 500 = 1 then '${rareProduct}' else '${commonProduct}' end`,
  ]
}

const sold = [
  `insert into customers (id, code, name, currency, time_zone)
    select customer_id, code, code, 'USD', 'UTC' from grown_customers`,
  `insert into environments (id, customer_id, prefix, name) select environment_id, customer_id, code, code from grown_customers`,
  `insert into subscription_documents (id, customer_id, interval_count, interval_unit, currency, billing_cycle_anchor,
      time_zone, next_period_index, next_invoice_on)
    select document_id, customer_id, 1, 'month', 'USD', ${monthStart}, 'UTC', 1, ${monthEnd} from grown_customers`,
  `insert into orders (id, customer_id, currency, channel, actor, confirmed_at)
    select order_id, customer_id, 'USD', 'api', 'bench', now() from grown`,
  `insert into order_lines (id, order_id, position, product_id, quantity)
    select order_line_id, order_id, 0, product_id, 1 from grown`,
  `insert into subscriptions (id, order_id, order_line_id, customer_id, environment_id, product_id, title, currency,
      phase, activated_at, starts_on, suspended_reason, ended_at)
    select subscription_id, order_id, order_line_id, customer_id, environment_id, product_id, 'Hosting ' || n, 'USD',
      phase, now(), ${monthStart}, case when phase = 'suspended' then 'unpaid' end, case when phase = 'ended' then now() end
    from grown`,
]

/** A line that recurs beside a fee that was paid once, both of the instance. */
const built = [
  `insert into instances (id, subscription_id, environment_id, server_id, application_version_id, name, host_port, state,
      destroyed_at)
    select instance_id, subscription_id, environment_id, server.id, version.id, 'site-' || n, 20000 + n,
      case phase when 'active' then 'running' when 'suspended' then 'suspended' else 'destroyed' end,
      case when phase = 'ended' then now() end
    from grown, (select id from servers limit 1) server,
      (select version.id from application_versions version
        join applications application on application.id = version.application_id
        where application.code = 'static-site' limit 1) version`,
  `insert into subscription_lines (id, first_line_id, subscription_id, document_id, product_id, product_version, instance_id, position,
      billing_type, billing_timing, interval_count, interval_unit, description, quantity, unit, price, starts_on, ends_on)
    select line_id, line_id, subscription_id, document_id, product_id, 1, instance_id, 0, 'flat', 'advance', 1, 'month',
      'Hosting', 1, 'month', '{"model": "per_unit", "unitAmount": "10"}'::jsonb, ${monthStart}, case when phase = 'ended' then ${monthEnd} end from grown
    union all
    select fee_id, fee_id, subscription_id, null, product_id, 1, null, 1, 'flat', 'advance', null, null,
      'Set-up', 1, 'piece', '{"model": "per_unit", "unitAmount": "20"}', null, null from grown`,
  `insert into build_orders (id, subscription_id, kind, number, state, finished_at)
    select build_order_id, subscription_id, 'build', 1, 'done', now() from grown`,
  `insert into build_steps (id, build_order_id, instance_id, server_id, position, kind, name, title, plan, state, attempt,
      started_at, finished_at)
    select uuidv7(), build_order_id, instance_id, server.id, position, kind, kind || '-' || n, kind, '{}', 'done', 1, now(), now()
    from grown, (select id from servers limit 1) server,
      unnest(array['network', 'image', 'container', 'ready']) with ordinality as step (kind, position)`,
  `insert into resources (id, instance_id, server_id, kind, name, external_id, removed_at)
    select uuidv7(), instance_id, server.id, kind, kind || '-' || n, md5(kind || n), case when phase = 'ended' then now() end
    from grown, (select id from servers limit 1) server, unnest(array['network', 'image', 'container']) as resource (kind)`,
]

/** Drafts first: the database lets nobody write a finalized document at once. */
const billed = [
  `insert into invoices (id, kind, billing_key, customer_id, document_id, currency, issued_on, due_on, net_minor, total_minor,
      seller, buyer)
    select invoice_id, 'invoice', 'grown/' || grown_customers.code, customer_id, document_id, 'USD', ${monthStart},
      ${monthStart} + 14, lines.count * 3000, lines.count * 3000, '{}', '{}'
    from grown_customers
    join (select invoice_id, count(*) from grown group by invoice_id) lines using (invoice_id)`,
  `insert into invoice_lines (id, invoice_id, position, kind, subscription_line_id, subscription_id, product_id, description,
      billing_type, quantity, unit, unit_price, service_period, rated_minor, amount_minor, explanation)
    select uuidv7(), invoice_id, n * 2, 'recurring', line_id, subscription_id, product_id, 'Hosting', 'flat', 1, 'month', 10,
      daterange(${monthStart}, ${monthEnd}), 1000, 1000, '{}'::jsonb from grown
    union all
    select uuidv7(), invoice_id, n * 2 + 1, 'one_time', fee_id, subscription_id, product_id, 'Set-up', 'flat', 1, 'piece', 20,
      null, 2000, 2000, '{}' from grown`,
  `update invoices set series = 'INV', sequence = numbered.sequence, number = 'INV-' || numbered.sequence, finalized_at = now()
    from (select id, row_number() over (order by id) as sequence from invoices) numbered where numbered.id = invoices.id`,
  `insert into billing_periods (document_id, period_index, period, invoice_id)
    select document_id, 0, daterange(${monthStart}, ${monthEnd}), invoice_id from grown_customers`,
]

const told = [
  `insert into events (kind, customer_id, subscription_id, build_order_id, business_at)
    select kind, customer_id, subscription_id, case when kind like 'build.%' then build_order_id end, now()
    from grown, unnest(array['order.confirmed', 'build.started', 'build.step_done', 'build.done', 'subscription.activated',
      'invoice.finalized']) as event (kind)`,
]
