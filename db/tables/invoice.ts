import type { InvoiceFileKind } from '#domain/invoice-file.ts'
import type { InvoiceLineExplanation } from '#domain/invoice/explanation.ts'
import type { InvoiceLineKind } from '#domain/invoice/lines.ts'
import type { StatedTax } from '#domain/invoice/stated-tax.ts'
import type { Instalment } from '#domain/payment-terms.ts'
import type { Price } from '#domain/pricing/price.ts'
import type { BillingType } from '#domain/product.ts'
import type { ColumnType } from 'kysely'
import type {
  CalendarDate,
  DateRange,
  Decimal,
  Defaulted,
  Generated,
  Instant,
  Json,
  NullableJson,
} from './columns.ts'
import type { Seller } from './installation.ts'

export interface Buyer {
  readonly code: string
  readonly name: string
  readonly email: string | null
  readonly address: string | null
  readonly country?: string | null
  readonly taxId?: string | null
  /** What else the tax was decided by, of what is so. */
  readonly region?: string
  readonly isBusiness?: true
  readonly taxIdVerifiedAt?: string
  readonly taxExemption?: string
  readonly language?: string
  readonly reference?: string | null
  /** What the seller writes to this buyer on each document. */
  readonly note?: string
}

export interface NumberSeriesTable {
  code: string
  next_number: Defaulted<number>
  last_hash: Buffer | null
  last_issued_on: CalendarDate | null
}

export interface InvoicesTable {
  id: string
  kind: 'invoice' | 'credit_note'
  billing_key: string
  /** Who pays. */
  customer_id: string
  /** For whom, where it is somebody else. */
  served_customer_id: string | null
  document_id: string | null
  subscription_id: string | null
  test_clock_id: string | null
  currency: string
  issued_on: CalendarDate
  /** The last day of instalments. */
  due_on: CalendarDate
  /** Null where all is due on one day. */
  instalments: NullableJson<readonly Instalment[]>
  net_minor: number
  tax_minor: Defaulted<number>
  total_minor: number
  seller: Json<Seller>
  buyer: Json<Buyer>
  series: string | null
  sequence: number | null
  number: string | null
  finalized_at: Instant | null
  /** Where it is of nothing and was never sent. */
  skipped_at: Defaulted<Instant | null>
  revision: Defaulted<number>
  reissue_of_id: string | null
  /** The invoice that a credit note corrects. */
  corrects_id: string | null
  /** When a draft is finalized by itself. */
  finalize_on: CalendarDate | null
  are_prices_inclusive: Defaulted<boolean>
  tax_rounding: Defaulted<'document' | 'line'>
  purchase_order_reference: string | null
  /** In the seller's currency, where it is another one and the law asks for it. */
  stated_tax: NullableJson<StatedTax>
  previous_hash: Buffer | null
  hash: Buffer | null
  created_at: Generated<Instant>
}

export interface InvoiceLinesTable {
  id: string
  invoice_id: string
  position: number
  kind: InvoiceLineKind
  subscription_line_id: string | null
  subscription_id: string | null
  product_id: string | null
  instance_id: string | null
  usage_window_id: string | null
  description: string
  billing_type: BillingType
  quantity: Decimal
  unit: string
  /** Null where the price has no single one. */
  unit_price: Decimal | null
  service_period: DateRange | null
  /** As priced: before discounts, and with tax where prices include it. */
  rated_minor: number
  discount_minor: Defaulted<number>
  /** Net of discounts and tax. */
  amount_minor: number
  tax_category: Defaulted<string>
  tax_rate_percent: Defaulted<Decimal>
  tax_minor: Defaulted<number>
  revision: Defaulted<number>
  one_off_charge_id: string | null
  credits_line_id: string | null
  /** Its description stands alone. */
  is_text: Defaulted<boolean>
  explanation: Json<InvoiceLineExplanation>
}

export interface InvoiceTaxesTable {
  invoice_id: string
  position: number
  category: string
  name: string
  rate_percent: Decimal
  base_minor: number
  tax_minor: number
  note: string | null
}

export interface OneOffChargesTable {
  id: string
  customer_id: string
  subscription_id: string | null
  test_clock_id: string | null
  product_id: string | null
  currency: string
  description: string
  quantity: Decimal
  unit: string
  price: Json<Price>
  tax_category: Defaulted<string>
  reference: string | null
  charged_on: CalendarDate
  /** Of price 0: it says something and charges nothing. */
  is_text: Defaulted<boolean>
  withdrawn_at: Instant | null
  created_at: Generated<Instant>
}

export interface AllocationsTable {
  id: string
  invoice_id: string
  kind: 'balance' | 'credit_note' | 'payment'
  credit_note_id: string | null
  amount_minor: number
  reference: string | null
  allocated_at: Instant
  created_at: Generated<Instant>
}

export interface InvoiceMarksTable {
  id: string
  invoice_id: string
  kind: 'void' | 'uncollectible'
  reason: string
  actor: string
  marked_at: Instant
  ended_at: Instant | null
}

export interface InvoiceFilesTable {
  invoice_id: string
  kind: InvoiceFileKind
  /** In which it is printed; what machines read has none. */
  language: string | null
  sha256: Buffer
  content: Buffer
  made_at: Generated<Instant>
}

export interface BillingRunsTable {
  id: string
  workflow_id: string
  billed_at: Instant
  considered: Defaulted<number>
  billed: Defaulted<number>
  waiting: Defaulted<number>
  parked: Defaulted<number>
  totals: ColumnType<Readonly<Record<string, number>>, string | undefined, string>
  started_at: Generated<Instant>
  finished_at: Instant | null
}

export interface BillingRunExceptionsTable {
  billing_run_id: string
  document_id: string
  outcome: 'waiting' | 'parked'
  reason: string
}
