import Big from 'big.js'
import { noAnswers, readAnswers, type Answers, type ReadAnswers } from './answers.ts'
import { billingInterval, type BillingInterval, type Recurrence } from './calendar.ts'
import { atField, fieldError } from './errors.ts'
import type { Features } from './feature.ts'
import { explodeKit, type Component } from './kit.ts'
import { roundHalfAwayFromZero } from './money.ts'
import type { ProductOption } from './option.ts'
import type { OrderField } from './order-field.ts'
import { attachAddOns, joinOneTimeFees } from './order-joining.ts'
import type { BuiltParts } from './part.ts'
import { agreePrice, type AgreedPrice, type PriceList } from './pricing/price-list.ts'
import type { Price } from './pricing/price.ts'
import { ratePrice } from './pricing/rate.ts'
import { perUnitPrice } from './pricing/unit-price.ts'
import type { BillingTiming, BillingType } from './product.ts'
import { productOfInterval } from './product-family.ts'
import { agreeTerms, type SubscriptionDefaults } from './subscription-template.ts'
import type { Terms } from './terms.ts'
import { isWholeUnit } from './unit.ts'
import { soldQuantity } from './variant.ts'

const mostSubscriptionsPerOrder = 100

export interface CatalogProduct {
  readonly id: string
  /** Which of its versions this is. */
  readonly version: number
  readonly code: string
  readonly name: string
  readonly billingType: BillingType
  readonly billingTiming: BillingTiming
  readonly recurrence: Recurrence | null
  readonly unit: string
  readonly basePrice: Price
  /** What differs from the default terms. */
  readonly terms: Partial<Terms>
  readonly category: string | null
  readonly attributes: Readonly<Record<string, string>>
  /** The product of which it is a variant. */
  readonly variantOf: string | null
  readonly taxCategory: string
  readonly currency: string
  readonly metric: string | null
  readonly limitCode: string | null
  /** The attribute that says how much one of it sells. */
  readonly quantityAttribute: string | null
  /** What it switches on or off in applications; left out: nothing. */
  readonly features?: Features
  readonly isArchived: boolean
  /** Not sold in the shop by itself. */
  readonly isHidden: boolean
  /** Ids of the products that it is sold beside; none: it is sold by itself. */
  readonly addOnOf: readonly string[]
  readonly options: readonly ProductOption[]
  readonly orderFields: readonly OrderField[]
  /** Ids of the applications that it builds. */
  readonly applicationIds: readonly string[]
  /** Variables that those ask for, which an order may give by name where no option or field sets them. Left out: none. */
  readonly askedVariables?: readonly string[]
  /** What the forms of its applications ask. */
  readonly form?: readonly OrderField[]
}

export interface CatalogKit {
  readonly id: string
  /** Which of its versions this is. */
  readonly version: number
  readonly code: string
  readonly name: string
  /** The product whose price replaces those of its flat and threshold components; null: they have their own. */
  readonly priceProductId: string | null
  readonly isArchived: boolean
  readonly isHidden: boolean
  readonly billOfMaterials: readonly BillOfMaterialsItem[]
}

export interface BillOfMaterialsItem {
  readonly productId: string | null
  readonly kitId: string | null
  readonly quantity: string
  readonly sequence: number
}

/** What an order is decided from, read once: of everything the version of one day. */
export interface Catalog {
  readonly products: ReadonlyMap<string, CatalogProduct>
  readonly kits: ReadonlyMap<string, CatalogKit>
}

export interface OrderRequestLine {
  readonly productId?: string | undefined
  readonly kitId?: string | undefined
  readonly quantity: string
  /** By which another system knows the subscription that the line makes. */
  readonly externalId?: string | undefined
  /** The subscription that the line joins, instead of making one; for products. */
  readonly joins?: string | undefined
  /** Left out: nothing was chosen or said. */
  readonly answers?: Answers
  /** What is agreed with its subscription, in its own words or its template's. */
  readonly agreed?: SubscriptionDefaults
  /** Where its instances are to be, if they can be there. */
  readonly preferredServerId?: string | null
}

