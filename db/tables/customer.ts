import type { PaymentTerms } from '#domain/payment-terms.ts'
import type { TaxServiceAnswer } from '#domain/tax-service.ts'
import type { CalendarDate, DateRange, Defaulted, Generated, Instant, Json, NullableJson } from './columns.ts'

export interface TestClocksTable {
  id: string
  number: Generated<number>
  name: string
  now_at: Instant
  target_at: Instant | null
  created_at: Generated<Instant>
}

export interface CustomersTable {
  id: string
  code: string
  /** By which another system knows it. */
  external_id: string | null
  name: string
  email: string | null
  address: string | null
  currency: string
  time_zone: string
  price_list_id: string | null
  country: string | null
  region: string | null
  is_business: Defaulted<boolean>
  tax_id: string | null
  tax_id_verified_at: Instant | null
  tax_exemption: string | null
  language: Defaulted<string>
  buyer_reference: string | null
  /** Printed on each document. */
  invoice_note: string | null
  /** Null: the seller's. */
  payment_terms: NullableJson<PaymentTerms>
  splits_by_purchase_order: Defaulted<boolean>
  /** Who pays for the customer; null: the customer. */
  payer_id: string | null
  /** When somebody showed that the mail address is the customer's own. */
  mail_verified_at: Defaulted<Instant | null>
  created_at: Generated<Instant>
}

export interface TaxIdChecksTable {
  id: string
  customer_id: string
  tax_id: string
  answer: 'valid' | 'invalid' | 'unreachable'
  consultation_number: string | null
  registered_name: string | null
  failure: string | null
  checked_at: Instant
}

interface TaxFactsColumns {
  id: string
  seller_country: string
  buyer_country: string
  buyer_region: string | null
  is_business: boolean
  is_tax_id_verified: boolean
  product_category: string
}

/** What an outside tax service answered. */
export interface TaxAnswersTable extends TaxFactsColumns {
  valid_in: DateRange
  decision: Json<TaxServiceAnswer['decision']>
  source: string
  answered_at: Instant
}

/** What waits for its answer. */
export interface TaxQuestionsTable extends TaxFactsColumns {
  on_date: CalendarDate
  asked_since: Instant
  attempts: Defaulted<number>
  next_try_at: Instant
  last_error: string | null
}

export interface CustomerBalancesTable {
  customer_id: string
  currency: string
  test_clock_id: string | null
  amount_minor: number
}

export interface EnvironmentsTable {
  id: string
  customer_id: string
  /** Name and prefix are unique among those that are not released. */
  name: string
  prefix: string
  is_default: Defaulted<boolean>
  /** By which it was made, where an order asked for it. */
  order_id: string | null
  /** Its order came to nothing: name and prefix are free again. */
  released_at: Instant | null
  created_at: Generated<Instant>
}

/** Names that open drafts hold until an instant of the clock they live by. */
export interface ReservedNamesTable {
  kind: 'name' | 'prefix'
  value: string
  order_id: string
  expires_at: Instant
}
