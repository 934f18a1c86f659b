import Big from 'big.js'
import { compareDates } from '../calendar.ts'
import { fieldError } from '../errors.ts'
import type { ItemPrice, PricedProduct, PriceRequest } from './price-list.ts'

/** One override of the base price. What is null asks for nothing. */
export interface PriceListItem {
  readonly id: string
  readonly customerId: string | null
  readonly target: ItemTarget
  /** In the product's unit. */
  readonly minimumQuantity: string
  /** Null: the currency of its list. */
  readonly currency: string | null
  /** Half-open. */
  readonly startsOn: string | null
  readonly endsOn: string | null
  /** Repeats every year between two days, and may go over the turn of the year. */
  readonly season: Season | null
  readonly pricing: ItemPrice
}

export type ItemTarget =
  /** A product with its variants, or one variant by its own id. */
  | { readonly kind: 'product'; readonly productId: string }
  | { readonly kind: 'attribute'; readonly name: string; readonly value: string }
  | { readonly kind: 'category'; readonly category: string }
  | { readonly kind: 'all' }

/** `MM-DD`: from included, until excluded. */
export interface Season {
  readonly from: string
  readonly until: string
}

/**
 * The item that wins: one that names the customer, then the most specific target (variant, product, attribute,
 * category, all), then the highest minimum quantity reached, then the latest start; of equals the one with the least id, so
 * that an order of rows decides nothing.
 */
export function bestItem(
  product: PricedProduct,
  request: PriceRequest,
  items: readonly PriceListItem[],
  isUsable: (item: PriceListItem) => boolean,
): PriceListItem | undefined {
  return items
    .filter((item) => isUsable(item) && isMatch(item, product, request))
    .toSorted((first, second) => byPrecedence(first, second, product))[0]
}

function isMatch(item: PriceListItem, product: PricedProduct, request: PriceRequest): boolean {
  return (
    (item.customerId === null || item.customerId === request.customerId) &&
    specificity(item.target, product) !== undefined &&
    new Big(request.quantity).gte(item.minimumQuantity) &&
    (item.startsOn === null || compareDates(item.startsOn, request.on) <= 0) &&
    (item.endsOn === null || compareDates(request.on, item.endsOn) < 0) &&
    (item.season === null || isInSeason(item.season, request.on))
  )
}

/** Lower wins; undefined where the target is another product. */
function specificity(target: ItemTarget, product: PricedProduct): number | undefined {
  switch (target.kind) {
    case 'product':
      if (target.productId === product.id) return 0
      return product.variantOf != null && target.productId === product.variantOf ? 1 : undefined
    case 'attribute': {
      const attributes = product.attributes ?? {}
      return Object.hasOwn(attributes, target.name) && attributes[target.name] === target.value
        ? 2
        : undefined
    }
    case 'category':
      return product.category === target.category ? 3 : undefined
    case 'all':
      return 4
  }
}

function isInSeason({ from, until }: Season, on: string): boolean {
  const day = on.slice(5)
  return from < until ? from <= day && day < until : from <= day || day < until
}

function byPrecedence(first: PriceListItem, second: PriceListItem, product: PricedProduct): number {
  return (
    Number(first.customerId === null) - Number(second.customerId === null) ||
    (specificity(first.target, product) ?? 5) - (specificity(second.target, product) ?? 5) ||
    new Big(second.minimumQuantity).cmp(first.minimumQuantity) ||
    (second.startsOn ?? '').localeCompare(first.startsOn ?? '') ||
    first.id.localeCompare(second.id)
  )
}

/**
 * Refuses dates that hold no day.
 * @throws `date_range_invalid` where the end is not after the start, or a season is empty or no day of a year
 */
export function checkItemDates(
  item: Pick<PriceListItem, 'startsOn' | 'endsOn' | 'season'>,
  pointer: string,
): void {
  if (item.startsOn !== null && item.endsOn !== null && compareDates(item.endsOn, item.startsOn) <= 0) {
    const detail = `It ends on ${item.endsOn}, which is not after ${item.startsOn}.`
    throw fieldError(`${pointer}/endsOn`, 'date_range_invalid', detail)
  }
  if (item.season === null) return
  for (const field of ['from', 'until'] as const) {
    if (!isDayOfYear(item.season[field])) {
      const detail = `A season goes from a day to a day of the year, such as 11-01, not ${item.season[field]}.`
      throw fieldError(`${pointer}/season/${field}`, 'date_range_invalid', detail)
    }
  }
  if (item.season.from === item.season.until) {
    const detail = 'A season ends on another day than it starts on.'
    throw fieldError(`${pointer}/season/until`, 'date_range_invalid', detail)
  }
}

/** In a leap year, so that 29 February is a day. */
function isDayOfYear(day: string): boolean {
  if (!/^\d\d-\d\d$/.test(day)) return false
  try {
    return Temporal.PlainDate.from(`2000-${day}`, { overflow: 'reject' }).toString() === `2000-${day}`
  } catch {
    return false
  }
}
