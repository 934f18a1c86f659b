import { sql, type Kysely } from 'kysely'

/** The ids by which other systems know customers, products, orders and subscriptions: one a kind. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(externalIds).execute(db)
}

const externalIds = ['customers', 'products', 'orders', 'subscriptions']
  .map(
    (table) => `
alter table ${table} add column external_id text check (external_id ~ '^[!-~]{1,100}$');
create unique index ${table}_external_id on ${table} (external_id) where external_id is not null;`,
  )
  .join('\n')
  .concat(
    `
-- Of the subscription that the line makes; a draft keeps it until it is sold.
alter table order_lines add column external_id text check (external_id ~ '^[!-~]{1,100}$');
`,
  )
