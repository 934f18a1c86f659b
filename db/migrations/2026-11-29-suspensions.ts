import { sql, type Kysely } from 'kysely'

/** Why a subscription is suspended: each reason is set and lifted by its name, and it runs again once all are lifted. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [suspensions, phases]) await sql.raw(part).execute(db)
}

const suspensions = `
create table suspensions (
  id uuid primary key,
  subscription_id uuid not null references subscriptions,
  code text not null check (code ~ '^[a-z][a-z0-9_]{0,39}$'),
  reason text not null,
  set_by text not null,
  set_at timestamptz not null,
  lifted_by text,
  lifted_at timestamptz,
  constraint suspensions_lifted_check check ((lifted_at is null) = (lifted_by is null))
);
create unique index one_open_suspension on suspensions (subscription_id, code) where lifted_at is null;

-- What was suspended by hand before there were names, was asked for. A pause ends by the calendar and is no reason of its own.
insert into suspensions (id, subscription_id, code, reason, set_by, set_at)
select gen_random_uuid(), id, 'requested', suspended_reason, 'Clouder', now() from subscriptions
where phase = 'suspended' and not exists (
  select from subscription_pauses where subscription_id = subscriptions.id and begun_at is not null and ended_at is null);
`

const phases = `
create or replace function check_subscription_phase() returns trigger language plpgsql as $$
begin
  if new.phase <> old.phase and not (old.phase || '>' || new.phase = any (array[
    'ordered>building', 'ordered>ended', 'ordered>unbuilding', 'building>active', 'building>ended', 'building>unbuilding',
    'active>suspended', 'active>unbuilding', 'active>ended', 'suspended>active', 'suspended>unbuilding', 'unbuilding>ended',
    'ordered>active'
  ])) then
    raise exception 'a subscription cannot go from % to %', old.phase, new.phase using errcode = 'check_violation', constraint = 'subscription_phase';
  end if;
  -- Nothing is built, and nothing billed, while its order is held.
  if old.phase = 'ordered' and new.phase in ('building', 'active')
    and exists (select from order_holds where order_id = new.order_id and settled_at is null) then
    raise exception 'the order is held' using errcode = 'check_violation', constraint = 'order_held';
  end if;
  -- Nothing runs again while a reason stands.
  if old.phase = 'suspended' and new.phase = 'active'
    and exists (select from suspensions where subscription_id = new.id and lifted_at is null) then
    raise exception 'the subscription is suspended' using errcode = 'check_violation', constraint = 'subscription_suspended';
  end if;
  return new;
end $$;
`
