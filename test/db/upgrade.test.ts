import assert from 'node:assert/strict'
import test from 'node:test'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import * as foundation from '#db/migrations/2026-11-25-foundation.ts'
import * as billingEngine from '#db/migrations/2026-11-26-billing-engine.ts'
import * as productVersions from '#db/migrations/2026-11-27-product-versions.ts'
import { createEmptyDatabase } from '#test/support/database.ts'

const [
  product,
  list,
  item,
  customer,
  order,
  orderLine,
  environment,
  subscription,
  line,
  invoice,
  invoiceLine,
  document,
] = Array.from(
  { length: 12 },
  (_, index) => `00000000-0000-7000-8000-0000000000${String(index).padStart(2, '0')}`,
)

/** One invoice of 10.00, finalized as the first version did. */
const soldBefore = `
  insert into products (id, code, name, billing_type, billing_timing, recurrence_count, recurrence_unit, unit, base_price, currency)
    values ('${product}', 'flat-odoo', 'Flat Odoo', 'flat', 'advance', 1, 'month', 'month', 10.0000000001, 'USD');
  insert into price_lists (id, code, name, currency) values ('${list}', 'friends', 'Friends', 'USD');
  insert into price_list_items (id, price_list_id, unit_price) values ('${item}', '${list}', 8);
  insert into customers (id, code, name, currency, time_zone) values ('${customer}', 'bakery', 'Bakery', 'USD', 'UTC');
  insert into environments (id, customer_id, prefix) values ('${environment}', '${customer}', 'bakery');
  insert into orders (id, customer_id, currency, channel, actor, confirmed_at) values ('${order}', '${customer}', 'USD', 'api', 'test', now());
  insert into order_lines (id, order_id, position, product_id, quantity) values ('${orderLine}', '${order}', 0, '${product}', 1);
  insert into subscriptions (id, order_id, order_line_id, customer_id, environment_id, product_id, title, currency)
    values ('${subscription}', '${order}', '${orderLine}', '${customer}', '${environment}', '${product}', 'Flat Odoo', 'USD');
  insert into subscription_documents (id, customer_id, interval_count, interval_unit, currency, billing_cycle_anchor, time_zone, next_invoice_on)
    values ('${document}', '${customer}', 1, 'month', 'USD', '2026-11-25', 'UTC', '2026-12-25');
  insert into subscription_lines (id, first_line_id, subscription_id, document_id, product_id, position, billing_type, billing_timing,
      interval_count, interval_unit, description, quantity, unit, unit_price, starts_on)
    values ('${line}', '${line}', '${subscription}', '${document}', '${product}', 0, 'flat', 'advance', 1, 'month', 'Flat Odoo', 1, 'month', 10, '2026-11-25');
  insert into invoices (id, kind, billing_key, customer_id, document_id, currency, issued_on, due_on, net_minor, total_minor, seller, buyer)
    values ('${invoice}', 'invoice', 'first', '${customer}', '${document}', 'USD', '2026-11-25', '2026-12-09', 1000, 1000, '{}', '{}');
  insert into invoice_lines (id, invoice_id, position, kind, subscription_line_id, subscription_id, product_id, description, billing_type,
      quantity, unit, unit_price, service_period, amount_minor, explanation)
    values ('${invoiceLine}', '${invoice}', 0, 'recurring', '${line}', '${subscription}', '${product}', 'Flat Odoo', 'flat', 1, 'month', 10,
      '[2026-11-25,2026-12-25)', 1000, '{}');
  insert into number_series (code, next_number) values ('INV', 2);
  update invoices set series = 'INV', sequence = 1, number = 'INV-00001', finalized_at = now() where id = '${invoice}';
`

test('what the first version sold and billed keeps its prices, its invoices and the date of its series', async () => {
  const { url, drop } = await createEmptyDatabase()
  const db = new Kysely<unknown>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 1 }) }),
  })
  try {
    await foundation.up(db)
    await sql.raw(soldBefore).execute(db)

    await billingEngine.up(db)

    const { rows } = await sql`
      select (select price from products) as product_price, (select price from price_list_items) as item_price,
        (select price from subscription_lines) as line_price, (select rated_minor from invoice_lines) as rated_minor,
        (select last_issued_on::text from number_series) as last_issued_on, (select number from invoices) as number`.execute(
      db,
    )
    assert.deepEqual(rows, [
      {
        product_price: { model: 'per_unit', unitAmount: '10.0000000001' },
        item_price: { model: 'per_unit', unitAmount: '8' },
        line_price: { model: 'per_unit', unitAmount: '10' },
        rated_minor: '1000',
        last_issued_on: '2026-11-25',
        number: 'INV-00001',
      },
    ])
    await assert.rejects(sql.raw(`update invoices set total_minor = 1`).execute(db), /never changes/)
  } finally {
    await db.destroy()
    await drop()
  }
})

test('what was sold before products had versions was sold by their first', async () => {
  const { url, drop } = await createEmptyDatabase()
  const db = new Kysely<unknown>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 1 }) }),
  })
  try {
    await foundation.up(db)
    await sql.raw(soldBefore).execute(db)
    await billingEngine.up(db)
    const dropped = JSON.stringify({ ended: [], opened: [], dropped: [{ id: line, quantity: 3 }] })
    await sql`
      insert into subscription_commands (subscription_id, request_id, kind, actor, replaced)
      values (${subscription}, 'cancel', 'cancel', 'test', ${dropped}::jsonb)`.execute(db)

    await productVersions.up(db)

    const { rows } = await sql`
      select product.code, version.version, version.name, version.price ->> 'unitAmount' as amount, version.effective_on,
        line.product_version, replaced -> 'dropped' -> 0 as dropped
      from products product join product_versions version on version.product_id = product.id
      cross join subscription_lines line cross join subscription_commands`.execute(db)
    assert.deepEqual(rows, [
      {
        code: 'flat-odoo',
        version: 1,
        name: 'Flat Odoo',
        amount: '10.0000000001',
        effective_on: null,
        product_version: 1,
        dropped: { id: line, quantity: 3, product_version: 1 },
      },
    ])
  } finally {
    await db.destroy()
    await drop()
  }
})
