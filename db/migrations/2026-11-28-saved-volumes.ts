import { sql, type Kysely } from 'kysely'

/** What an instance held is saved before it is removed, kept for a time, and can be what a new instance begins with. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [settings, backups, restored]) await sql.raw(part).execute(db)
}

const settings = `
alter table installation
  add column backup_retention_days integer not null default 30 check (backup_retention_days between 1 and 3660);
`

const backups = `
create table backups (
  id uuid primary key,
  instance_id uuid not null references instances,
  server_id uuid not null references servers,
  -- The unbuild before which it was taken.
  build_order_id uuid not null references build_orders,
  state text not null default 'taking' check (state in ('taking', 'kept', 'failed', 'deleted')),
  failure_detail text,
  taken_at timestamptz,
  verified_at timestamptz,
  expires_at timestamptz,
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  constraint backups_kept_check check (
    (state in ('kept', 'deleted')) = (num_nonnulls(taken_at, verified_at, expires_at) = 3)),
  constraint backups_failed_check check ((state = 'failed') = (failure_detail is not null)),
  -- A good one is never deleted before its time.
  constraint backups_deleted_check check ((state = 'deleted') = (deleted_at is not null) and deleted_at >= expires_at)
);
-- An instance ends once, and its end is saved once, however often its unbuild is tried.
create unique index one_last_backup on backups (instance_id);
create index backups_by_expiry on backups (server_id, expires_at) where state = 'kept';
create index backups_by_build_order on backups (build_order_id);

create table backup_volumes (
  backup_id uuid not null references backups,
  volume text not null,
  location text not null,
  bytes bigint not null check (bytes > 0),
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  saved_at timestamptz not null,
  verified_at timestamptz check (verified_at >= saved_at),
  primary key (backup_id, volume)
);
`

const restored = `
alter table instances add column restored_from_backup_id uuid references backups;
create index instances_by_backup on instances (restored_from_backup_id) where restored_from_backup_id is not null;
`
