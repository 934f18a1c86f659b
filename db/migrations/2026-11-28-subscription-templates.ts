import { sql, type Kysely } from 'kysely'

/** What is agreed with a subscription can be named, and is kept with the line of the order. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(templates).execute(db)
}

const templates = `
create table subscription_templates (
  id uuid primary key,
  code text not null constraint one_template_per_code unique check (code ~ '^[a-z0-9][a-z0-9-]*$'),
  name text not null,
  defaults jsonb not null check (jsonb_typeof(defaults) = 'object'),
  created_at timestamptz not null default now()
);

-- What the order said beside what it sells, or its template did: a template that changes later changes nothing here.
alter table order_lines add column agreed jsonb not null default '{}' check (jsonb_typeof(agreed) = 'object');
`
