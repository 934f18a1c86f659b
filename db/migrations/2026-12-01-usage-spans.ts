import { sql, type Kysely } from 'kysely'

/**
 * What was used over a span counts at its end; where it began is kept beside it. Refused events are cleaned up by when they were
 * refused last, and are looked for by it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
alter table usage_events add column started_at timestamptz;
alter table usage_events add constraint usage_span_in_order check (started_at < occurred_at);
create index on refused_usage_events (refused_at);
`,
    )
    .execute(db)
}
