import Big from 'big.js'
import { billingInterval, compareDates, dateIn, type BillingInterval } from '#domain/calendar.ts'
import {
  decideChange,
  periodEndAfter,
  priceForInterval,
  type AskedPlan,
  type DecidedChange,
  type Plan,
} from '#domain/change.ts'
import { atField, BusinessError, fieldError } from '#domain/errors.ts'
import type { ExchangeRate } from '#domain/exchange-rate.ts'
import type { Catalog, CatalogProduct } from '#domain/order.ts'
import { agreePrice, type PriceList } from '#domain/pricing/price-list.ts'
import type { Price } from '#domain/pricing/price.ts'
import { defaultTerms } from '#domain/terms.ts'
import { checkVariantQuantity, quantityOnChange } from '#domain/variant.ts'
import { readCatalog, readPriceLists, readProductVersion } from './catalog.ts'
import type { Db } from './database.ts'
import { refuseChangeElsewhere } from './deployment.ts'
import { listLinesAfter, type LineRow } from './line-change.ts'
import { toCycling } from './subscription-documents.ts'
import type { Subscription } from './subscription.ts'

/** A line, and what it shall become. */
export interface AskedChange extends AskedPlan {
  readonly subscriptionLineId: string
}

export interface ReadChange {
  /** In force today. */
  readonly line: LineRow
  /** It and what follows it. */
  readonly lines: readonly LineRow[]
  readonly product: CatalogProduct
  readonly target: CatalogProduct
  readonly wanted: Plan
  readonly priceListItemId: string | null
  readonly conversion: ExchangeRate | null
  readonly decided: DecidedChange
}

/** Reads what a change is decided from, and decides it: preview and command decide alike. */
export async function readChange(
  db: Db,
  subscription: Subscription,
  change: AskedChange & { now: string },
): Promise<ReadChange> {
  const today = dateIn(subscription.time_zone, change.now)
  const lines = await readLife(db, subscription, { lineId: change.subscriptionLineId, today })
  const [line] = lines
  if (!line || compareDates(line.starts_on, today) > 0)
    throw new BusinessError('action_not_allowed', 'The line is not in force; there is nothing to change.')
  const product = await readProductVersion(db, { productId: line.product_id, version: line.product_version })
  const target =
    change.productId === undefined
      ? product
      : findTarget(await readCatalog(db, today), product, change.productId)
  const quantity = askedQuantity(change, { line, product, target })
  const agree = await readPricing(db, subscription, { line, target, change, quantity })
  const current = planOf(line, product)
  const todays = agree(today)
  const wanted = { ...wantedPlan(change, { line, product, target, quantity }), price: todays.price }
  const terms = { ...defaultTerms, ...line.terms }
  const periodEnd = await readPeriodEnd(db, line, today)
  const decided = decideChange({ ...current, terms }, wanted, { today, periodEnd, startsOn: change.startsOn })
  await refuseChangeElsewhere(db, line, {
    productId: target.id,
    productCode: target.code,
    quantity: wanted.quantity,
  })
  if (change.quantity !== undefined) checkVariantQuantity(target, new Big(quantity), '/quantity')
  const agreed = agree(decided.effectiveOn)
  return { line, lines, product, target, decided, wanted: { ...wanted, price: agreed.price }, priceListItemId: agreed.priceListItemId, conversion: agreed.conversion } // prettier-ignore
}

/** The lines of one life from the one that is in force on. @throws `not_found` */
export async function readLife(
  db: Db,
  subscription: Subscription,
  { lineId, today }: { lineId: string; today: string },
): Promise<LineRow[]> {
  const asked = await db
    .selectFrom('subscription_lines')
    .select('first_line_id')
    .where('id', '=', lineId)
    .where('subscription_id', '=', subscription.id)
    .executeTakeFirst()
  if (!asked) throw new BusinessError('not_found', 'The subscription has no such line.')
  const lines = await listLinesAfter(db, subscription.id, today)
  return lines.filter((line) => line.first_line_id === asked.first_line_id)
}

/**
 * The product that is asked for, as it is sold on the day: one that names its own product moves the line to its version.
 * @throws `product_unknown`, `product_archived`, `change_not_allowed`
 */
