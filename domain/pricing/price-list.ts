import Big from 'big.js'
import { BusinessError } from '../errors.ts'
import { exchange, findExchangeRate, type ExchangeRate } from '../exchange-rate.ts'
import { roundToStep } from '../money.ts'
import { factorAfter, greater, lesser } from './decimal.ts'
import { mapAmounts, scalePrice } from './map-amounts.ts'
import type { Price } from './price.ts'
import { bestItem, type PriceListItem } from './price-list-item.ts'

/** A customer's prices, and the rates by which the list allows prices of other currencies to be converted. */
export interface PriceList {
  readonly id: string
  readonly currency: string
  readonly items: readonly PriceListItem[]
  /** In the order in which they were recorded; left out where the list allows no conversion. */
  readonly conversions?: readonly ExchangeRate[]
}

/** What an item makes of a price. */
export type ItemPrice =
  | { readonly kind: 'fixed'; readonly price: Price }
  | { readonly kind: 'discount'; readonly base: PriceBase; readonly percent: string }
  /** Base, less the discount, plus the surcharge, rounded to the step half away from zero, held within the bounds. */
  | {
      readonly kind: 'formula'
      readonly base: PriceBase
      readonly discountPercent: string
      readonly surcharge: string
      readonly step: string | null
      readonly least: string | null
      readonly greatest: string | null
    }

export type PriceBase =
  { readonly kind: 'base_price' } | { readonly kind: 'price_list'; readonly priceListId: string }

export interface PricedProduct {
  readonly id: string
  readonly code: string
  readonly basePrice: Price
  readonly currency: string
  /** The product of which it is a variant. */
  readonly variantOf?: string | null
  readonly attributes?: Readonly<Record<string, string>>
  readonly category?: string | null
}

/** The price as agreed, and where it came from. */
export interface AgreedPrice {
  readonly price: Price
  readonly source: 'base_price' | 'price_list'
  readonly priceListItemId: string | null
  /** The rate by which it came from another currency. */
  readonly conversion?: ExchangeRate
}

export interface PriceRequest {
  readonly customerId?: string | null
  readonly quantity: string
  readonly currency: string
  /** The first day of the service period; for a one-time fee the day of the order. */
  readonly on: string
  /** The customer's own list. */
  readonly priceList: PriceList | null
  /** Lists that items of it refer to, by id. */
  readonly otherLists?: ReadonlyMap<string, PriceList>
}

/**
 * The price of a product on a date. The first item that matches wins, in the order of A-18; items are never added up.
 * Without one, the base price. A price in the asked currency wins over one that must be converted.
 * @throws `price_missing_in_currency` if there is neither a price in the currency nor a rate to it, `price_list_cycle` if a
 *   list refers back to itself, `price_list_unknown`
 */
export function agreePrice(product: PricedProduct, request: PriceRequest): AgreedPrice {
  const { priceList } = request
  return priceList === null ? basePrice(product, request, []) : priceFrom(priceList, product, request, [])
}

function priceFrom(
  list: PriceList,
  product: PricedProduct,
  request: PriceRequest,
  path: readonly string[],
): AgreedPrice {
  if (path.includes(list.id)) {
    const detail = `The price list ${list.id} refers back to itself: ${[...path, list.id].join(', ')}.`
    throw new BusinessError('price_list_cycle', detail)
  }
  const inCurrency = bestItem(
    product,
    request,
    list.items,
    (item) => currencyOf(item, list) === request.currency,
  )
  if (inCurrency) return priceOf(inCurrency, list, product, request, path)
  const { conversions = [], ...own } = list
  const isConvertible = (item: PriceListItem) =>
    conversionOf(conversions, currencyOf(item, list), request) !== undefined
  const other = bestItem(product, request, list.items, isConvertible)
  if (!other) return basePrice(product, request, conversions)
  // A percentage is of a price that is converted; amounts of a price or a formula are in the item's own currency.
  if (other.pricing.kind === 'discount') return priceOf(other, list, product, request, path)
  const currency = currencyOf(other, list)
  const agreed = priceOf(other, own, product, { ...request, currency }, path)
  return { ...agreed, ...convert(agreed.price, currency, product, request, conversions) }
}

