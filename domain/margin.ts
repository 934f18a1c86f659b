import Big from 'big.js'
import { spread } from './money.ts'

/** What a cost is of, and what earns: each null where it is of none. */
export interface MarginPlace {
  readonly productId: string | null
  readonly subscriptionId: string | null
  readonly customerId: string | null
}

export const marginGroupings = ['product', 'subscription', 'customer'] as const
export type MarginGrouping = (typeof marginGroupings)[number]

/** What a line of a supplier pays for. */
export interface CostTarget {
  readonly kind: 'server' | 'subscription' | 'product'
  readonly id: string
}

/** A part of a line that falls in the month, in minor units; without a target where no rule is of it. */
export interface MonthCost {
  readonly currency: string
  readonly amountMinor: number
  readonly target: CostTarget | null
}

/** What an instance took of a server in the month: its memory times the time for which it had it. */
export interface CapacityUse {
  readonly serverId: string
  readonly subscriptionId: string
  readonly weight: string
}

export interface MonthRevenue extends MarginPlace {
  readonly currency: string
  readonly amountMinor: number
}

export interface MonthBooks {
  readonly costs: readonly MonthCost[]
  readonly uses: readonly CapacityUse[]
  readonly revenues: readonly MonthRevenue[]
  /** Where a subscription stands, for what it costs while it earns nothing. */
  readonly subscriptions: ReadonlyMap<string, MarginPlace>
}

export interface Margin {
  /** Null for what is of none of the kind that is asked for. */
  readonly id: string | null
  readonly currency: string
  readonly revenueMinor: number
  readonly costMinor: number
  readonly marginMinor: number
}

export interface Margins {
  readonly rows: readonly Margin[]
  /** Costs of servers that no instance was on, by server. */
  readonly idle: readonly {
    readonly serverId: string
    readonly currency: string
    readonly amountMinor: number
  }[]
  readonly totals: readonly {
    readonly currency: string
    readonly revenueMinor: number
    /** All of it: in the rows, idle, and unmatched. */
    readonly costMinor: number
    readonly unmatchedMinor: number
    readonly idleMinor: number
    readonly marginMinor: number
  }[]
}

interface PlacedCost extends MarginPlace {
  readonly currency: string
  readonly amountMinor: number
}

/**
 * Cost against revenue of a month, by product, subscription or customer. A server's cost is spread over its instances by the capacity
 * that they took, a subscription's over what it earns, a product's over the subscriptions that earn by it; each by largest remainder,
 * so that shares sum to the cost. What no rule is of, and what nothing used, is in no row and told beside them. Two currencies are
 * never summed, nor weighed against each other.
 * @example a server of 40.00 with eight equal instances that earn 12.00 each: 96.00 less 40.00 is 56.00, and 7.00 for each
 */
export function computeMargins(books: MonthBooks, by: MarginGrouping): Margins {
  const idle: Margins['idle'][number][] = []
  const placed: PlacedCost[] = []
  const found = findable(books)
  for (const cost of books.costs) {
    const { target, currency, amountMinor } = cost
    if (target === null) continue
    const shares = placesOf(found, target, cost)
    if (shares.length === 0 && target.kind === 'server')
      idle.push({ serverId: target.id, currency, amountMinor })
    placed.push(...shares)
  }
  return { rows: toRows(placed, books.revenues, by), idle, totals: toTotals(books, idle) }
}

/** The books by what is looked for in them: a month has many of each. */
function findable({ uses, revenues, subscriptions }: MonthBooks) {
  const earning = revenues.filter(({ amountMinor }) => amountMinor > 0)
  return {
    subscriptions,
    usesOfServer: Map.groupBy(uses, ({ serverId }) => serverId),
    subscriptionId: Map.groupBy(earning, ({ subscriptionId }) => subscriptionId),
    productId: Map.groupBy(earning, ({ productId }) => productId),
  }
}

type Findable = ReturnType<typeof findable>

function placesOf(books: Findable, target: CostTarget, cost: Omit<MonthCost, 'target'>): PlacedCost[] {
  switch (target.kind) {
    case 'server': {
      const uses = books.usesOfServer.get(target.id) ?? []
      const shares = spread(
        cost.amountMinor,
        uses.map(({ weight }) => new Big(weight)),
      )
      return uses.flatMap(({ subscriptionId }, index) =>
        overRevenue(books, { ...cost, amountMinor: shares[index] ?? 0 }, 'subscriptionId', subscriptionId),
      )
    }
    case 'subscription':
      return overRevenue(books, cost, 'subscriptionId', target.id)
    case 'product':
      return overRevenue(books, cost, 'productId', target.id)
  }
}

/** By what each earns, in the currency of the cost; what earns nothing bears it where it stands. */
function overRevenue(
  books: Findable,
  { currency, amountMinor }: Omit<MonthCost, 'target'>,
  of: 'subscriptionId' | 'productId',
  id: string,
): PlacedCost[] {
  const earning = (books[of].get(id) ?? []).filter((revenue) => revenue.currency === currency)
  if (earning.length === 0) {
    const none = { productId: null, subscriptionId: null, customerId: null }
    const place = (of === 'subscriptionId' ? books.subscriptions.get(id) : undefined) ?? none
    return [{ ...place, [of]: id, currency, amountMinor }]
  }
  const shares = spread(
    amountMinor,
    earning.map((revenue) => new Big(revenue.amountMinor)),
  )
  return earning.map(({ productId, subscriptionId, customerId }, index) => ({
    productId,
    subscriptionId,
    customerId,
    currency,
    amountMinor: shares[index] ?? 0,
  }))
}

function toRows(
  costs: readonly PlacedCost[],
  revenues: readonly MonthRevenue[],
  by: MarginGrouping,
): Margin[] {
  const rows = new Map<
    string,
    { id: string | null; currency: string; revenueMinor: number; costMinor: number }
  >()
  const rowOf = (place: MarginPlace & { readonly currency: string }) => {
    const id = { product: place.productId, subscription: place.subscriptionId, customer: place.customerId }[
      by
    ]
    const key = `${id ?? ''} ${place.currency}`
    const row = rows.get(key) ?? { id, currency: place.currency, revenueMinor: 0, costMinor: 0 }
    rows.set(key, row)
    return row
  }
  for (const revenue of revenues) rowOf(revenue).revenueMinor += revenue.amountMinor
  for (const cost of costs) rowOf(cost).costMinor += cost.amountMinor
  return [...rows.values()].map((row) => ({ ...row, marginMinor: row.revenueMinor - row.costMinor }))
}

function toTotals({ costs, revenues }: MonthBooks, idle: Margins['idle']): Margins['totals'][number][] {
  const currencies = new Set([...revenues, ...costs].map(({ currency }) => currency))
  return [...currencies].toSorted().map((currency) => {
    const sumOf = (amounts: readonly { readonly currency: string; readonly amountMinor: number }[]) =>
      amounts.reduce((sum, one) => sum + (one.currency === currency ? one.amountMinor : 0), 0)
    const [revenueMinor, costMinor] = [sumOf(revenues), sumOf(costs)]
    return {
      currency,
      revenueMinor,
      costMinor,
      unmatchedMinor: sumOf(costs.filter(({ target }) => target === null)),
      idleMinor: sumOf(idle),
      marginMinor: revenueMinor - costMinor,
    }
  })
}
