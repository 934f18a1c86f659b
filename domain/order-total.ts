import { type BillingInterval } from './calendar.ts'
import { computeTotals } from './invoice/totals.ts'
import type { DocumentTaxTerms } from './invoice/document.ts'
import { applyDiscounts, type Discount } from './pricing/discount.ts'

/** What a line of an order costs for one period, or once. */
export interface OrderedAmount {
  /** The place of its subscription in the order; -1 for a line that joins one. */
  readonly subscriptionIndex: number
  readonly productId: string
  readonly taxCategory: string
  /** Null: once. */
  readonly interval: BillingInterval | null
  readonly isMetered: boolean
  readonly amountMinor: number
}

/** The discount that an order names, and the places of the subscriptions that get it. */
export interface OrderDiscount {
  readonly id: string
  readonly percent: string | null
  readonly amountMinor: number | null
  readonly scope: 'line' | 'document'
  /** Null: every product. */
  readonly productId: string | null
  readonly subscriptionIndexes: readonly number[]
}

export interface OrderTotal {
  readonly netMinor: number
  readonly taxMinor: number
  readonly totalMinor: number
}

/** What comes again each such interval. */
export interface RecurringTotal extends OrderTotal {
  readonly interval: BillingInterval
}

/** What each of the amounts comes to after the discount came off those that it is for, in their order. */
export function discountAmounts(
  amounts: readonly OrderedAmount[],
  discount: OrderDiscount | null,
): OrderedAmount[] {
  if (discount === null) return [...amounts]
  const isFor = ({ subscriptionIndex, productId }: OrderedAmount) =>
    discount.subscriptionIndexes.includes(subscriptionIndex) &&
    (discount.productId ?? productId) === productId
  const fitting = amounts.filter(isFor).map(({ productId, amountMinor }, place) => ({
    id: String(place),
    productId,
    amountMinor,
  }))
  const { applied } = applyDiscounts(fitting, [toDiscount(discount, fitting)])
  const shares = applied[0]?.sharesMinor ?? []
  let place = 0
  return amounts.map((amount) => {
    if (!isFor(amount)) return amount
    const offMinor = shares[place] ?? 0
    place += 1
    return { ...amount, amountMinor: amount.amountMinor - offMinor }
  })
}

function toDiscount(discount: OrderDiscount, fitting: readonly { id: string }[]): Discount {
  const { id, percent } = discount
  const value = percent === null ? { amountMinor: discount.amountMinor ?? 0 } : { percent }
  return discount.scope === 'document'
    ? { id, scope: { kind: 'document' }, ...value }
    : { id, scope: { kind: 'line', lineIds: fitting.map((line) => line.id) }, ...value }
}

/**
 * Net, tax and total of amounts that are due together, by the same totals as a document's.
 * @param on the first day of service, which selects the rates
 * @throws `tax_rate_missing`
 */
export function totalAmounts(
  amounts: readonly OrderedAmount[],
  { arePricesInclusive, taxRounding, decide }: DocumentTaxTerms,
  on: string,
): OrderTotal {
  const lines = amounts.map(({ amountMinor, taxCategory }) => ({ amountMinor, tax: decide(taxCategory, on) }))
  const { netMinor, taxMinor, totalMinor } = computeTotals(lines, {
    arePricesInclusive,
    rounding: taxRounding,
  })
  return { netMinor, taxMinor, totalMinor }
}

/**
 * What recurs, each interval by itself: 10.00 a month and 96.00 a year are two sums, never 106.00. An interval of which
 * everything is metered has none.
 * @throws `tax_rate_missing`
 */
export function totalRecurring(
  amounts: readonly OrderedAmount[],
  discount: OrderDiscount | null,
  { terms, on }: { terms: DocumentTaxTerms; on: string },
): RecurringTotal[] {
  const groups = Map.groupBy(amounts, ({ interval }) => interval && `${interval.count} ${interval.unit}`)
  return [...groups.values()].flatMap((group) => {
    const interval = group[0]?.interval ?? null
    if (interval === null || group.every(({ isMetered }) => isMetered)) return []
    return [{ interval, ...totalAmounts(discountAmounts(group, discount), terms, on) }]
  })
}