export interface OrderTerms {
  readonly customerId: string
  readonly currency: string
  /** The day of the order: it selects the price of what is paid once. */
  readonly on: string
  /** The first day of service, as far as it is known: it selects the prices of what recurs. */
  readonly startsOn: string
  readonly priceList: PriceList | null
  /** The lists that it refers to, by id. */
  readonly otherLists: ReadonlyMap<string, PriceList>
  /** The customer orders in the shop, where nothing hidden is sold. */
  readonly isFromShop?: boolean
}

/** A price as agreed; what is included in its kit's price costs nothing by itself. */
export type PlannedPrice = Pick<AgreedPrice, 'price' | 'priceListItemId' | 'conversion'> & {
  readonly source: AgreedPrice['source'] | 'kit'
}

/** A line as it will be sold. */
export interface PlannedLine {
  readonly product: CatalogProduct
  readonly quantity: string
  readonly interval: BillingInterval | null
  readonly price: PlannedPrice
  /** Rounded amount of one full period; 0 for what is metered. */
  readonly amountMinor: number
  /** Where a kit's bill of materials has it, from the outside in; null: it is in none, and built by itself. */
  readonly place: readonly number[] | null
  /** The order line that asks for it. */
  readonly orderLineIndex: number
  /** The line that it is an option or add-on of, and ends with. */
  readonly main: PlannedLine | null
}

export interface PlannedSubscription {
  readonly orderLineIndex: number
  readonly productId: string | null
  readonly kitId: string | null
  readonly kitVersion: number | null
  readonly title: string
  readonly lines: readonly PlannedLine[]
  /** Each application once, in the order of the bill of materials. */
  readonly applicationIds: readonly string[]
  /** Which of them others bring along. Left out: none. */
  readonly parts?: Omit<BuiltParts, 'ids'>
  /** Values of the applications' variables; null stands for a secret. */
  readonly variables: Readonly<Record<string, string | null>>
  /** Pointers of what sets them. */
  readonly places: Readonly<Record<string, string>>
  /** Those secrets, by variable. */
  readonly secrets: Readonly<Record<string, string>>
}

/**
 * What an order becomes: one subscription per kit sold (a kit ordered n times makes n), and per product that builds or
 * recurs. What was chosen among a product's options, and its add-ons, become lines of its subscription. A one-time fee joins
 * the first of them, and is a subscription of its own only where there is none.
 * Preview and confirmation use the same plan.
 * @throws `order_empty`, `order_too_large`, `product_unknown`, `product_archived`, `product_hidden`, `quantity_invalid`,
 *   `quantity_not_whole`, `price_missing_in_currency`, `kit_cycle`, `kit_too_deep`, `addon_not_available`, and what
 *   `readAnswers` refuses, each with the pointer of its line
 */
export function planOrder(
  request: readonly OrderRequestLine[],
  catalog: Catalog,
  terms: OrderTerms,
): PlannedSubscription[] {
  if (request.length === 0) throw fieldError('/lines', 'order_empty', 'An order has at least one line.')
  const planned = request.flatMap((line, index) =>
    line.joins === undefined ? planLine(line, index, catalog, terms) : [],
  )
  const subscriptions = joinOneTimeFees(attachAddOns(planned))
  if (subscriptions.length > mostSubscriptionsPerOrder) {
    throw fieldError(
      '/lines',
      'order_too_large',
      `An order makes at most ${mostSubscriptionsPerOrder} subscriptions; this one would make ${subscriptions.length}.`,
    )
  }
  return subscriptions
}

/** The catalog as a line is sold from it: with the terms that were agreed. */
function asAgreed(catalog: Catalog, { agreed }: OrderRequestLine): Catalog {
  if (agreed?.terms === undefined) return catalog
  const products = [...catalog.products].map(
    ([id, product]) => [id, { ...product, terms: agreeTerms(product.terms, agreed.terms) }] as const,
  )
  return { ...catalog, products: new Map(products) }
}

/** @throws `product_unknown` where no product of the family, or more than one, has the recurrence that was agreed */
function inRecurrence(
  product: CatalogProduct,
  { agreed }: OrderRequestLine,
  catalog: Catalog,
  { sold: pointer }: LinePlace,
): CatalogProduct {
  if (agreed?.recurrence === undefined || product.recurrence === null) return product
  const { count, unit } = agreed.recurrence
  const found = productOfInterval(catalog, product, billingInterval(agreed.recurrence))
  if (found !== null) return found
  const detail = `No product is ${product.code} every ${count} ${unit}: name the one that is meant.`
  throw fieldError(pointer, 'product_unknown', detail)
}

