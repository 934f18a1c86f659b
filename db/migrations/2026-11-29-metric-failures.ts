import { sql, type Kysely } from 'kysely'

/** Metrics that cannot be read now, with what was said last: what is read again has no row any more. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
create table metric_failures (
  instance_id uuid not null references instances,
  metric text not null,
  detail text not null,
  failing_since timestamptz not null,
  failed_at timestamptz not null check (failed_at >= failing_since),
  failures integer not null default 1 check (failures > 0),
  primary key (instance_id, metric)
);
`,
    )
    .execute(db)
}
