import type { Defaulted, Generated, Instant, Json } from './columns.ts'

export interface Seller {
  readonly name: string
  readonly address: string
  readonly taxId: string | null
}

export interface InstallationTable {
  id: string
  is_only: Generated<boolean>
  seller: Json<Seller>
  currency: string
  time_zone: string
  payment_terms_days: Defaulted<number>
  settlement_window_seconds: Defaulted<number>
  sampling_interval_seconds: Defaulted<number>
  demo_seeded_at: Instant | null
  created_at: Generated<Instant>
}
