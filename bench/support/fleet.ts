import { sql } from 'kysely'
import type { Db } from '#db/database.ts'
import { insertProduct } from '#db/product.ts'
import type { Price } from '#domain/pricing/price.ts'

/** Far ahead, so that nothing here is due by the real clock. */
const anchor = '2040-01-01'

export interface Fleet {
  readonly documents: number
  /** Months that were billed before: their invoices, lines, windows and events are there. */
  readonly billedMonths: number
  /** Of each of the three kinds; 1 if it is left out. */
  readonly linesOfEach?: number
}

/** Usage is there for so many months that are not billed yet. */
const monthsAhead = 3

/** The instant at which every document is due for the month with an index. */
export function dueInstant(month: number): string {
  return `${Temporal.PlainDate.from(anchor).add({ months: month }).toString()}T00:00:00Z`
}

/**
 * Customers with one subscription each, and on its document three lines: a flat fee and a threshold in advance, and usage
 * in arrears with one event a month. Rows are written by SQL, the history without triggers and foreign keys, because it
 * would take minutes with them; what is measured has all of them.
 */
export async function seedFleet(db: Db, fleet: Fleet): Promise<void> {
  await addProducts(db)
  await db.transaction().execute(async (tx) => {
    await sql`set local statement_timeout = 0`.execute(tx)
    await sql`set local session_replication_role = replica`.execute(tx)
    for (const statement of [...sold(fleet), ...billed(fleet)]) await sql.raw(statement).execute(tx)
  })
  await sql`vacuum analyze`.execute(db)
  await sql`checkpoint`.execute(db)
}

const products: readonly { code: string; type: 'flat' | 'threshold' | 'usage'; price: Price }[] = [
  { code: 'fleet-flat', type: 'flat', price: { model: 'per_unit', unitAmount: '10' } },
  { code: 'fleet-threshold', type: 'threshold', price: { model: 'per_unit', unitAmount: '1.25' } },
  { code: 'fleet-usage', type: 'usage', price: { model: 'per_unit', unitAmount: '0.05' } },
]

async function addProducts(db: Db): Promise<void> {
  for (const { code, type, price } of products)
    await insertProduct(db, {
      code,
      name: code,
      billingType: type,
      billingTiming: type === 'usage' ? 'arrears' : 'advance',
      recurrence: { count: 1, unit: 'month' },
      unit: type === 'usage' ? 'request' : 'piece',
      basePrice: price,
      currency: 'USD',
      metric: type === 'usage' ? 'requests' : null,
      limitCode: null,
      applicationIds: [],
    })
}

function sold({ documents, billedMonths, linesOfEach = 1 }: Fleet): string[] {
  return [
    `create temp table fleet on commit drop as
      select n, 'fleet-' || n as code, uuidv7() as customer_id, uuidv7() as environment_id, uuidv7() as order_id,
        uuidv7() as order_line_id, uuidv7() as subscription_id, uuidv7() as document_id
      from generate_series(1, ${documents}) n`,
    `create temp table fleet_lines on commit drop as
      select fleet.*, uuidv7() as line_id, product.id as product_id, product.name, product.billing_type, product.billing_timing,
        product.unit, product.price, product.metric, product.position + 3 * copy as position,
        (case product.billing_type when 'threshold' then 5 else 1 end)::numeric as quantity
      from fleet cross join (
        select *, row_number() over (order by array_position(array['flat', 'threshold', 'usage'], billing_type)) - 1 as position
        from products join product_versions on product_id = id where code like 'fleet-%'
      ) product cross join generate_series(0, ${linesOfEach - 1}) copy
      order by fleet.n, copy, product.position`,
    `insert into customers (id, code, name, email, address, currency, time_zone)
      select customer_id, code, 'Customer ' || n, code || '@example.com', n || ' Long Street, Springfield', 'USD', 'UTC' from fleet`,
    `insert into environments (id, customer_id, prefix, name) select environment_id, customer_id, code, code from fleet`,
    `insert into subscription_documents (id, customer_id, interval_count, interval_unit, currency, billing_cycle_anchor,
        time_zone, next_period_index, next_invoice_on)
      select document_id, customer_id, 1, 'month', 'USD', date '${anchor}', 'UTC', ${billedMonths},
        date '${anchor}' + interval '${billedMonths} months' from fleet`,
    `insert into orders (id, customer_id, currency, channel, actor, confirmed_at)
      select order_id, customer_id, 'USD', 'api', 'bench', date '${anchor}' from fleet`,
    `insert into order_lines (id, order_id, position, product_id, quantity)
      select order_line_id, order_id, 0, product_id, 1 from fleet_lines where position = 0`,
    `insert into subscriptions (id, order_id, order_line_id, customer_id, environment_id, product_id, title, currency, phase,
        activated_at, starts_on)
      select subscription_id, order_id, order_line_id, customer_id, environment_id, product_id, 'Hosting ' || n, 'USD',
        'active', date '${anchor}', '${anchor}' from fleet_lines where position = 0`,
    `insert into subscription_lines (id, first_line_id, subscription_id, document_id, product_id, product_version, position, billing_type,
        billing_timing, interval_count, interval_unit, description, quantity, unit, price, metric, starts_on)
      select line_id, line_id, subscription_id, document_id, product_id, 1, position, billing_type, billing_timing, 1, 'month', name,
        quantity, unit, price, metric, '${anchor}' from fleet_lines`,
    `insert into usage_events (id, source, event_id, subscription_id, metric, quantity, unit, occurred_at)
      select uuidv7(), 'bench', n || '/' || month, subscription_id, metric, 400 + n % 100, unit,
        date '${anchor}' + month * interval '1 month' + interval '10 days'
      from generate_series(0, ${billedMonths - 1 + monthsAhead}) month, fleet_lines where position = 2`,
  ]
}

