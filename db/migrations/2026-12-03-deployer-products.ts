import { sql, type Kysely } from 'kysely'

/** Whether what a product is sold as can be ordered at its deployer is tried, and not left to the first customer to find out. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table product_deployers
  -- Null: not since it was given.
  add column tried_at timestamptz,
  -- Why its order would be refused there; null: it would not be.
  add column refusal text check (length(refusal) between 1 and 1000),
  add constraint refused_when_tried check (refusal is null or tried_at is not null)`,
    )
    .execute(db)
}
