import { sql, type Kysely } from 'kysely'

/** What an instance holds can be replaced by a backup of it; and what has ended can be sold again as it was. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [restores, backups, reinstatements]) await sql.raw(part).execute(db)
}

const restores = `
create table restores (
  id uuid primary key,
  subscription_id uuid not null references subscriptions,
  instance_id uuid not null references instances,
  backup_id uuid not null references backups,
  -- Asked twice by one request, it is done once.
  request_id text not null,
  state text not null default 'running' check (state in ('running', 'done', 'undone', 'failed')),
  failure_code text,
  failure_detail text,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  constraint restores_finished_check check ((state = 'running') = (finished_at is null)),
  constraint restores_failure_check check (
    num_nonnulls(failure_code, failure_detail) = case when state in ('undone', 'failed') then 2 else 0 end),
  constraint one_restore_per_request unique (subscription_id, request_id)
);
create unique index one_running_restore on restores (instance_id) where state = 'running';
create index restores_by_backup on restores (backup_id);
`

const backups = `
alter table backups
  alter column build_order_id drop not null,
  add column reason text not null default 'last' check (reason in ('last', 'before_restore')),
  add column restore_id uuid references restores,
  add constraint backups_cause_check check (
    (reason = 'last') = (build_order_id is not null) and (reason = 'before_restore') = (restore_id is not null));
drop index one_last_backup;
-- An instance ends once, and its end is saved once, however often its unbuild is tried.
create unique index one_last_backup on backups (instance_id) where reason = 'last';
create unique index one_backup_before_restore on backups (restore_id) where restore_id is not null;
`

const reinstatements = `
alter table subscriptions add column reinstated_from_id uuid references subscriptions;
-- What has ended comes back once at a time.
create unique index one_live_reinstatement on subscriptions (reinstated_from_id)
  where reinstated_from_id is not null and phase <> 'ended';
`
