import { sql, type Kysely } from 'kysely'

/** When a metric was looked at last that says itself how often it is read. Others are looked at with their server. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
create table metric_looks (
  instance_id uuid not null references instances,
  metric text not null,
  looked_at timestamptz not null,
  primary key (instance_id, metric)
);
`,
    )
    .execute(db)
}
