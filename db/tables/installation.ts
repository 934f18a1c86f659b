import type { AnnouncedField } from '#domain/announcement.ts'
import type { DataSourceKind } from '#domain/data-source.ts'
import type { MailVerification, ReviewRules } from '#domain/order-hold.ts'
import type { PaymentTerms } from '#domain/payment-terms.ts'
import type { TermsRequired } from '#domain/service-terms.ts'
import type { ColumnType } from 'kysely'
import type { Defaulted, Generated, Instant, Json, NullableJson } from './columns.ts'

export interface Seller {
  readonly name: string
  readonly address: string
  readonly taxId: string | null
  /** Two letters of ISO 3166; without it no tax is determined. */
  readonly country?: string
  readonly registration?: string
  readonly email?: string
  /** Lines of documents stand below the name of their subscription, or the purchase order that it was ordered with. */
  readonly sections?: 'subscription' | 'purchase_order'
  readonly bankAccount?: { readonly iban: string; readonly bic: string; readonly name: string }
}

/** How each kind of document is numbered: `{series}-{year}-{number:5}` begins anew each year. */
export interface NumberPatterns {
  readonly invoice: { readonly series: string; readonly pattern: string }
  readonly credit_note: { readonly series: string; readonly pattern: string }
}

export interface InstallationTable {
  id: string
  is_only: Generated<boolean>
  seller: Json<Seller>
  currency: string
  time_zone: string
  payment_terms_days: Defaulted<number>
  /** In the place of the days, where something else is agreed. */
  payment_terms: NullableJson<PaymentTerms>
  settlement_window_seconds: Defaulted<number>
  sampling_interval_seconds: Defaulted<number>
  prices_include_tax: Defaulted<boolean>
  states_tax_in_own_currency: Defaulted<boolean>
  tax_rounding: Defaulted<'document' | 'line'>
  tax_determination: Defaulted<'table' | 'service'>
  recurrence_starts: Defaulted<'confirmation' | 'first_invoice' | 'activation'>
  draft_days: Defaulted<number>
  usage_late_days: Defaulted<number>
  usage_early_seconds: Defaulted<number>
  announced_fields: Defaulted<readonly AnnouncedField[]>
  advance_days: Defaulted<number>
  skips_zero_invoices: Defaulted<boolean>
  unpaid_order_days: Defaulted<number>
  unbuilt_payments: Defaulted<'balance' | 'refund'>
  mail_verification: Defaulted<MailVerification>
  review_rules: ColumnType<ReviewRules, string | undefined, string>
  backup_retention_days: Defaulted<number>
  reservation_minutes: Defaulted<number>
  /** A server that was not seen for so long is out of reach. */
  server_silence_seconds: Defaulted<number>
  terms_required: Defaulted<TermsRequired>
  number_patterns: ColumnType<NumberPatterns, string | undefined, string>
  demo_seeded_at: Instant | null
  created_at: Generated<Instant>
}

/** What customers accept with an order, version by version. */
export interface ServiceTermsTable {
  version: number
  text: string | null
  url: string | null
  published_at: Instant
  created_at: Generated<Instant>
}

export interface DataSourcesTable {
  id: string
  code: string
  kind: DataSourceKind
  host: string
  port: number
  /** Null for what has none: an index is named by each query. */
  database_name: string | null
  username: string
  has_tls: boolean
  /** In PEM; null: as the system trusts. */
  certificate_authority: string | null
  key_id: string
  sealed: Buffer
  set_at: Instant
  /** The name of a key or an operator. */
  set_by: string
  created_at: Generated<Instant>
}

export interface RegistriesTable {
  id: string
  host: string
  username: string
  key_id: string
  sealed: Buffer
  set_at: Instant
  /** The name of a key or an operator. */
  set_by: string
  created_at: Generated<Instant>
}
