import { sql, type Kysely } from 'kysely'

/** An outside tax service may take the place of the table: what it answered is kept for ever, what waits for it until then. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(answers).execute(db)
}

const answers = `
alter table installation add column tax_determination text not null default 'table'
  check (tax_determination in ('table', 'service'));

create table tax_answers (
  id uuid primary key,
  seller_country text not null,
  buyer_country text not null,
  buyer_region text,
  is_business boolean not null,
  is_tax_id_verified boolean not null,
  product_category text not null,
  -- Days of service for which the answer holds.
  valid_in daterange not null check (not isempty(valid_in)),
  decision jsonb not null check (decision ?& array['category', 'rates', 'note']),
  source text not null check (source <> ''),
  answered_at timestamptz not null
);
create index tax_answers_by_facts on tax_answers (seller_country, buyer_country, product_category);
create trigger tax_answer_immutable before update or delete on tax_answers for each row execute function refuse_change();

create table tax_questions (
  id uuid primary key,
  seller_country text not null,
  buyer_country text not null,
  buyer_region text,
  is_business boolean not null,
  is_tax_id_verified boolean not null,
  product_category text not null,
  on_date date not null,
  asked_since timestamptz not null,
  attempts integer not null default 0 check (attempts >= 0),
  next_try_at timestamptz not null,
  last_error text,
  constraint one_tax_question unique nulls not distinct (seller_country, buyer_country, buyer_region, is_business,
    is_tax_id_verified, product_category, on_date)
);
`
