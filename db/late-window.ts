import { sql } from 'kysely'
import type { Price } from '#domain/pricing/price.ts'
import type { Db } from './database.ts'

/** A window that was billed and may hold more by now, with what waits for it. */
export interface LateWindow {
  readonly window_id: string
  readonly line_id: string
  readonly window_starts_at: string
  readonly window_ends_at: string
  readonly starts_on: string
  readonly ends_on: string
  readonly price: Price | null
  /** Billed in the window, and late since. */
  readonly billed_quantity: string
  readonly billed_readings: number
  readonly billed_minor: number
  /** In the order of time. */
  readonly events: readonly LateEvent[]
  /** Readings of it came late, changed, or were missing: all of it is measured anew. */
  readonly is_unsettled: boolean
  /** Of a cycle that was billed in parts: what all of them billed. */
  readonly cycle_quantity: string | null
}

export interface LateEvent {
  readonly id: string
  readonly quantity: string
  readonly unit: string
  /** It takes back another one. */
  readonly is_reversal: boolean
}

/** In the order of their time. */
export async function readLateWindows(db: Db, subscriptionIds: readonly string[]): Promise<LateWindow[]> {
  const { rows } = await sql<LateWindow>`
    with waiting as (
      select frozen.id as window_id, event.id, event.quantity, event.unit, event.occurred_at, event.reverses_id is not null as is_reversal
      from subscription_lines line
      join late_usage_events late on late.subscription_line_id = line.id and late.usage_window_id is null
      join usage_events event on event.id = late.usage_event_id
      join usage_windows frozen on frozen.subscription_line_id = line.id and frozen.metric = event.metric and not frozen.is_late
        and lower(frozen.window_period) < event.occurred_at and event.occurred_at <= upper(frozen.window_period)
      where line.subscription_id = any(${subscriptionIds}::uuid[])
      union all
      select unsettled.usage_window_id, null, null, null, null, null
      from unsettled_windows unsettled
      join usage_windows frozen on frozen.id = unsettled.usage_window_id
      join subscription_lines line on line.id = frozen.subscription_line_id
      where line.subscription_id = any(${subscriptionIds}::uuid[])
    ), changed as (
      select window_id, bool_or(id is null) as is_unsettled,
        coalesce(json_agg(json_build_object('id', id, 'quantity', quantity::text, 'unit', unit, 'is_reversal', is_reversal) order by occurred_at, id)
          filter (where id is not null), '[]') as events
      from waiting group by window_id
    )
    select frozen.id as window_id, frozen.subscription_line_id as line_id,
      lower(frozen.window_period) as window_starts_at, upper(frozen.window_period) as window_ends_at,
      lower(billed.service_period) as starts_on, upper(billed.service_period) as ends_on, billed.explanation -> 'price' as price,
      frozen.quantity + late.quantity as billed_quantity, (frozen.reading_count + late.reading_count)::integer as billed_readings,
      (billed.rated_minor + late.rated_minor)::bigint as billed_minor,
      changed.events, changed.is_unsettled,
      case when billed.explanation ? 'isEarly' or billed.explanation ? 'billedQuantity' then (
        select sum(counted.quantity) from usage_windows counted
        where counted.subscription_line_id = frozen.subscription_line_id and exists (
          select from invoice_lines part
          where part.subscription_line_id = counted.subscription_line_id and part.usage_window_id = counted.id
            and part.explanation -> 'cycle' = billed.explanation -> 'cycle')
      ) end as cycle_quantity
    from changed
    join usage_windows frozen on frozen.id = changed.window_id
    cross join lateral (
      select service_period, explanation, rated_minor from invoice_lines
      where subscription_line_id = frozen.subscription_line_id and usage_window_id = frozen.id
      order by revision desc limit 1
    ) billed
    cross join lateral (
      select coalesce(sum(quantity), 0) as quantity, coalesce(sum(reading_count), 0) as reading_count,
        coalesce(sum(rated_minor), 0) as rated_minor
      from usage_windows one
      cross join lateral (
        select rated_minor from invoice_lines where subscription_line_id = one.subscription_line_id and usage_window_id = one.id
        order by revision desc limit 1
      ) line
      where one.subscription_line_id = frozen.subscription_line_id and one.is_late and one.window_period = frozen.window_period
    ) late
    order by frozen.window_period, frozen.id`.execute(db)
  return rows
}
