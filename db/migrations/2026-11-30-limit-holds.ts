import { sql, type Kysely } from 'kysely'

/** What is used of each limit, what holds it once it is reached, and units that are handed out one by one. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [holds, units]) await sql.raw(part).execute(db)
}

const holds = `
alter table limits
  add column enforcement text not null default 'hard' check (enforcement in ('hard', 'throttle', 'soft')),
  add column unit text,
  add column used_quantity numeric check (used_quantity >= 0),
  add column used_at timestamptz,
  add column reached_at timestamptz,
  -- What is done to the instance from outside, as in domain/limit-hold.ts.
  add column hold jsonb,
  add column held_at timestamptz,
  add column hold_failure text,
  add constraint limits_used_check check ((used_quantity is null) = (used_at is null)),
  add constraint limits_hold_check check (hold is null or reached_at is not null),
  add constraint limits_held_check check (hold is not null or num_nonnulls(held_at, hold_failure) = 0);
create index limits_reached on limits (instance_id) where reached_at is not null;
`

const units = `
create table unit_reservations (
  id uuid primary key,
  instance_id uuid not null,
  limit_code text not null,
  quantity numeric not null check (quantity > 0),
  -- What the caller has it for, in its own words.
  reference text,
  reserved_by text not null,
  reserved_at timestamptz not null default now(),
  -- Unconfirmed by then, it is nobody's again.
  expires_at timestamptz not null check (expires_at > reserved_at),
  confirmed_at timestamptz,
  released_at timestamptz,
  foreign key (instance_id, limit_code) references limits (instance_id, code)
);
create index unit_reservations_held on unit_reservations (instance_id, limit_code) where released_at is null;

-- Two that want the last unit wait for each other here, and the second one sees the first.
create function check_units() returns trigger language plpgsql as $$
declare
  sold limits%rowtype;
  taken numeric;
begin
  if new.released_at is not null then return new; end if;
  select * into sold from limits where instance_id = new.instance_id and code = new.limit_code for no key update;
  if sold.enforcement = 'soft' then return new; end if;
  select coalesce(sum(quantity), 0) into taken from unit_reservations held
    where held.instance_id = new.instance_id and held.limit_code = new.limit_code and held.id <> new.id
      and held.released_at is null and (held.confirmed_at is not null or held.expires_at > clock_timestamp());
  if taken + new.quantity > sold.sold_quantity then
    raise exception 'taken % of %', taken, sold.sold_quantity using errcode = 'check_violation', constraint = 'units_within_limit';
  end if;
  return new;
end $$;
create trigger units_within_limit before insert or update on unit_reservations for each row execute function check_units();
`
