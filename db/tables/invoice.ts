import type { InvoiceLineExplanation, InvoiceLineKind } from '#domain/invoice/lines.ts'
import type { BillingType } from '#domain/product.ts'
import type { CalendarDate, DateRange, Decimal, Defaulted, Generated, Instant, Json } from './columns.ts'
import type { Seller } from './installation.ts'

export interface Buyer {
  readonly code: string
  readonly name: string
  readonly email: string | null
  readonly address: string | null
}

export interface NumberSeriesTable {
  code: string
  next_number: Defaulted<number>
}

export interface InvoicesTable {
  id: string
  kind: 'invoice' | 'credit_note'
  billing_key: string
  customer_id: string
  document_id: string | null
  subscription_id: string | null
  test_clock_id: string | null
  currency: string
  issued_on: CalendarDate
  due_on: CalendarDate
  net_minor: number
  tax_minor: Defaulted<number>
  total_minor: number
  seller: Json<Seller>
  buyer: Json<Buyer>
  series: string | null
  sequence: number | null
  number: string | null
  finalized_at: Instant | null
  created_at: Generated<Instant>
}

export interface InvoiceLinesTable {
  id: string
  invoice_id: string
  position: number
  kind: InvoiceLineKind
  subscription_line_id: string
  subscription_id: string
  product_id: string
  instance_id: string | null
  usage_window_id: string | null
  description: string
  billing_type: BillingType
  quantity: Decimal
  unit: string
  unit_price: Decimal
  service_period: DateRange | null
  amount_minor: number
  explanation: Json<InvoiceLineExplanation>
}
