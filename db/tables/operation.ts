import type { Generated, Instant } from './columns.ts'

export interface TasksTable {
  id: string
  kind: string
  subject_kind: string
  subject_id: string
  subject: string
  detail: string
  created_at: Generated<Instant>
  closed_at: Instant | null
  closed_reason: string | null
}

export interface OutboxTable {
  id: Generated<number>
  kind: 'start_workflow' | 'signal_workflow'
  key: string
  payload: unknown
  created_at: Generated<Instant>
  attempts: Generated<number>
  last_error: string | null
  try_after: Generated<Instant>
  done_at: Instant | null
}

export interface EventsTable {
  id: Generated<number>
  transaction_id: Generated<string>
  kind: string
  customer_id: string | null
  subscription_id: string | null
  build_order_id: string | null
  invoice_id: string | null
  data: Record<string, unknown>
  business_at: Instant | null
  occurred_at: Generated<Instant>
}
