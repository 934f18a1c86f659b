import { sql, type Kysely } from 'kysely'

/**
 * Two lines may bill one metric, each with periods of its own: what comes late for one may be in time for the other. For which lines
 * an event is late, and which window of each bills it, is a row for each.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(statements).execute(db)
}

const statements = `
create table late_usage_events (
  usage_event_id uuid not null references usage_events (id),
  subscription_line_id uuid not null references subscription_lines (id),
  usage_window_id uuid references usage_windows (id),
  primary key (usage_event_id, subscription_line_id)
);
create index late_usage_events_waiting on late_usage_events (subscription_line_id) where usage_window_id is null;
create index late_usage_events_by_window on late_usage_events (usage_window_id) where usage_window_id is not null;
insert into late_usage_events (usage_event_id, subscription_line_id, usage_window_id)
  select distinct event.id, line.id, event.late_window_id
  from usage_events event
  join subscription_lines line on line.subscription_id = event.subscription_id and line.metric = event.metric
    and takes_usage(line.terms -> 'usageFilter', event.properties)
  join usage_windows frozen on frozen.subscription_line_id = line.id and frozen.metric = event.metric and not frozen.is_late
    and lower(frozen.window_period) < event.occurred_at and event.occurred_at <= upper(frozen.window_period)
  where event.is_late;
alter table usage_events drop column late_window_id;
`
