import type { Defaulted, Generated, Instant } from './columns.ts'

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
  name: string
  email: string | null
  address: string | null
  currency: string
  time_zone: string
  price_list_id: string | null
  created_at: Generated<Instant>
}

export interface EnvironmentsTable {
  id: string
  customer_id: string
  prefix: string
  is_default: Defaulted<boolean>
  created_at: Generated<Instant>
}
