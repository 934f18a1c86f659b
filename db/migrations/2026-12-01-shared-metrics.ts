import { sql, type Kysely } from 'kysely'

/** Metrics that an operator defines once: what a code measures never changes, so nothing that was billed by it does. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
create table metrics (
  id uuid primary key,
  code text not null unique check (code ~ '^[a-z][a-z0-9-]{0,39}$'),
  title text not null check (length(title) between 1 and 100),
  unit text not null,
  kind text not null check (kind in ('counter', 'gauge', 'event')),
  aggregation text not null,
  percent numeric check (percent > 0 and percent <= 100),
  bucket_seconds integer check (bucket_seconds >= 10),
  rounding jsonb,
  level text not null check (level in ('container', 'volume', 'instance', 'environment', 'customer')),
  -- Type of the one source that may give it, or pushed; null: as each application says.
  source_type text check (source_type ~ '^[a-z][a-z-]{0,39}$'),
  needs_history boolean not null default false,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  check ((aggregation = 'percentile') = (percent is not null)),
  check ((aggregation = 'bucket_max') = (bucket_seconds is not null)),
  check (kind = 'gauge' or aggregation in ('sum', 'count', 'unique_count')),
  check (kind <> 'event' or source_type = 'pushed')
);

create function refuse_changed_measure() returns trigger language plpgsql as $$
begin
  if (new.code, new.unit, new.kind, new.aggregation, new.percent, new.bucket_seconds, new.rounding, new.level, new.source_type, new.needs_history)
    is distinct from
    (old.code, old.unit, old.kind, old.aggregation, old.percent, old.bucket_seconds, old.rounding, old.level, old.source_type, old.needs_history)
  then
    raise exception 'what metric % measures never changes', old.code using errcode = 'check_violation', constraint = 'metric_measure_fixed';
  end if;
  return new;
end $$;
create trigger metric_measure_fixed before update on metrics for each row execute function refuse_changed_measure();
`,
    )
    .execute(db)
}
