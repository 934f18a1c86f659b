import { sql, type Kysely } from 'kysely'

/** The seller's terms of service, version by version, and which version an order accepted, when and by whom. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(serviceTerms).execute(db)
}

const serviceTerms = `
create table service_terms (
  version integer primary key check (version > 0),
  text text,
  url text,
  published_at timestamptz not null,
  created_at timestamptz not null default now(),
  constraint service_terms_say_something check (num_nonnulls(text, url) > 0)
);
-- What was accepted can be read for ever as it was.
create trigger service_terms_immutable before update or delete on service_terms for each row execute function refuse_change();
create trigger service_terms_kept before truncate on service_terms for each statement execute function refuse_change();

alter table installation
  add column terms_required text not null default 'shop' constraint installation_terms_required_check check (terms_required in ('shop', 'everywhere'));

alter table orders
  add column terms_version integer references service_terms,
  add column terms_accepted_at timestamptz,
  add column terms_accepted_by text,
  add constraint orders_terms_check check (num_nonnulls(terms_version, terms_accepted_at, terms_accepted_by) in (0, 3));

-- The timeline of an order: what names it in its data.
create index events_by_order on events ((data->>'order'), id) where data ? 'order';
`
