import type { AnnouncedField } from '#domain/announcement.ts'
import type { CancelReason, EndReason } from '#domain/cancellation.ts'
import type { BillingInterval, Recurrence } from '#domain/calendar.ts'
import type { ChangeDirection } from '#domain/change-policy.ts'
import type { ChangeRequestState } from '#domain/change-request.ts'
import type { AskedPlan } from '#domain/change.ts'
import type { ExchangeRate } from '#domain/exchange-rate.ts'
import type { OrderChannel } from '#domain/order-hold.ts'
import type { AskedEnvironment } from '#domain/environment.ts'
import type { AskedStart } from '#domain/order-start.ts'
import type { BillingTiming, BillingType } from '#domain/product.ts'
import type { Price } from '#domain/pricing/price.ts'
import type { SubscriptionPhase } from '#domain/subscription.ts'
import type { SubscriptionDefaults } from '#domain/subscription-template.ts'
import type { Terms } from '#domain/terms.ts'
import type { Answers } from '#domain/answers.ts'
import type { WaitingChangeState } from '#domain/waiting-change.ts'
import type {
  CalendarDate,
  DateRange,
  Decimal,
  Defaulted,
  DefaultedJson,
  Generated,
  GeneratedAlways,
  Instant,
  Json,
  NullableJson,
} from './columns.ts'

export interface OrdersTable {
  id: string
  external_id: string | null
  customer_id: string
  test_clock_id: string | null
  currency: string
  channel: OrderChannel
  actor: string
  /** Null for what is a draft, or was one and was not sold. */
  confirmed_at: Instant | null
  cancelled_at: Instant | null
  /** When what it waited for had not come in time. */
  expired_at: Defaulted<Instant | null>
  /** The first day on which a draft cannot be had any more. */
  expires_on: CalendarDate | null
  quote: Json<QuoteTerms> | null
  /** The version of the terms of service that was accepted with it. */
  terms_version: number | null
  terms_accepted_at: Instant | null
  terms_accepted_by: string | null
  created_at: Generated<Instant>
}

/** What a draft was quoted as: what is asked beside its lines, and the totals of that day. */
export interface QuoteTerms {
  readonly starts: AskedStart | null
  readonly purchaseOrderReference: string | null
  readonly discountCode: string | null
  readonly leastAmount: string | null
  readonly greatestAmount: string | null
  readonly hasOwnAnchor: boolean
  /** Left out by quotes of before. */
  readonly environment?: AskedEnvironment | null
  readonly totalNowMinor: number
  readonly totalPerPeriodMinor: number
}

export interface OrderLinesTable {
  id: string
  order_id: string
  position: number
  product_id: string | null
  kit_id: string | null
  quantity: Decimal
  /** Set where the line joined it, instead of making one. */
  subscription_id: string | null
  /** Of the subscription that the line makes. */
  external_id: string | null
  /** Without what is secret. */
  answers: DefaultedJson<Answers>
  agreed: DefaultedJson<SubscriptionDefaults>
  preferred_server_id: Defaulted<string | null>
}

/** Named defaults of subscriptions. */
export interface SubscriptionTemplatesTable {
  id: string
  code: string
  name: string
  defaults: Json<SubscriptionDefaults>
  created_at: Generated<Instant>
}

/** What was said to a draft in secret, sealed: bound to its line and the code of its order field. */
export interface OrderSecretsTable {
  order_line_id: string
  field: string
  key_id: string
  sealed: Buffer
}

