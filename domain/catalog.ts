import type { ApplicationDefinition } from './application.ts'
import { atField, fieldError } from './errors.ts'
import { canHold } from './limit-hold.ts'
import { currencyExponent } from './money.ts'
import { definedAsPushed, isPushed, type SharedMetric } from './shared-metric.ts'
import type { Price } from './pricing/price.ts'
import type { BillingTiming, BillingType } from './product.ts'
import { defaultTerms, type Terms } from './terms.ts'
import { checkConvertible, getUnit } from './unit.ts'
import { checkVariant } from './variant.ts'

/** What is decided about a product before it is saved. */
export interface ProposedProduct {
  readonly billingType: BillingType
  readonly billingTiming: BillingTiming
  readonly isRecurring: boolean
  readonly unit: string
  readonly currency: string
  readonly metric: string | null
  readonly limitCode: string | null
  readonly terms?: Pick<Partial<Terms>, 'enforcement'>
  readonly attributes: Readonly<Record<string, string>>
  readonly quantityAttribute: string | null
  readonly basePrice: Price
}

/**
 * Refuses a product that could not be billed or built: usage is metered, recurs and is billed in arrears; a metric is in a
 * unit that converts into the product's; metric and limit are declared by one of the applications that it builds.
 * @param shared the metric of that code that is defined for all, where there is one
 * @throws `field_invalid`, `billing_timing_invalid`, `recurrence_invalid`, `metric_unknown`, `limit_unknown`, `limit_not_enforceable`, `unit_unknown`,
 *   `unit_not_convertible`, `currency_unknown`, and what `checkVariant` refuses, each with the pointer of its field
 */
export function checkProduct(
  product: ProposedProduct,
  applications: readonly ApplicationDefinition[],
  shared?: SharedMetric,
): void {
  atField('/currency', () => currencyExponent(product.currency))
  atField('/unit', () => getUnit(product.unit))
  if (product.billingType === 'usage') checkUsage(product)
  else checkUnmetered(product)
  if (product.billingType !== 'threshold' && product.limitCode !== null) {
    throw fieldError('/limit', 'field_invalid', `A ${product.billingType} product sets no limit.`)
  }
  checkVariant(product)
  checkMetric(product, applications, shared)
  checkLimit(product, applications)
}

function checkUnmetered({ billingType, metric, basePrice }: ProposedProduct): void {
  if (metric !== null)
    throw fieldError('/metric', 'field_invalid', `A ${billingType} product is not metered.`)
  if (basePrice.model === 'percentage' || basePrice.model === 'graduated_percentage') {
    const detail = 'A percentage is of a value that is metered: it needs the billing type usage.'
    throw fieldError('/price/model', 'field_invalid', detail)
  }
}

function checkUsage(product: ProposedProduct): void {
  if (product.billingTiming !== 'arrears') {
    throw fieldError('/billing_timing', 'billing_timing_invalid', 'Usage is always billed in arrears.')
  }
  if (!product.isRecurring) {
    throw fieldError('/recurrence', 'recurrence_invalid', 'Usage is billed by period: it needs a recurrence.')
  }
  if (product.metric === null) {
    throw fieldError('/metric', 'field_required', 'Usage needs the metric that it bills.')
  }
}

/**
 * A metric that no application reads is pushed from outside. Where it is defined for all it is in the unit of that, else in the
 * product's own; one that is defined as read needs an application that reads it.
 */
function checkMetric(
  product: ProposedProduct,
  applications: readonly ApplicationDefinition[],
  shared: SharedMetric | undefined,
): void {
  const metrics = [
    ...applications.flatMap((application) => application.metrics),
    ...(shared && isPushed(shared) ? [definedAsPushed(shared)] : []),
  ]
  const metric = metrics.find(({ code }) => code === product.metric)
  if (product.metric === null || (applications.length === 0 && shared === undefined)) return
  if (!metric) {
    const known = metrics.map(({ code }) => code).join(', ') || 'none'
    throw fieldError(
      '/metric',
      'metric_unknown',
      `The product builds no application that reads ${product.metric}: ${known}.`,
    )
  }
  atField('/unit', () => checkConvertible(metric.unit, product.unit))
}

function checkLimit(product: ProposedProduct, applications: readonly ApplicationDefinition[]): void {
  const { enforcement = defaultTerms.enforcement } = product.terms ?? {}
  if (product.limitCode === null) return
  const limits = applications.flatMap((application) => application.limits)
  const limit = limits.find(({ code }) => code === product.limitCode)
  if (!limit) {
    const known = limits.map(({ code }) => code).join(', ') || 'none'
    const detail = `The applications declare no limit ${product.limitCode}: ${known}.`
    throw fieldError('/limit', 'limit_unknown', detail)
  }
  if (!canHold(limit, enforcement)) {
    const possible = (['hard', 'throttle', 'soft'] as const).filter((one) => canHold(limit, one))
    const detail = `The application states no way to hold ${limit.code} ${enforcement}; it can be sold ${possible.join(' or ')}.`
    throw fieldError('/terms/enforcement', 'limit_not_enforceable', detail)
  }
  if ('resource' in limit && limit.resource === 'memory')
    atField('/unit', () => checkConvertible('MiB', product.unit))
  const metric = applications
    .flatMap(({ metrics }) => metrics)
    .find(({ code }) => 'metric' in limit && code === limit.metric)
  if (metric) atField('/unit', () => checkConvertible(metric.unit, product.unit))
}
