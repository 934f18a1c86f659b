import type { CalendarDate, Defaulted, Instant } from './columns.ts'

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