function planLine(
  line: OrderRequestLine,
  index: number,
  catalog: Catalog,
  terms: OrderTerms,
): PlannedSubscription[] {
  const pointer = `/lines/${index}`
  const quantity = checkQuantity(line.quantity, pointer)
  if (line.preferredServerId != null && terms.isFromShop === true)
    throw fieldError(`${pointer}/server`, 'field_invalid', 'In the shop nobody chooses a server.')
  if (line.kitId !== undefined)
    return planKit({ ...line, kitId: line.kitId }, quantity, index, asAgreed(catalog, line), terms)
  const { lines, answers } = planProductLines(line, index, catalog, terms)
  const [{ product }] = lines
  return [
    {
      orderLineIndex: index,
      productId: product.id,
      kitId: null,
      kitVersion: null,
      title: product.name,
      lines,
      applicationIds: applicationsOf(lines),
      variables: answers.variables,
      places: answers.places,
      secrets: answers.secrets,
    },
  ]
}

/**
 * A line of an order that names a product, and the lines of its options.
 * @throws as `planOrder`
 */
export function planProductLines(
  line: OrderRequestLine,
  index: number,
  wholeCatalog: Catalog,
  terms: OrderTerms,
): { lines: readonly [PlannedLine, ...PlannedLine[]]; answers: ReadAnswers } {
  const place = pointersOf(index, 'product')
  const quantity = checkQuantity(line.quantity, `/lines/${index}`)
  const catalog = asAgreed(wholeCatalog, line)
  const named = line.productId === undefined ? undefined : catalog.products.get(line.productId)
  if (!named) throw fieldError(place.sold, 'product_unknown', 'There is no such product.')
  const product = inRecurrence(named, line, catalog, place)
  refuseHidden(product, place, terms)
  const main = planProduct(product, quantity, null, place, terms)
  const answers = readAnswers([product], line.answers ?? noAnswers, `/lines/${index}`)
  return { lines: [main, ...planOptions(answers, { main, index }, catalog, terms)], answers }
}

function planOptions(
  answers: ReadAnswers,
  { main, index }: { main: PlannedLine | null; index: number },
  catalog: Catalog,
  terms: OrderTerms,
): PlannedLine[] {
  return answers.chosen.flatMap(({ sold, pointer }) => {
    if (sold === null) return []
    const product = catalog.products.get(sold.productId)
    if (!product) throw fieldError(pointer, 'product_unknown', 'What this option sells does not exist.')
    const place = { index, sold: pointer, quantity: pointer }
    return [{ ...planProduct(product, new Big(sold.quantity), null, place, terms), main }]
  })
}

function refuseHidden(
  sold: { readonly code: string; readonly isHidden: boolean },
  { sold: pointer }: LinePlace,
  terms: OrderTerms,
): void {
  if (sold.isHidden && terms.isFromShop === true)
    throw fieldError(pointer, 'product_hidden', `${sold.code} is not sold in the shop.`)
}

/**
 * When each application is built: the place of the line that first asks for it. Lower goes first; what has one place in a
 * bill of materials goes side by side.
 * @example a database at 10, mail and files at 20: `0`, `1`, `1`
 */
export function buildSequence(lines: readonly PlannedLine[]): ReadonlyMap<string, number> {
  const sequence = new Map<string, number>()
  let before: string | undefined
  let at = -1
  for (const { place, product } of lines) {
    const here = JSON.stringify(place)
    if (place === null || here !== before) at += 1
    before = here
    for (const id of product.applicationIds) if (!sequence.has(id)) sequence.set(id, at)
  }
  return sequence
}

/** Each once, in the order of the lines. */
function applicationsOf(lines: readonly PlannedLine[]): string[] {
  return [...new Set(lines.flatMap(({ product }) => product.applicationIds))]
}

