import type { CalendarDate, Decimal, Defaulted, Instant } from './columns.ts'

/** Who bills us: a peer, or somebody whose documents are recorded here. */
export interface SuppliersTable {
  id: string
  code: string
  name: string
  /** The installation that sends its documents, where one does. */
  peer_id: string | null
  currency: string
  tax_id: Defaulted<string | null>
  created_at: Defaulted<Instant>
}

/** Money that we paid to a supplier. */
export interface SupplierPaymentsTable {
  id: string
  supplier_id: string
  currency: string
  /** The sum of what it pays. */
  amount_minor: number
  paid_on: CalendarDate
  reference: string | null
  actor: string
  recorded_at: Instant
}

export interface SupplierPaymentReversalsTable {
  payment_id: string
  reason: string
  actor: string
  reversed_at: Instant
}

/** What was set against a supplier invoice: a payment, or a credit note. */
export interface SupplierAllocationsTable {
  id: string
  supplier_invoice_id: string
  payment_id: string | null
  credit_note_id: string | null
  amount_minor: number
  allocated_at: Instant
}

/** What expenses are counted as. */
export interface ExpenseCategoriesTable {
  id: string
  code: string
  name: string
  /** Of our own chart of accounts. */
  account: string | null
  archived_at: Defaulted<Instant | null>
  created_at: Defaulted<Instant>
}

/** By which of its names a supplier's line is of a category. */
export interface ExpenseMappingsTable {
  supplier_id: string
  matches: 'product_code' | 'description'
  value: string
  expense_category_id: string
  agreed_by: string
  agreed_at: Instant
}

/** The tax code of our books for a category and rate of a supplier. */
export interface SupplierTaxCodesTable {
  supplier_id: string
  tax_category: string
  rate_percent: Decimal
  tax_code: string
  agreed_by: string
  agreed_at: Instant
}

/** What a line of a supplier pays for: a server, a subscription of ours, or a product, exactly one. */
export interface CostRulesTable {
  supplier_id: string
  matches: 'subscription' | 'product_code' | 'description'
  value: string
  server_id: string | null
  subscription_id: string | null
  product_id: string | null
  set_by: string
  set_at: Instant
}

/** What a supplier bills every month, from a day on. */
export interface SupplierSubscriptionsTable {
  id: string
  supplier_id: string
  name: string
  /** About what it comes to, net, in the supplier's currency. */
  amount_minor: number | null
  /** The very text by which the supplier names its line. */
  line_text: string | null
  begins_on: CalendarDate
  /** Half-open. */
  ends_on: CalendarDate | null
  grace_days: number
  recorded_by: string
  created_at: Defaulted<Instant>
}

/** The invoice of a month that had not come in time: what its task is about. */
export interface MissingSupplierInvoicesTable {
  id: string
  supplier_subscription_id: string
  expected_on: CalendarDate
  missed_at: Instant
}

/** The file that a supplier invoice was read from, as it came. */
export interface SupplierUploadsTable {
  supplier_invoice_id: string
  media_type: 'application/xml'
  sha256: Buffer
  content: Buffer
}
