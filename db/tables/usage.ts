import type { UsageProperties } from '#domain/usage-filter.ts'
import type { SpendAlert, SpendEffect, SpendCapOwner } from '#domain/spend.ts'
import type {
  CalendarDate,
  Decimal,
  Defaulted,
  Generated,
  GeneratedAlways,
  Instant,
  Json,
  NullableJson,
} from './columns.ts'

/** A view of all readings, of those in hours too: for looking, and for tests. Bills are measured of what it is made of. */
export interface ReadingsView {
  instance_id: GeneratedAlways<string>
  metric: GeneratedAlways<string>
  series: GeneratedAlways<string>
  value: GeneratedAlways<Decimal>
  unit: GeneratedAlways<string>
  is_opening: GeneratedAlways<boolean>
  read_at: GeneratedAlways<Instant>
  sampled_at: GeneratedAlways<Instant>
}

export interface ReadingSeriesTable {
  id: Generated<number>
  instance_id: string
  metric: string
  series: string
  unit: string
}

/** Partitioned by weeks of `sampled_at`. What was sampled before `reading_store.rolled_up_to` counts as its hours say. */
export interface ReadingValuesTable {
  series_id: number
  read_at: Instant
  sampled_at: Instant
  value: Decimal
  is_opening: Defaulted<boolean>
}

/** Every reading of a series in an hour, in the order of time; without `sampled_ats` sampled when read, without `openings` none. */
export interface ReadingHoursTable {
  series_id: number
  starts_at: Instant
  rolled_up_to: Instant
  reading_count: number
  read_ats: Instant[]
  sampled_ats: Instant[] | null
  read_values: Decimal[]
  openings: boolean[] | null
}

/** One row: how far readings are rolled up, and how long they are kept. */
export interface ReadingStoreTable {
  is_only: Defaulted<boolean>
  rolled_up_to: Defaulted<Instant>
  raw_days: Defaulted<number>
  hourly_months: Defaulted<number>
}

export interface MetricFailuresTable {
  instance_id: string
  metric: string
  code: string | null
  detail: string
  failing_since: Instant
  failed_at: Instant
  failures: Defaulted<number>
}

/** Of metrics with an interval of their own, whether they gave a value or not. */
export interface MetricLooksTable {
  instance_id: string
  metric: string
  looked_at: Instant
}

export interface UsageEventsTable {
  id: string
  source: string
  event_id: string
  subscription_id: string
  metric: string
  quantity: Decimal
  unit: string
  occurred_at: Instant
  received_at: Generated<Instant>
  /** It came after a window that it is of was billed: of which lines is told by `late_usage_events`. */
  is_late: Defaulted<boolean>
  properties: NullableJson<UsageProperties>
  /** The event of which it takes back a part or all. */
  reverses_id: string | null
  /** Of what was used over a span, which ends when it occurred. */
  started_at: Instant | null
}

export interface LateUsageEventsTable {
  usage_event_id: string
  subscription_line_id: string
  /** The late window that bills it; null while it waits for the next bill. */
  usage_window_id: string | null
}

export interface RefusedUsageEventsTable {
  id: string
  /** Who sent it, as events of the installation name him. */
  sender: string
  /** Of the event, or of its content where it has none: sent again it has the same place. */
  name: string
  source: string | null
  event_id: string | null
  /** As it was sent. */
  content: string
  /** Not cut off. */
  is_whole: boolean
  code: string
  detail: string
  pointer: string | null
  refusals: Defaulted<number>
  first_refused_at: Instant
  refused_at: Instant
}

export interface UsageWindowsTable {
  id: string
  subscription_line_id: string
  metric: string
  quantity: Decimal
  unit: string
  window_period: string
  reading_count: number
  event_count: number
  first_read_at: Instant | null
  last_read_at: Instant | null
  is_late: Defaulted<boolean>
  /** Its metric was not read at or past its end when it was billed. */
  is_pending: Defaulted<boolean>
  created_at: Generated<Instant>
}

/** Windows that were billed and are to be measured anew. */
export interface UnsettledWindowsTable {
  usage_window_id: string
  reason: 'pending' | 'late_reading'
  noted_at: Generated<Instant>
  /** The transaction that has begun to measure it: it alone settles it. */
  measured_by: Defaulted<string | null>
}

/** That customer and operator were told of a share of a limit, or of what usage costs, in one billing period. */
export interface UsageWarningsTable {
  id: string
  subscription_id: string
  kind: 'limit' | 'spend'
  /** Null for what usage costs. */
  first_line_id: string | null
  /** The code of the limit, or who set the cap. */
  subject: string
  threshold: string
  period_starts_on: CalendarDate
  used: Decimal
  ceiling: Decimal
  unit: string
  warned_at: Instant
}

/** What usage of one period may cost, by who said so. */
export interface SpendCapsTable {
  subscription_id: string
  set_by: SpendCapOwner
  amount_minor: number
  effect: SpendEffect
  alerts: Json<readonly SpendAlert[]>
  actor: string
  set_at: Instant
  held_since: Instant | null
}