export interface SubscriptionsTable {
  id: string
  external_id: string | null
  order_id: string
  order_line_id: string
  customer_id: string
  environment_id: string
  test_clock_id: string | null
  product_id: string | null
  kit_id: string | null
  /** By which version of the kit it was sold. */
  kit_version: number | null
  title: string
  currency: string
  phase: Defaulted<SubscriptionPhase>
  parked_reason: string | null
  activated_at: Instant | null
  starts_on: CalendarDate | null
  cancel_requested_at: Instant | null
  /** In words, and as reports count it. */
  cancel_reason: string | null
  cancel_reason_code: EndReason | null
  ends_on: CalendarDate | null
  /** When usage of its life came after its service had ended, and no bill has looked for it since. */
  late_usage_at: Instant | null
  suspended_reason: string | null
  ended_at: Instant | null
  /** Bounds of what its lines come to in one period, in major units. */
  least_amount: Decimal | null
  greatest_amount: Decimal | null
  /** At which amount of unbilled usage it is invoiced before its period ends. */
  early_invoice_minor: Defaulted<number | null>
  purchase_order_reference: string | null
  /** Its periods are counted from its own first day, on documents of its own. */
  has_own_anchor: Defaulted<boolean>
  term: Json<SubscriptionTerm> | null
  term_ends_on: CalendarDate | null
  /** The first day that is not free. */
  trial_ends_on: Defaulted<CalendarDate | null>
  trial_told_at: Defaulted<Instant | null>
  tags: Defaulted<readonly string[]>
  /** For operators. */
  notes: Defaulted<string | null>
  /** What had ended, and goes on as this one from a backup. */
  reinstated_from_id: Defaulted<string | null>
  /** Nothing of it is charged here. */
  is_billed_elsewhere: Defaulted<boolean>
  created_at: Generated<Instant>
}

/** A fixed term, and what becomes of the subscription at its end. */
export interface SubscriptionTerm {
  readonly length: Recurrence
  readonly renewal: 'renew' | 'end'
  /** How long before the end it must be said that it shall not be renewed. */
  readonly notice: Recurrence
}

export interface SubscriptionPausesTable {
  id: string
  subscription_id: string
  /** The command that cut the lines. */
  request_id: string
  pause_period: DateRange
  reason: string | null
  begun_at: Instant | null
  ended_at: Instant | null
  created_at: Generated<Instant>
}

/** A reason for which a subscription is suspended, until it is lifted. */
export interface SuspensionsTable {
  id: string
  subscription_id: string
  code: string
  reason: string
  set_by: string
  set_at: Instant
  lifted_by: string | null
  lifted_at: Instant | null
}

export interface SubscriptionDocumentsTable {
  id: string
  customer_id: string
  interval_count: number
  interval_unit: BillingInterval['unit']
  currency: string
  billing_cycle_anchor: CalendarDate
  time_zone: string
  test_clock_id: string | null
  purchase_order_reference: string | null
  /** Set where the document is not the customer's common one. */
  own_anchor_on: CalendarDate | null
  /** By which days before its move are counted. */
  former_anchor: Defaulted<CalendarDate | null>
  anchor_moved_on: Defaulted<CalendarDate | null>
  /** While the next period's document stands as a draft: when it is finalized. */
  finalize_on: CalendarDate | null
  next_period_index: Defaulted<number>
  /** The first day of the next period. */
  next_invoice_on: CalendarDate
  /** Days before its periods that its invoices are made. */
  advance_days: Defaulted<number>
  /** On which its next invoice is made, or the draft of it finalized. */
  due_on: GeneratedAlways<CalendarDate>
  parked_reason: string | null
  closed_at: Instant | null
  created_at: Generated<Instant>
}

export interface SubscriptionLinesTable {
  id: string
  first_line_id: string
  subscription_id: string
  document_id: string | null
  product_id: string
  /** By which version of the product it was sold. */
  product_version: number
  instance_id: string | null
  position: number
  billing_type: BillingType
  billing_timing: BillingTiming
  interval_count: number | null
  interval_unit: BillingInterval['unit'] | null
  description: string
  quantity: Decimal
  unit: string
  price: Json<Price>
  /** What differs from the default terms. */
  terms: Json<Partial<Terms>>
  tax_category: Defaulted<string>
  price_list_item_id: string | null
  conversion: NullableJson<ExchangeRate>
  transferred_from_line_id: string | null
  /** The first line of the life that this add-on or option ends with. */
  main_line_id: Defaulted<string | null>
  opened_by: string | null
  closed_by: string | null
  metric: string | null
  limit_code: string | null
  starts_on: CalendarDate | null
  ends_on: CalendarDate | null
  created_at: Generated<Instant>
}

