import type { ApplicationDefinition } from '#domain/application.ts'
import type { BillingTiming, BillingType } from '#domain/product.ts'
import type { IntervalUnit } from '#domain/calendar.ts'
import type { DateRange, Decimal, Defaulted, Generated, Instant } from './columns.ts'

export interface ApplicationsTable {
  id: string
  code: string
  title: string
  created_at: Generated<Instant>
  archived_at: Instant | null
}

export interface ApplicationVersionsTable {
  id: string
  application_id: string
  version: number
  compose: string
  compose_sha256: string
  definition: ApplicationDefinition
  created_at: Generated<Instant>
}

export interface ProductsTable {
  id: string
  code: string
  name: string
  billing_type: BillingType
  billing_timing: BillingTiming
  recurrence_count: number | null
  recurrence_unit: IntervalUnit | null
  unit: string
  base_price: Decimal
  currency: string
  metric: string | null
  limit_code: string | null
  archived_at: Instant | null
  created_at: Generated<Instant>
}

export interface ProductApplicationsTable {
  product_id: string
  application_id: string
}

export interface KitsTable {
  id: string
  code: string
  name: string
  archived_at: Instant | null
  created_at: Generated<Instant>
}

export interface BillOfMaterialsTable {
  kit_id: string
  position: number
  component_product_id: string | null
  component_kit_id: string | null
  quantity: Decimal
  sequence: number
}

export interface PriceListsTable {
  id: string
  code: string
  name: string
  currency: string
  created_at: Generated<Instant>
}

export interface PriceListItemsTable {
  id: string
  price_list_id: string
  product_id: string | null
  minimum_quantity: Defaulted<Decimal>
  unit_price: Decimal | null
  discount_percent: Decimal | null
  valid_in: Defaulted<DateRange>
  created_at: Generated<Instant>
}
