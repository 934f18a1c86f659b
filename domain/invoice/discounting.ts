import Big from 'big.js'
import { assert } from '../assert.ts'
import {
  compareDates,
  cycleBoundary,
  cycleIndexOn,
  daysIn,
  intersect,
  laterDate,
  type BillingInterval,
} from '../calendar.ts'
import { roundMinor } from '../money.ts'
import { applyDiscounts } from '../pricing/discount.ts'
import { applyShare, type Share } from '../proration.ts'
import type { BillReason } from './document.ts'
import type { ExplainedDiscount } from './explanation.ts'
import type { BillableLine } from './lines.ts'
import type { RatedLine } from './rated-line.ts'

/** A discount that a customer, or one subscription of his, has. */
export interface DiscountInForce {
  readonly id: string
  readonly name: string
  readonly scope: 'line' | 'document'
  /** One of the two; the amount in minor units. */
  readonly percent: string | null
  readonly amountMinor: number | null
  /** Only lines of this product, or of this subscription. */
  readonly productId: string | null
  readonly subscriptionId: string | null
  readonly startsOn: string
  readonly endsOn: string | null
  /** So many periods, counted from the first day; null is without end. */
  readonly periodCount: number | null
}

export interface DiscountedLine {
  readonly rated: RatedLine
  readonly discounts: readonly ExplainedDiscount[]
  /** What is left of the line, in minor units. */
  readonly leftMinor: number
}

export interface DiscountedDocument {
  readonly reason: BillReason
  readonly asOf: string
  readonly cycles: { readonly anchor: string; readonly interval: BillingInterval } | null
  readonly lines: readonly BillableLine[]
}

/**
 * Takes the discounts off: those of lines first, then those of the document, each off what the ones before left, and never
 * below 0. A percentage of lines goes by the days that a line pays for, so that usage in arrears of the last
 * discounted period is discounted still. What is taken off once a period, an amount, or a percentage of the document, goes
 * by the document's own day; an amount is on the document of the period, or on a subscription's first, never on both.
 */
export function discountLines(
  lines: readonly RatedLine[],
  discounts: readonly DiscountInForce[],
  document: DiscountedDocument,
): DiscountedLine[] {
  const left = lines.map((line) => line.ratedMinor)
  const explained = lines.map((): ExplainedDiscount[] => [])
  const narrowFirst = [
    ...discounts.filter((discount) => discount.scope === 'line'),
    ...discounts.filter((discount) => discount.scope === 'document'),
  ]
  for (const discount of narrowFirst) {
    const scope = lines.flatMap((line, index) => {
      const share = discountedShare(line, discount, document)
      return share === null ? [] : [{ index, leftMinor: shareOf(left[index] ?? 0, share) }]
    })
    for (const { index, amountMinor } of takeOff(discount, scope)) {
      left[index] = (left[index] ?? 0) - amountMinor
      explained[index]?.push({ discountId: discount.id, name: discount.name, amountMinor })
    }
  }
  return lines.map((rated, index) => ({
    rated,
    discounts: explained[index] ?? [],
    leftMinor: left[index] ?? 0,
  }))
}

const inScope = 'in scope'

/** What a discount takes off each line of its scope; lines of which it takes nothing are left out. */
function takeOff(discount: DiscountInForce, scope: readonly { index: number; leftMinor: number }[]) {
  // Which lines they are was decided above: by one name for all of them, thirty thousand are looked at once each.
  const lines = scope.map(({ index, leftMinor }) => ({
    id: String(index),
    productId: inScope,
    amountMinor: leftMinor,
  }))
  const kind =
    discount.scope === 'document'
      ? ({ kind: 'document' } as const)
      : ({ kind: 'product', productIds: [inScope] } as const)
  const value =
    discount.percent === null ? { amountMinor: discount.amountMinor ?? 0 } : { percent: discount.percent }
  const { applied } = applyDiscounts(lines, [{ id: discount.id, scope: kind, ...value }])
  const shares = applied[0]?.sharesMinor ?? []
  return scope.flatMap(({ index }, position) => {
    const amountMinor = shares[position] ?? 0
    return amountMinor === 0 ? [] : [{ index, amountMinor }]
  })
}

const whole: Share = { numerator: 1, denominator: 1 }

function shareOf(amountMinor: number, share: Share): number {
  return share === whole ? amountMinor : roundMinor(applyShare(new Big(amountMinor), share))
}

/** How much of a line is discounted: all of it, nothing (null), or where a change of interval left a part, that one. */
function discountedShare(
  line: RatedLine,
  discount: DiscountInForce,
  document: DiscountedDocument,
): Share | null {
  if (line.ratedMinor <= 0 || line.kind === 'true_up') return null
  if (discount.productId !== null && discount.productId !== line.productId) return null
  if (discount.subscriptionId !== null && discount.subscriptionId !== line.subscriptionId) return null
  // A one-off has no periods of its own: those of its document count.
  const isCountedByDocument = line.kind === 'one_off' && discount.periodCount !== null
  if (discount.scope === 'line' && discount.percent !== null && !isCountedByDocument)
    return shareInPeriodsOfLine(line, discount)
  return shareInPeriodsOfDocument(line, discount, document)
}

