import type { Invariant } from './invariant.ts'

/** What of the pushed amounts a window holds: those of its time, or if it is late, those that are bound to it. */
const eventsOfWindow = `
  select usage_window.id, usage_window.event_count, usage_window.quantity,
    count(event.id) as found_count, sum(event.quantity) as found_quantity,
    bool_and(event.unit = usage_window.unit) as is_same_unit
  from usage_windows usage_window
  join subscription_lines line on line.id = usage_window.subscription_line_id
  left join usage_events event on event.subscription_id = line.subscription_id and event.metric = usage_window.metric
    and takes_usage(line.terms -> 'usageFilter', event.properties)
    and case when usage_window.is_late then exists (select from late_usage_events late
        where late.usage_event_id = event.id and late.usage_window_id = usage_window.id)
      else lower(usage_window.window_period) < event.occurred_at and event.occurred_at <= upper(usage_window.window_period)
        and not exists (select from late_usage_events late
          where late.usage_event_id = event.id and late.subscription_line_id = line.id) end
  group by usage_window.id`

/** Whether readings are part of the metric, or its events are no sum. */
const isMeasured = `exists (select from usage_windows measured
    join subscription_lines line on line.id = measured.subscription_line_id
    join readings on readings.instance_id = line.instance_id and readings.metric = measured.metric
    where measured.id = held.id)
  or exists (select from usage_windows measured
    join subscription_lines line on line.id = measured.subscription_line_id
    join instances on instances.id = line.instance_id
    join application_versions version on version.id = instances.application_version_id
    cross join lateral jsonb_array_elements(version.definition -> 'metrics') as defined (metric)
    where measured.id = held.id and defined.metric ->> 'code' = measured.metric and defined.metric ->> 'kind' <> 'counter')`

/** Quantities that are billed: frozen, whole, each amount in one of them. */
export const usageInvariants: readonly Invariant[] = [
  {
    never: 'do two usage windows of a line overlap, but for late ones',
    query: `
      select format('line %s: %s and %s', one.subscription_line_id, one.window_period, other.window_period) as found
      from usage_windows one
      join usage_windows other on other.subscription_line_id = one.subscription_line_id and other.metric = one.metric
        and other.id > one.id and other.window_period && one.window_period
      where not one.is_late and not other.is_late`,
  },
  {
    never: 'is a frozen window billed on no line, or on two of one revision',
    query: `
      select format('window %s: %s lines', usage_window.id, count(line.id)) as found
      from usage_windows usage_window left join invoice_lines line on line.usage_window_id = usage_window.id
      group by usage_window.id, line.revision having count(line.id) <> 1`,
  },
  {
    never:
      'does a usage line, with what it does not bill, say another quantity than its window, or have none',
    query: `
      select format('invoice line %s: %s %s, window %s %s', line.id, line.quantity, line.unit, usage_window.quantity,
        usage_window.unit) as found
      from invoice_lines line left join usage_windows usage_window on usage_window.id = line.usage_window_id
      where line.kind in ('usage', 'late_usage') and (usage_window.quantity, usage_window.unit, usage_window.subscription_line_id,
        usage_window.is_late) is distinct from
        (line.quantity + coalesce((line.explanation ->> 'notBilledQuantity')::numeric, 0), line.unit, line.subscription_line_id, line.kind = 'late_usage')`,
  },
  {
    never:
      'does a window hold another number of amounts than there are, or where they are summed another sum',
    query: `
      select format('window %s: %s of %s, found %s of %s', id, quantity, event_count, found_quantity, found_count) as found
      from (${eventsOfWindow}) as held
      where event_count <> found_count
        or (quantity <> coalesce(found_quantity, 0) and coalesce(is_same_unit, true) and not (${isMeasured}))`,
  },
]
