import { sql, type Kysely } from 'kysely'

/**
 * A window that was billed may turn out to hold something else: its metric could not be read when it was billed, or a reading of
 * its time came or changed afterwards. It stays as it was; that it is to be measured anew is noted, by the database itself.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [windows, notes]) await sql.raw(part).execute(db)
}

const windows = `
alter table usage_windows
  -- The metric was not read at or past the window's end when it was billed.
  add is_pending boolean not null default false,
  add constraint only_first_windows_are_pending check (not (is_pending and is_late));
create index pending_windows on usage_windows (metric, upper(window_period)) where is_pending;
create index late_windows on usage_windows (subscription_line_id) where is_late;
create index lines_by_instance on subscription_lines (instance_id) where instance_id is not null;

-- What a bill has to measure anew. The bill that finds how it differs, or that it does not, takes it out.
create table unsettled_windows (
  usage_window_id uuid primary key references usage_windows,
  reason text not null check (reason in ('pending', 'late_reading')),
  noted_at timestamptz not null default now()
);
`

const notes = `
-- A reading changes the windows from its own instant to the next reading of its series: that is how long a gauge is in force, and
-- where a counter's next step ends. Of a line that ended the last window reaches beyond its end, as does one that is pending.
create function note_late_readings() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  -- Either a bill that is being made has these readings, or its windows are seen below.
  perform from subscription_documents where id in (
    select line.document_id from subscription_lines line where line.instance_id in (select instance_id from changed)
  ) order by id for share;

  with earliest as (
    select instance_id, metric, min(read_at) as read_at from changed group by instance_id, metric
  ), perhaps as (
    select frozen.id, frozen.metric, line.instance_id, line.subscription_id, frozen.window_period, frozen.is_pending, closing.is_closing
    from earliest
    join subscription_lines line on line.instance_id = earliest.instance_id
    join usage_windows frozen on frozen.subscription_line_id = line.id and frozen.metric = earliest.metric and not frozen.is_late
    cross join lateral (
      select exists (
        select from invoice_lines billed join subscriptions subscription on subscription.id = line.subscription_id
        where billed.subscription_line_id = line.id and billed.usage_window_id = frozen.id
          and upper(billed.service_period) = line.ends_on and line.ends_on >= subscription.ends_on
      ) as is_closing
    ) closing
    where upper(frozen.window_period) >= earliest.read_at or frozen.is_pending or closing.is_closing
  ), noted as (
    insert into unsettled_windows (usage_window_id, reason)
    select perhaps.id, 'late_reading' from perhaps
    where exists (
      select from changed reading
      cross join lateral (
        select coalesce(min(next.read_at), 'infinity') as read_at from readings next
        where next.instance_id = reading.instance_id and next.metric = reading.metric and next.series = reading.series
          and next.read_at > reading.read_at
      ) next
      where reading.instance_id = perhaps.instance_id and reading.metric = perhaps.metric
        and (reading.read_at <= upper(perhaps.window_period) or perhaps.is_closing or perhaps.is_pending)
        and lower(perhaps.window_period) < next.read_at
        and (reading.read_at <= upper(perhaps.window_period) or perhaps.is_closing
          or (perhaps.is_pending and next.read_at < 'infinity')))
    on conflict (usage_window_id) do update set noted_at = excluded.noted_at
    returning usage_window_id
  )
  -- After the last bill nobody would look for it.
  update subscriptions subscription set late_usage_at = present.at
  from customers, (
    select distinct perhaps.subscription_id from perhaps where perhaps.id in (select usage_window_id from noted)
  ) of_noted, subscriptions itself left join test_clocks clock on clock.id = itself.test_clock_id
  cross join lateral (select coalesce(clock.now_at, now()) as at) present
  where subscription.id = of_noted.subscription_id and itself.id = subscription.id and customers.id = subscription.customer_id
    and subscription.ends_on <= (present.at at time zone customers.time_zone)::date;
  return null;
end $$;

create trigger late_reading_noted after insert on readings
  referencing new table as changed for each statement execute function note_late_readings();
create trigger changed_reading_noted after update on readings
  referencing new table as changed for each statement execute function note_late_readings();
`
