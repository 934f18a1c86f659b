import { sql, type Kysely } from 'kysely'

/** Usage that comes after the last bill of its subscription is billed by itself. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(lateBill).execute(db)
}

const lateBill = `
-- When usage of its life came after its service had ended, and no bill has looked for it since.
alter table subscriptions add column late_usage_at timestamptz;
create index subscriptions_with_late_usage on subscriptions (id) where late_usage_at is not null;
`