const explanation = `jsonb_build_object('formula', '1 × 10', 'price', price, 'daysServed', 31, 'daysOfCycle', 31)`
const monthOf = (month: string) =>
  `daterange((date '${anchor}' + (${month}) * interval '1 month')::date, (date '${anchor}' + (${month} + 1) * interval '1 month')::date)`

/** Each month's invoice has the fees of the month and the usage of the one before. */
function billed({ billedMonths }: Fleet): string[] {
  if (billedMonths === 0) return []
  return [
    `create temp table fleet_invoices on commit drop as
      select fleet.*, month, uuidv7() as invoice_id, row_number() over (order by month, n) as sequence
      from generate_series(0, ${billedMonths - 1}) month, fleet order by month, n`,
    `create temp table fleet_billed on commit drop as
      select line.*, invoice.invoice_id, invoice.month, uuidv7() as window_id,
        case line.billing_type when 'usage' then 20 + line.n % 5 when 'flat' then 1000 else 625 end as amount_minor,
        case line.billing_type when 'usage' then invoice.month - 1 else invoice.month end as service_month
      from fleet_invoices invoice join fleet_lines line using (n)
      where line.billing_type <> 'usage' or invoice.month > 0
      order by invoice.month, line.n, line.position`,
    `insert into invoices (id, kind, billing_key, customer_id, document_id, currency, issued_on, due_on, net_minor, total_minor,
        seller, buyer, series, sequence, number, finalized_at, hash)
      select invoice_id, 'invoice', 'document/' || document_id || '/' || month, customer_id, document_id, 'USD',
        (date '${anchor}' + month * interval '1 month')::date, (date '${anchor}' + month * interval '1 month')::date + 14,
        total.amount_minor, total.amount_minor, installation.seller,
        jsonb_build_object('code', code, 'name', 'Customer ' || n, 'email', code || '@example.com'),
        'INV', sequence, 'INV-' || lpad(sequence::text, greatest(5, length(sequence::text)), '0'), now(), sha256(invoice_id::text::bytea)
      from fleet_invoices join installation on true
      join (select invoice_id, sum(amount_minor) as amount_minor from fleet_billed group by 1) total using (invoice_id)
      order by sequence`,
    `insert into usage_windows (id, subscription_line_id, metric, quantity, unit, window_period, reading_count, event_count)
      select window_id, line_id, metric, 400 + n % 100, unit,
        tstzrange(date '${anchor}' + service_month * interval '1 month', date '${anchor}' + (service_month + 1) * interval '1 month'),
        0, 1
      from fleet_billed where billing_type = 'usage'`,
    `insert into invoice_lines (id, invoice_id, position, kind, subscription_line_id, subscription_id, product_id,
        usage_window_id, description, billing_type, quantity, unit, unit_price, service_period, rated_minor, amount_minor,
        explanation)
      select uuidv7(), invoice_id, position, case billing_type when 'usage' then 'usage' else 'recurring' end, line_id,
        subscription_id, product_id, case billing_type when 'usage' then window_id end, name, billing_type, quantity, unit,
        (price ->> 'unitAmount')::numeric, ${monthOf('service_month')}, amount_minor, amount_minor, ${explanation}
      from fleet_billed`,
    `insert into invoice_taxes (invoice_id, position, category, name, rate_percent, base_minor, tax_minor)
      select invoice_id, 0, 'out_of_scope', '', 0, sum(amount_minor), 0 from fleet_billed group by 1`,
    `insert into billing_periods (document_id, period_index, period, invoice_id)
      select document_id, month, ${monthOf('month')}, invoice_id from fleet_invoices`,
    `insert into events (kind, customer_id, subscription_id, invoice_id, business_at)
      select 'invoice.finalized', customer_id, subscription_id, invoice_id, date '${anchor}' from fleet_invoices`,
    `insert into number_series (code, next_number, last_hash, last_issued_on)
      select 'INV', count(*) + 1, sha256('fleet'), (date '${anchor}' + interval '${billedMonths - 1} months')::date
      from fleet_invoices`,
  ]
}