export interface BillingPeriodsTable {
  document_id: string
  period_index: number
  period: DateRange
  invoice_id: string | null
  /** On which its invoice was due; null is its first day. */
  due_on: Defaulted<CalendarDate | null>
  billed_at: Generated<Instant>
}

/** What a command made of lines, and what they were before. */
export interface ReplacedLines {
  readonly ended: readonly {
    readonly id: string
    readonly first_line_id: string
    readonly ends_on: CalendarDate | null
    readonly closed_by: string | null
  }[]
  /** Whole rows: lines that were to begin, and never did. */
  readonly dropped: readonly Record<string, unknown>[]
  readonly opened: readonly { readonly id: string; readonly ends_on: CalendarDate | null }[]
}

export interface SubscriptionCommandsTable {
  subscription_id: string
  request_id: string
  kind: string
  actor: string
  refusal: Json<{ readonly code: string; readonly detail: string }> | null
  replaced: Json<ReplacedLines> | null
  handled_at: Generated<Instant>
}

/** What a command asks that stands in no history: what is agreed with a customer. */
export interface AskedTerms {
  readonly plan?: AskedPlan
  readonly term?: SubscriptionTerm
  readonly cancelReason?: CancelReason
  /** The change request that the command applies. A UUID: it stands in a row, not in a history. */
  readonly changeRequestId?: string
}

export interface CommandNotesTable {
  subscription_id: string
  request_id: string
  actor: string
  reason: string | null
  asked: Json<AskedTerms> | null
  asked_at: Generated<Instant>
}

/** What was asked for, as it was previewed then. Money is net, in minor units. */
export interface ChangeRequestPreview {
  readonly product: string
  readonly from: string
  readonly to: string
  readonly direction: ChangeDirection
  readonly effectiveOn: string
  readonly creditMinor: number
  readonly chargeMinor: number
  readonly currency: string
  /** Null where the instance holds nothing of it. */
  readonly limit: { readonly code: string; readonly from: string; readonly to: string } | null
  /** The first on which it shows, with all that is on it; null when it shows on none. */
  readonly nextInvoice: { readonly on: string; readonly totalMinor: number } | null
}

export interface ChangeRequestsTable {
  id: string
  subscription_id: string
  subscription_line_id: string
  first_line_id: string
  request_id: string
  mode: Terms['upgradeMode']
  asked: Json<AskedPlan>
  message: string | null
  requested_by: string
  preview: Json<ChangeRequestPreview>
  state: Defaulted<ChangeRequestState>
  decided_by: Defaulted<string | null>
  decided_at: Defaulted<Instant | null>
  refused_reason: Defaulted<string | null>
  created_at: Generated<Instant>
}

/** A change to less than is used. What it would leave is a ceiling in the unit of the limit. */
export interface WaitingChangesTable {
  id: string
  subscription_id: string
  first_line_id: string
  request_id: string
  asked: Json<AskedPlan>
  product: string
  from_text: string
  to_text: string
  instance_id: string
  limit_code: string
  ceiling: Decimal
  asked_by: string
  asked_at: Instant
  told_on: CalendarDate
  state: Defaulted<WaitingChangeState>
  decided_by: Defaulted<string | null>
  decided_at: Defaulted<Instant | null>
  refused_reason: Defaulted<string | null>
}

/** What a customer has tried, so that a trial can be given once. */
export interface UsedTrialsTable {
  customer_id: string
  product_id: string
  test_clock_id: string | null
  order_id: string
}

/** What a customer is told of a change, in words. */
export interface AnnouncementsTable {
  id: string
  customer_id: string
  subscription_id: string
  first_line_id: string
  field: AnnouncedField
  old_value: string
  new_value: string
  effective_on: CalendarDate
  request_id: string
  created_at: Generated<Instant>
}
