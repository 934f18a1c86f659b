import type { OrderHoldKind, OrderHoldOutcome } from '#domain/order-hold.ts'
import type { Defaulted, Generated, Instant } from './columns.ts'

export interface OrderHoldsTable {
  id: string
  order_id: string
  kind: OrderHoldKind
  /** Of a review: by which rules of the seller. */
  rule: string | null
  detail: string
  opened_at: Instant
  expires_at: Instant | null
  settled_at: Defaulted<Instant | null>
  outcome: Defaulted<OrderHoldOutcome | null>
  settled_by: Defaulted<string | null>
  reason: Defaulted<string | null>
  created_at: Generated<Instant>
}

export interface PaymentRequestsTable {
  id: string
  order_id: string
  currency: string
  /** With tax. */
  total_minor: number
  state: Defaulted<'open' | 'paid' | 'expired' | 'closed'>
  opened_at: Instant
  expires_at: Instant
  settled_at: Defaulted<Instant | null>
  created_at: Generated<Instant>
}

export interface BalanceMovementsTable {
  id: string
  customer_id: string
  currency: string
  test_clock_id: string | null
  kind: 'payment' | 'refund'
  /** Above 0 what came in, below 0 what goes back. */
  amount_minor: number
  payment_request_id: string
  reference: string | null
  actor: string
  recorded_at: Instant
  /** Of a refund: when the money was sent; until then it is to be refunded. */
  sent_at: Defaulted<Instant | null>
  created_at: Generated<Instant>
}

export interface MailVerificationsTable {
  id: string
  customer_id: string
  email: string
  token_sha256: Buffer
  created_at: Generated<Instant>
  expires_at: Instant
  used_at: Defaulted<Instant | null>
}
