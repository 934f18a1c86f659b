import type { ApplicationDefinition } from '#domain/application.ts'
import type { BillingTiming, BillingType } from '#domain/product.ts'
import type { Features } from '#domain/feature.ts'
import type { IntervalUnit } from '#domain/calendar.ts'
import type { GridPrice, Price } from '#domain/pricing/price.ts'
import type { MetricLevel, SharedMetric } from '#domain/shared-metric.ts'
import type { MetricAggregation, MetricRule } from '#domain/usage.ts'
import type { Terms } from '#domain/terms.ts'
import type { ProductOption } from '#domain/option.ts'
import type { OrderField } from '#domain/order-field.ts'
import type {
  CalendarDate,
  DateRange,
  Decimal,
  Defaulted,
  DefaultedJson,
  Generated,
  Instant,
  Json,
  NullableJson,
} from './columns.ts'

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
  /** Text of what the compose file mounts or reads, by path. */
  files: DefaultedJson<Readonly<Record<string, string>>>
  /** A data URL of a PNG or JPEG. */
  icon: Defaulted<string | null>
  created_at: Generated<Instant>
}

export interface ApplicationPermissionsTable {
  application_id: string
  permission: string
  reason: string
  granted_by: string
  granted_at: Generated<Instant>
}

/** Defined once by an operator; what it measures never changes. */
export interface MetricsTable {
  id: string
  code: string
  title: string
  unit: string
  kind: SharedMetric['kind']
  aggregation: MetricAggregation
  percent: Decimal | null
  bucket_seconds: number | null
  rounding: NullableJson<NonNullable<MetricRule['rounding']>>
  level: MetricLevel
  /** Type of the one source that may give it, or `pushed`; null: as each application says. */
  source_type: string | null
  needs_history: boolean
  archived_at: Instant | null
  created_at: Generated<Instant>
}

/** What a product is whatever its versions say. */
export interface ProductsTable {
  id: string
  code: string
  external_id: string | null
  variant_of_id: string | null
  is_hidden: Defaulted<boolean>
  archived_at: Instant | null
  created_at: Generated<Instant>
}

/** What a product says from a day on; a row never changes. */
export interface ProductVersionsTable {
  product_id: string
  version: number
  /** Null for the first, which holds for every day before the others. */
  effective_on: CalendarDate | null
  name: string
  billing_type: BillingType
  billing_timing: BillingTiming
  recurrence_count: number | null
  recurrence_unit: IntervalUnit | null
  unit: string
  price: Json<Price>
  /** What differs from the default terms. */
  terms: Json<Partial<Terms>>
  category: string | null
  attributes: Json<Readonly<Record<string, string>>>
  tax_category: Defaulted<string>
  currency: string
  metric: string | null
  limit_code: string | null
  /** The attribute whose value is the quantity that one of it sells. */
  quantity_attribute: string | null
  features: DefaultedJson<Features>
  options: DefaultedJson<readonly ProductOption[]>
  order_fields: DefaultedJson<readonly OrderField[]>
  created_at: Generated<Instant>
}

/** A product without a row is sold by itself. */
export interface AddOnsTable {
  product_id: string
  main_product_id: string
}

export interface StocksTable {
  product_id: string
  /** Null: as many as are asked for. */
  quantity: Decimal | null
  taken_quantity: Defaulted<Decimal>
  limit_per_customer: Decimal | null
  is_returned: Defaulted<boolean>
}

export interface StockTakingsTable {
  id: string
  product_id: string
  customer_id: string
  subscription_id: string
  quantity: Decimal
  returned_at: Instant | null
  created_at: Generated<Instant>
}

export interface ProductApplicationsTable {
  product_id: string
  version: number
  application_id: string
}

export interface KitsTable {
  id: string
  code: string
  is_hidden: Defaulted<boolean>
  archived_at: Instant | null
  created_at: Generated<Instant>
}

/** What a kit is made of from a day on; a row never changes. */
export interface KitVersionsTable {
  kit_id: string
  version: number
  /** Null for the first, which holds for every day before the others. */
  effective_on: CalendarDate | null
  name: string
  /** Whose price replaces those of its flat and threshold components. */
  price_product_id: string | null
  created_at: Generated<Instant>
}

export interface BillOfMaterialsTable {
  kit_id: string
  version: number
  position: number
  component_product_id: string | null
  component_kit_id: string | null
  quantity: Decimal
  sequence: number
}

/** Base price less a percentage, plus a surcharge, to a step, within bounds (decimals in major units). */
export interface PriceFormula {
  readonly discountPercent?: string
  readonly surcharge?: string
  readonly step?: string
  readonly least?: string
  readonly greatest?: string
}

export interface PriceListsTable {
  id: string
  code: string
  name: string
  currency: string
  base_price_list_id: string | null
  allows_conversion: Defaulted<boolean>
  archived_at: Instant | null
  created_at: Generated<Instant>
}

export interface PriceListItemsTable {
  id: string
  price_list_id: string
  product_id: string | null
  minimum_quantity: Defaulted<Decimal>
  /** Null: the list's. */
  currency: string | null
  /** One of price, discount_percent and formula. */
  price: Json<Price> | null
  discount_percent: Decimal | null
  formula: Json<PriceFormula> | null
  customer_id: string | null
  category: string | null
  attribute_name: string | null
  attribute_value: string | null
  season_from: string | null
  season_until: string | null
  valid_in: Defaulted<DateRange>
  created_at: Generated<Instant>
}

export interface PriceGridsTable {
  /** Of an application, or of one instance. */
  application_id: string | null
  instance_id: string | null
  currency: string
  price: Json<GridPrice>
  starts_on: string
  created_at: Generated<Instant>
}

export interface TaxRatesTable {
  id: string
  country: string
  region: string | null
  category: Defaulted<string>
  name: string
  rate_percent: Decimal
  valid_in: Defaulted<DateRange>
  created_at: Generated<Instant>
}

export interface ExchangeRatesTable {
  id: string
  base: string
  quote: string
  rate: Decimal
  source: string
  valid_on: CalendarDate
  created_at: Generated<Instant>
}

export interface DiscountsTable {
  id: string
  code: string | null
  name: string
  percent: Decimal | null
  amount_minor: number | null
  currency: string | null
  scope: 'line' | 'document'
  product_id: string | null
  period_count: number | null
  valid_in: Defaulted<DateRange>
  maximum_uses: number | null
  use_count: Defaulted<number>
  is_once_per_customer: Defaulted<boolean>
  archived_at: Instant | null
  created_at: Generated<Instant>
}

export interface AppliedDiscountsTable {
  id: string
  discount_id: string
  customer_id: string
  subscription_id: string | null
  valid_in: DateRange
  created_at: Generated<Instant>
}
