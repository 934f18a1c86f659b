import type { Defaulted, Generated, GeneratedAlways, Instant } from './columns.ts'

/** Where events are posted to. */
export interface WebhooksTable {
  id: string
  url: string
  description: string
  /** Null: all. */
  kinds: string[] | null
  state: Defaulted<'enabled' | 'disabled' | 'deleted'>
  disabled_reason: Defaulted<string | null>
  failing_since: Defaulted<Instant | null>
  rests: Defaulted<number>
  rests_until: Defaulted<Instant | null>
  last_delivered_at: Defaulted<Instant | null>
  is_awake: Defaulted<boolean>
  created_at: Instant
  created_by: string
}

export interface WebhookSecretsTable {
  id: string
  webhook_id: string
  key_id: string
  sealed: Buffer
  made_at: Instant
  /** Null: it signs. */
  expires_at: Defaulted<Instant | null>
}

export interface WebhookDeliveriesTable {
  webhook_id: string
  event_id: number
  state: Defaulted<'waiting' | 'delivered' | 'given_up'>
  revision: Defaulted<number>
  failures: Defaulted<number>
  first_failed_at: Defaulted<Instant | null>
  queued_at: Generated<Instant>
  due_at: Generated<Instant>
  settled_at: Defaulted<Instant | null>
}

export interface WebhookAttemptsTable {
  id: GeneratedAlways<number>
  webhook_id: string
  event_id: number
  at: Instant
  duration_ms: number
  status: number | null
  failure: string | null
  answer: string | null
}