function shareInPeriodsOfLine(rated: RatedLine, discount: DiscountInForce): Share | null {
  const { line, taxedOn, servicePeriod } = rated
  if (!line?.interval || !servicePeriod)
    return isWithin(taxedOn, discount.startsOn, discount.endsOn) ? whole : null
  const end = lastDiscountedEnd(discount, countedBy(line, discount.startsOn), line.firstStartsOn)
  return isWithin(servicePeriod.start, discount.startsOn, end) ? shareBefore(end, rated, discount) : null
}

function shareInPeriodsOfDocument(
  rated: RatedLine,
  discount: DiscountInForce,
  document: DiscountedDocument,
): Share | null {
  const isOncePerPeriod = discount.percent === null
  if (isOncePerPeriod && (document.reason === 'final' || document.reason === 'early')) return null
  if (isOncePerPeriod && document.reason === 'opening' && discount.subscriptionId === null) return null
  const { cycles, asOf } = document
  if (cycles === null) {
    // Where no periods are known, only the first bill of the discounted subscription is surely within them.
    const isFirst = document.reason === 'opening' && discount.subscriptionId !== null
    const isCounted = discount.periodCount === null || isFirst
    return isCounted && isWithin(asOf, discount.startsOn, discount.endsOn) ? whole : null
  }
  const end = lastDiscountedEndOf(document, cycles, discount)
  if (!isWithin(asOf, discount.startsOn, end)) return null
  return isOncePerPeriod ? whole : shareBefore(end, rated, discount)
}

/** Of the oldest line that it discounts on the document; without one, by the document itself. */
function lastDiscountedEndOf(
  { lines, asOf }: DiscountedDocument,
  cycles: CountingCycles,
  discount: DiscountInForce,
): string | null {
  const { subscriptionId, startsOn } = discount
  const oldest = lines
    .filter(
      (line) => line.interval !== null && (subscriptionId === null || subscriptionId === line.subscriptionId),
    )
    .reduce<BillableLine | undefined>(
      (first, line) => (first && compareDates(first.firstStartsOn, line.firstStartsOn) <= 0 ? first : line),
      undefined,
    )
  const counting = oldest?.formerCycles === undefined ? cycles : countedBy(oldest, startsOn)
  const begins = subscriptionId === null ? counting.anchor : (oldest?.firstStartsOn ?? asOf)
  return lastDiscountedEnd(discount, counting, begins)
}

interface CountingCycles {
  readonly anchor: string
  readonly interval: BillingInterval
}

/**
 * The cycles by which a discount of so many periods is counted: those of its own first one. Three months stay three months
 * where the line moves to a yearly plan.
 */
function countedBy(line: BillableLine, startsOn: string): CountingCycles {
  const begins = laterDate(startsOn, line.firstStartsOn)
  const former = compareDates(begins, line.startsOn) < 0 ? (line.formerCycles ?? []) : []
  const inForce = former.findLast(({ from }) => compareDates(from, begins) <= 0)
  if (inForce !== undefined) return inForce
  assert(line.interval, 'only what recurs has periods')
  return { anchor: line.billingCycleAnchor, interval: line.interval }
}

/** A period that is longer than those that are counted is discounted by its days before the last of them ends. */
function shareBefore(
  end: string | null,
  { line, servicePeriod }: RatedLine,
  discount: DiscountInForce,
): Share {
  if (end === null || !line?.interval || !servicePeriod || compareDates(servicePeriod.end, end) <= 0)
    return whole
  const { interval } = countedBy(line, discount.startsOn)
  if (interval.unit === line.interval.unit && interval.count === line.interval.count) return whole
  const discounted = intersect({ start: discount.startsOn, end }, servicePeriod)
  return discounted ? { numerator: daysIn(discounted), denominator: daysIn(servicePeriod) } : whole
}

/**
 * The first day that is not discounted any more. The periods are counted from the one that begins with the discount's first
 * day, or with the line inside it; if both began before, that period is paid for, and the next one is the first.
 * @param begins first day of what is discounted
 */
function lastDiscountedEnd(
  discount: DiscountInForce,
  { anchor, interval }: CountingCycles,
  begins: string,
): string | null {
  const { startsOn, endsOn, periodCount } = discount
  if (periodCount === null) return endsOn
  const holding = cycleIndexOn(anchor, interval, startsOn)
  const isUnderWay =
    compareDates(cycleBoundary(anchor, interval, holding), startsOn) < 0 && compareDates(begins, startsOn) < 0
  const end = cycleBoundary(anchor, interval, holding + periodCount + (isUnderWay ? 1 : 0))
  return endsOn !== null && compareDates(endsOn, end) < 0 ? endsOn : end
}

function isWithin(day: string, startsOn: string, endsOn: string | null): boolean {
  return compareDates(startsOn, day) <= 0 && (endsOn === null || compareDates(day, endsOn) < 0)
}