function planKit(
  line: OrderRequestLine & { readonly kitId: string },
  quantity: Big,
  index: number,
  catalog: Catalog,
  terms: OrderTerms,
): PlannedSubscription[] {
  const place = pointersOf(index, 'kit')
  const kit = catalog.kits.get(line.kitId)
  if (!kit) throw fieldError(place.sold, 'product_unknown', 'There is no such kit.')
  if (kit.isArchived)
    throw fieldError(place.sold, 'product_archived', `${kit.code} is archived and cannot be ordered.`)
  refuseHidden(kit, place, terms)
  if (!quantity.round().eq(quantity)) {
    throw fieldError(place.quantity, 'quantity_not_whole', 'A kit is sold in whole numbers.')
  }
  if (quantity.gt(mostSubscriptionsPerOrder)) {
    const detail = `An order makes at most ${mostSubscriptionsPerOrder} subscriptions.`
    throw fieldError(place.quantity, 'order_too_large', detail)
  }
  const components = atField(place.sold, () => explodeKit(kit, catalog))
  const products = components.map(({ product }) => product)
  const answers = readAnswers(products, line.answers ?? noAnswers, `/lines/${index}`)
  const lines = [
    ...components.map((part) => planComponent(part, place, terms)),
    ...planOptions(answers, { main: null, index }, catalog, terms),
  ]
  const subscription: PlannedSubscription = {
    orderLineIndex: index,
    productId: null,
    kitId: kit.id,
    kitVersion: kit.version,
    title: kit.name,
    lines,
    applicationIds: applicationsOf(lines),
    variables: answers.variables,
    places: answers.places,
    secrets: answers.secrets,
  }
  return Array.from({ length: Number(quantity.toFixed(0)) }, () => subscription)
}

function planComponent(part: Component, place: LinePlace, terms: OrderTerms): PlannedLine {
  const line = planProduct(part.product, part.quantity, part.place, place, terms)
  if (!part.isIncluded) return line
  return {
    ...line,
    price: { price: perUnitPrice('0'), source: 'kit', priceListItemId: null },
    amountMinor: 0,
  }
}

/** Where an order line says what it sells, and how much of it: a refusal of a kit's component names the kit. */
interface LinePlace {
  readonly index: number
  readonly sold: string
  readonly quantity: string
}

function pointersOf(index: number, sold: 'product' | 'kit'): LinePlace {
  return { index, sold: `/lines/${index}/${sold}`, quantity: `/lines/${index}/quantity` }
}

function planProduct(
  product: CatalogProduct,
  ordered: Big,
  place: PlannedLine['place'],
  named: LinePlace,
  terms: OrderTerms,
): PlannedLine {
  if (product.isArchived)
    throw fieldError(named.sold, 'product_archived', `${product.code} is archived and cannot be ordered.`)
  checkWhole(product, ordered, named.quantity)
  if (product.applicationIds.length > 0 && !ordered.round().eq(ordered)) {
    const detail = `${product.code} builds an application, which there is only whole: order a whole number.`
    throw fieldError(named.quantity, 'quantity_not_whole', detail)
  }
  const isMetered = product.billingType === 'usage'
  const on = product.recurrence === null ? terms.on : terms.startsOn
  const quantity = soldQuantity(product, ordered)
  const request = { ...terms, on, quantity: quantity.toFixed() }
  const price = atField(named.sold, () => agreePrice(product, request))
  return {
    product,
    quantity: isMetered ? '0' : quantity.toFixed(),
    interval: product.recurrence === null ? null : billingInterval(product.recurrence),
    price,
    amountMinor: isMetered
      ? 0
      : roundHalfAwayFromZero(ratePrice(price.price, quantity).amount, terms.currency),
    place,
    orderLineIndex: named.index,
    main: null,
  }
}

/** @throws `quantity_invalid` unless it is a decimal above 0 */
export function checkQuantity(text: string, pointer: string): Big {
  if (!/^\d{1,12}(\.\d{1,10})?$/.test(text) || new Big(text).lte(0)) {
    throw fieldError(
      `${pointer}/quantity`,
      'quantity_invalid',
      `A quantity is a number above 0, not ${text}.`,
    )
  }
  return new Big(text)
}

/** @throws `quantity_not_whole` for 1.5 users */
export function checkWhole(product: { code: string; unit: string }, quantity: Big, pointer: string): void {
  if (isWholeUnit(product.unit) && !quantity.round().eq(quantity)) {
    throw fieldError(pointer, 'quantity_not_whole', `${product.code} is sold in whole ${product.unit}s.`)
  }
}
