import { sql, type Kysely } from 'kysely'

/**
 * Readings by series and by time. What is young lies in partitions of a week, which are dropped whole; what is older lies in
 * hours, a row each, which hold every reading still. The view `readings` shows both as one.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [tables, kept, notes]) await sql.raw(part).execute(db)
}

const tables = `
alter table readings rename to old_readings;
alter table old_readings rename constraint readings_instance_id_fkey to old_readings_instance_id_fkey;

create table reading_series (
  id bigint generated always as identity primary key,
  instance_id uuid not null references instances,
  metric text not null,
  series text not null,
  unit text not null,
  unique (instance_id, metric, series, unit)
);

create table reading_values (
  series_id bigint not null references reading_series,
  read_at timestamptz not null,
  sampled_at timestamptz not null,
  value numeric not null check (value >= 0),
  is_opening boolean not null default false,
  primary key (series_id, read_at, sampled_at)
) partition by range (sampled_at);
create table reading_values_rest partition of reading_values default;
-- The first weeks; those to come are made by the clean-up of each day.
do $$
begin
  for week in 0..2 loop
    execute format('create table reading_values_%s partition of reading_values for values from (%L) to (%L)',
      to_char(date_trunc('week', now(), 'UTC') at time zone 'UTC' + week * interval '7 days', 'YYYYMMDD'),
      date_trunc('week', now(), 'UTC') + week * interval '7 days', date_trunc('week', now(), 'UTC') + (week + 1) * interval '7 days');
  end loop;
end $$;

create table reading_hours (
  series_id bigint not null references reading_series,
  starts_at timestamptz not null,
  rolled_up_to timestamptz not null,
  reading_count integer not null check (reading_count > 0),
  read_ats timestamptz[] not null,
  sampled_ats timestamptz[],
  read_values numeric[] not null,
  openings boolean[],
  constraint an_hour_has_all_its_readings check (cardinality(read_ats) = reading_count and cardinality(read_values) = reading_count),
  constraint an_hour_knows_all_or_none check (cardinality(sampled_ats) = reading_count and cardinality(openings) = reading_count),
  primary key (series_id, starts_at, rolled_up_to)
);

create table reading_store (
  is_only boolean primary key default true check (is_only),
  rolled_up_to timestamptz not null default '2000-01-01T00:00:00Z',
  raw_days integer not null default 40 check (raw_days between 7 and 3650),
  hourly_months integer not null default 13 check (hourly_months between 4 and 120)
);
insert into reading_store default values;

create view readings as
select series.instance_id, series.metric, series.series, read.value, series.unit, read.is_opening, read.read_at, read.sampled_at
from reading_series series
cross join lateral (
  select value, is_opening, read_at, sampled_at from reading_values
  where series_id = series.id and sampled_at >= (select rolled_up_to from reading_store)
  union all
  select one.value, coalesce(one.is_opening, false), one.read_at, coalesce(one.sampled_at, one.read_at)
  from reading_hours, unnest(read_values, openings, read_ats, sampled_ats) as one (value, is_opening, read_at, sampled_at)
  where series_id = series.id
) read;
`

/** A series has one unit from now on: where it had two, it goes over to the base unit, in which all are exact. */
const kept = `
create temp table old_series on commit drop as
select instance_id, metric, series, min(unit) as unit, count(distinct unit) > 1 as is_mixed
from old_readings group by 1, 2, 3;
update old_readings reading set
  value = reading.value * case reading.unit
    when 'KiB' then 1024 when 'MiB' then 1048576 when 'GiB' then 1073741824 when 'TiB' then 1099511627776
    when 'KB' then 1000 when 'MB' then 1000000 when 'GB' then 1000000000 when 'TB' then 1000000000000
    when 'minute' then 60 when 'hour' then 3600 when 'day' then 86400 else 1 end
from old_series where is_mixed and (old_series.instance_id, old_series.metric, old_series.series)
  = (reading.instance_id, reading.metric, reading.series);
update old_series set unit = case when unit ~ 'B$' then 'B' when unit in ('second', 'minute', 'hour', 'day') then 'second' else unit end
where is_mixed;
insert into reading_series (instance_id, metric, series, unit)
select instance_id, metric, series, unit from old_series order by 1, 2, 3;
insert into reading_values (series_id, read_at, sampled_at, value, is_opening)
select series.id, read_at, sampled_at, value, is_opening
from old_readings join reading_series series using (instance_id, metric, series) order by old_readings.id;
drop table old_readings;
`

/** As before, of series: what a late or corrected reading changes of windows that were billed. */
const notes = `
create function next_read_at(of_series bigint, after timestamptz) returns timestamptz language sql stable as $$
  select least(
    (select min(read_at) from reading_values
      where series_id = of_series and read_at > after and sampled_at >= (select rolled_up_to from reading_store)),
    (select one.read_at from reading_hours hour, unnest(hour.read_ats) as one (read_at)
      where hour.series_id = of_series and hour.starts_at > after - interval '1 hour' and one.read_at > after
      order by hour.starts_at, one.read_at limit 1))
$$;

create or replace function note_late_readings() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  -- Either a bill that is being made has these readings, or its windows are seen below.
  perform from subscription_documents where id in (
    select line.document_id from subscription_lines line where line.instance_id in (
      select series.instance_id from changed join reading_series series on series.id = changed.series_id)
  ) order by id for share;

  with earliest as (
    select series.instance_id, series.metric, min(changed.read_at) as read_at
    from changed join reading_series series on series.id = changed.series_id group by series.instance_id, series.metric
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
      join reading_series series on series.id = reading.series_id
        and series.instance_id = perhaps.instance_id and series.metric = perhaps.metric
      cross join lateral (select coalesce(next_read_at(series.id, reading.read_at), 'infinity') as read_at) next
      where (reading.read_at <= upper(perhaps.window_period) or perhaps.is_closing or perhaps.is_pending)
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

create trigger late_reading_noted after insert on reading_values
  referencing new table as changed for each statement execute function note_late_readings();
create trigger changed_reading_noted after update on reading_values
  referencing new table as changed for each statement execute function note_late_readings();
`