function currencyOf(item: PriceListItem, list: PriceList): string {
  return item.currency ?? list.currency
}

function priceOf(
  item: PriceListItem,
  list: PriceList,
  product: PricedProduct,
  request: PriceRequest,
  path: readonly string[],
): AgreedPrice {
  const { pricing } = item
  const source = { source: 'price_list', priceListItemId: item.id } as const
  if (pricing.kind === 'fixed') return { price: pricing.price, ...source }
  const base = priceOfBase(pricing.base, list, product, request, path)
  const price =
    pricing.kind === 'discount'
      ? scalePrice(base.price, factorAfter(pricing.percent))
      : applyItemFormula(base.price, pricing)
  return { ...base, price, ...source }
}

function priceOfBase(
  base: PriceBase,
  list: PriceList,
  product: PricedProduct,
  request: PriceRequest,
  path: readonly string[],
): AgreedPrice {
  if (base.kind === 'base_price') return basePrice(product, request, list.conversions ?? [])
  const other = base.priceListId === list.id ? list : request.otherLists?.get(base.priceListId)
  if (!other) {
    const detail = `The price list ${list.id} refers to ${base.priceListId}, which does not exist.`
    throw new BusinessError('price_list_unknown', detail)
  }
  return priceFrom(other, product, request, [...path, list.id])
}

/** Flat amounts of tiers and shares of values follow the discount only: a surcharge is on the price of a unit. */
function applyItemFormula(price: Price, pricing: ItemPrice & { kind: 'formula' }): Price {
  const factor = factorAfter(pricing.discountPercent)
  const unit = (amount: Big) => {
    const surcharged = amount.times(factor).plus(pricing.surcharge)
    const stepped = pricing.step === null ? surcharged : roundToStep(surcharged, new Big(pricing.step))
    const raised = pricing.least === null ? stepped : greater(stepped, new Big(pricing.least))
    return pricing.greatest === null ? raised : lesser(raised, new Big(pricing.greatest))
  }
  return mapAmounts(price, { unit, factor })
}

function basePrice(
  product: PricedProduct,
  request: PriceRequest,
  conversions: readonly ExchangeRate[],
): AgreedPrice {
  return {
    ...convert(product.basePrice, product.currency, product, request, conversions),
    source: 'base_price',
    priceListItemId: null,
  }
}

function convert(
  price: Price,
  from: string,
  product: PricedProduct,
  request: PriceRequest,
  conversions: readonly ExchangeRate[],
): { price: Price; conversion?: ExchangeRate } {
  if (from === request.currency) return { price }
  const conversion = conversionOf(conversions, from, request)
  if (!conversion) {
    throw new BusinessError(
      'price_missing_in_currency',
      `${product.code} has no price in ${request.currency}; add it to a price list in that currency.`,
    )
  }
  const factor = exchange(new Big(1), from, conversion).round(factorDecimals, Big.roundHalfUp)
  return { price: scalePrice(price, factor), conversion }
}

/** A rate that is used the other way round has no end of decimals; a price is an exact decimal. */
const factorDecimals = 15

function conversionOf(
  conversions: readonly ExchangeRate[],
  from: string,
  { currency: to, on }: PriceRequest,
): ExchangeRate | undefined {
  return from === to ? undefined : findExchangeRate(conversions, { from, to, on })
}

/**
 * Refuses lists that refer back to themselves before one of them is stored.
 * @throws `price_list_cycle`
 */
export function checkPriceListCycle(lists: ReadonlyMap<string, PriceList>, id: string): void {
  visit(lists, id, [])
}

function visit(lists: ReadonlyMap<string, PriceList>, id: string, path: readonly string[]): void {
  if (path.includes(id)) {
    const detail = `The price list ${id} would refer back to itself: ${[...path, id].join(', ')}.`
    throw new BusinessError('price_list_cycle', detail)
  }
  for (const { pricing } of lists.get(id)?.items ?? []) {
    if (pricing.kind !== 'fixed' && pricing.base.kind === 'price_list')
      visit(lists, pricing.base.priceListId, [...path, id])
  }
}