function findTarget(catalog: Catalog, product: CatalogProduct, id: string): CatalogProduct {
  const target = catalog.products.get(id)
  if (!target) throw fieldError('/product', 'product_unknown', 'There is no such product.')
  if (target.id === product.id && target.version === product.version) return target
  if (target.isArchived)
    throw fieldError('/product', 'product_archived', `${target.code} is archived and cannot be sold.`)
  const isBuilt = target.applicationIds.some((application) => !product.applicationIds.includes(application))
  if (isBuilt) {
    const detail = `${target.code} builds an application of its own; order it, then cancel this subscription.`
    throw fieldError('/product', 'change_not_allowed', detail)
  }
  return target
}

/** In the unit of the line; of what was metered, one. */
function askedQuantity(
  change: AskedChange,
  { line, product, target }: { line: LineRow; product: CatalogProduct; target: CatalogProduct },
): string {
  if (change.quantity !== undefined) return change.quantity
  const kept = new Big(line.billing_type === 'usage' ? 1 : line.quantity)
  return quantityOnChange(product, target, kept).toFixed()
}

function wantedPlan(
  change: AskedChange,
  asked: { line: LineRow; product: CatalogProduct; target: CatalogProduct; quantity: string },
): Omit<Plan, 'price'> {
  const { line, product, target, quantity } = asked
  const isMetered = target.billingType === 'usage'
  const isSameMetered = isMetered && target.id === product.id
  return {
    productCode: target.code,
    version: target.version,
    billingType: target.billingType,
    interval: wantedInterval(change, line, target),
    quantity: isSameMetered ? (change.quantity ?? line.quantity) : isMetered ? '0' : quantity,
    unit: target.unit,
  }
}

function wantedInterval(
  { recurrence, productId }: AskedChange,
  line: LineRow,
  target: CatalogProduct,
): BillingInterval | null {
  if (recurrence !== undefined) return billingInterval(recurrence)
  return productId === undefined ? intervalOf(line) : target.recurrence && billingInterval(target.recurrence)
}

export function intervalOf({ interval_count: count, interval_unit: unit }: LineRow): BillingInterval | null {
  return count === null || unit === null ? null : { count, unit }
}

export function planOf(line: LineRow, product: CatalogProduct): Plan {
  return {
    productCode: product.code,
    version: product.version,
    billingType: line.billing_type,
    interval: intervalOf(line),
    quantity: line.quantity,
    unit: line.unit,
    price: line.price,
  }
}

/**
 * The price on a day: the one that a person agreed, else that of the product as asked, else the line's own. Another interval
 * costs as much a month.
 */
async function readPricing(
  db: Db,
  subscription: Subscription,
  asked: { line: LineRow; target: CatalogProduct; change: AskedChange; quantity: string },
): Promise<(on: string) => Pick<ReadChange, 'priceListItemId' | 'conversion'> & { price: Price }> {
  const { line, target, change, quantity } = asked
  const { price, productId, recurrence } = change
  if (price !== undefined) return () => ({ price, priceListItemId: null, conversion: null })
  const of =
    productId === undefined ? intervalOf(line) : target.recurrence && billingInterval(target.recurrence)
  const to = recurrence && billingInterval(recurrence)
  const forInterval = (agreed: Price) => (of && to ? priceForInterval(agreed, of, to) : agreed)
  if (productId === undefined) {
    const { price_list_item_id: priceListItemId, conversion } = line
    const own = { price: forInterval(line.price), priceListItemId, conversion }
    return () => own
  }
  const lists = await readCustomerLists(db, subscription.customer_id, subscription.currency)
  return (on) => {
    const request = { ...lists, customerId: subscription.customer_id, currency: subscription.currency }
    const agreed = atField('/product', () => agreePrice(target, { ...request, quantity, on }))
    const { priceListItemId, conversion = null } = agreed
    return { price: forInterval(agreed.price), priceListItemId, conversion }
  }
}

export async function readCustomerLists(
  db: Db,
  customerId: string,
  currency: string,
): Promise<{ priceList: PriceList | null; otherLists: ReadonlyMap<string, PriceList> }> {
  const { price_list_id: id } = await db
    .selectFrom('customers')
    .select('price_list_id')
    .where('id', '=', customerId)
    .executeTakeFirstOrThrow()
  const otherLists = await readPriceLists(db, id === null ? [] : [id], [currency])
  return { priceList: otherLists.get(id ?? '') ?? null, otherLists }
}

export async function readPeriodEnd(db: Db, line: LineRow, today: string): Promise<string> {
  const interval = intervalOf(line)
  if (interval === null || line.document_id === null) return today
  const document = await db
    .selectFrom('subscription_documents')
    .selectAll()
    .where('id', '=', line.document_id)
    .executeTakeFirstOrThrow()
  return periodEndAfter([toCycling(document)], today)
}
