import { sql, type Kysely } from 'kysely'

/** What is paid in advance is invoiced so many days before its period. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(advanceDays).execute(db)
}

const advanceDays = `
alter table installation add column advance_days integer not null default 0
  constraint advance_days_known check (advance_days between 0 and 60);

-- As the seller has set it; the first period of a document is invoiced when it begins.
alter table subscription_documents
  add column advance_days integer not null default 0
    constraint document_advance_days_known check (advance_days between 0 and 60),
  add column due_on date not null generated always as (coalesce(finalize_on,
    next_invoice_on - case when next_period_index = 0 then 0 else advance_days end)) stored;
drop index documents_due;
create index documents_due on subscription_documents (due_on) where closed_at is null;

-- What was in arrears then is billed; null is the first day of the period.
alter table billing_periods add column due_on date;
`
