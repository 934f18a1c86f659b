import { sql, type Kysely } from 'kysely'

/** A one-off may be a text alone: it goes on the next document of something, and comes to nothing there. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(textLines).execute(db)
}

const textLines = `
alter table one_off_charges add column is_text boolean not null default false,
  add constraint text_costs_nothing check (not is_text
    or (quantity = 1 and product_id is null and price = '{"model": "per_unit", "unitAmount": "0"}'));

alter table invoice_lines add column is_text boolean not null default false,
  add constraint text_comes_to_nothing check (not is_text or (kind = 'one_off' and unit_price is null
    and rated_minor = 0 and discount_minor = 0 and amount_minor = 0 and tax_minor = 0));
`
