import type { Decimal, Defaulted, Generated, Instant } from './columns.ts'

export interface ReadingsTable {
  id: Generated<number>
  instance_id: string
  metric: string
  series: string
  value: Decimal
  unit: string
  is_opening: Defaulted<boolean>
  read_at: Instant
  sampled_at: Instant
}

export interface MetricFailuresTable {
  instance_id: string
  metric: string
  detail: string
  failing_since: Instant
  failed_at: Instant
  failures: Defaulted<number>
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
  /** It came after its window was billed; then it is in one late window. */
  is_late: Defaulted<boolean>
  late_window_id: string | null
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
}
