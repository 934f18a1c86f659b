import Big from 'big.js'
import { compareDates } from './calendar.ts'
import { BusinessError } from './errors.ts'

/** One override of the base price. `productId` null means every product. Dates half-open; null is open. */
export interface PriceListItem {
  readonly id: string
  readonly productId: string | null
  readonly minimumQuantity: string
  readonly unitPrice: string | null
  readonly discountPercent: string | null
  readonly startsOn: string | null
  readonly endsOn: string | null
}

export interface PricedProduct {
  readonly id: string
  readonly code: string
  readonly basePrice: string
  readonly currency: string
}

/** The price as agreed, and where it came from. */
export interface AgreedPrice {
  /** Decimal in major units, never rounded. */
  readonly unitPrice: string
  readonly source: 'base_price' | 'price_list'
  readonly priceListItemId: string | null
}

/**
 * The unit price of a product on a date: the most specific item of the price list wins (a product before all), then the
 * highest minimum quantity reached, then the latest start. Items are never added up. Without a match, the base price.
 * @throws `price_missing_in_currency` when neither the list nor the product has a price in the currency
 */
export function agreePrice(
  product: PricedProduct,
  request: {
    quantity: string
    currency: string
    on: string
    priceList: { currency: string; items: readonly PriceListItem[] } | null
  },
): AgreedPrice {
  const item =
    request.priceList?.currency === request.currency
      ? bestItem(product, request.priceList.items, request)
      : undefined
  if (item?.unitPrice) return { unitPrice: item.unitPrice, source: 'price_list', priceListItemId: item.id }
  if (product.currency !== request.currency) {
    throw new BusinessError(
      'price_missing_in_currency',
      `${product.code} has no price in ${request.currency}; add it to a price list in that currency.`,
    )
  }
  if (!item?.discountPercent)
    return { unitPrice: product.basePrice, source: 'base_price', priceListItemId: null }
  const share = new Big(100).minus(item.discountPercent).div(100)
  return {
    unitPrice: new Big(product.basePrice).times(share).toFixed(),
    source: 'price_list',
    priceListItemId: item.id,
  }
}

function bestItem(
  product: PricedProduct,
  items: readonly PriceListItem[],
  request: { quantity: string; on: string },
): PriceListItem | undefined {
  return items
    .filter((item) => item.productId === null || item.productId === product.id)
    .filter((item) => new Big(request.quantity).gte(item.minimumQuantity))
    .filter((item) => item.startsOn === null || compareDates(item.startsOn, request.on) <= 0)
    .filter((item) => item.endsOn === null || compareDates(request.on, item.endsOn) < 0)
    .toSorted(byPrecedence)[0]
}

function byPrecedence(first: PriceListItem, second: PriceListItem): number {
  if ((first.productId === null) !== (second.productId === null)) return first.productId === null ? 1 : -1
  const byMinimum = new Big(second.minimumQuantity).cmp(first.minimumQuantity)
  if (byMinimum !== 0) return byMinimum
  return (second.startsOn ?? '').localeCompare(first.startsOn ?? '')
}
