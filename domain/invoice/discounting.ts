import { compareDates, cycleBoundary, cycleIndexOn, earlierDate, type BillingInterval } from '../calendar.ts'
import { applyDiscounts } from '../pricing/discount.ts'
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
  readonly reason: 'period' | 'opening' | 'final'
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
    const scope = lines.flatMap((line, index) => (isDiscounted(line, discount, document) ? [index] : []))
    for (const { index, amountMinor } of takeOff(discount, scope, left)) {
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
function takeOff(discount: DiscountInForce, scope: readonly number[], left: readonly number[]) {
  // Which lines they are was decided above: by one name for all of them, thirty thousand are looked at once each.
  const lines = scope.map((index) => ({
    id: String(index),
    productId: inScope,
    amountMinor: left[index] ?? 0,
  }))
  const kind =
    discount.scope === 'document'
      ? ({ kind: 'document' } as const)
      : ({ kind: 'product', productIds: [inScope] } as const)
  const value =
    discount.percent === null ? { amountMinor: discount.amountMinor ?? 0 } : { percent: discount.percent }
  const { applied } = applyDiscounts(lines, [{ id: discount.id, scope: kind, ...value }])
  const shares = applied[0]?.sharesMinor ?? []
  return scope.flatMap((index, position) => {
    const amountMinor = shares[position] ?? 0
    return amountMinor === 0 ? [] : [{ index, amountMinor }]
  })
}

function isDiscounted(line: RatedLine, discount: DiscountInForce, document: DiscountedDocument): boolean {
  if (line.ratedMinor <= 0 || line.kind === 'true_up') return false
  if (discount.productId !== null && discount.productId !== line.productId) return false
  if (discount.subscriptionId !== null && discount.subscriptionId !== line.subscriptionId) return false
  // A one-off has no periods of its own: those of its document count.
  const isCountedByDocument = line.kind === 'one_off' && discount.periodCount !== null
  if (discount.scope === 'line' && discount.percent !== null && !isCountedByDocument)
    return isInPeriodsOfLine(line, discount)
  return isInPeriodsOfDocument(discount, document)
}

function isInPeriodsOfLine({ line, taxedOn, servicePeriod }: RatedLine, discount: DiscountInForce): boolean {
  const isCycling = line?.interval && servicePeriod
  if (!isCycling) return isWithin(taxedOn, discount.startsOn, discount.endsOn)
  const cycles = { anchor: line.billingCycleAnchor, interval: line.interval }
  return isWithin(servicePeriod.start, discount.startsOn, lastDiscountedEnd(discount, cycles, line.startsOn))
}

function isInPeriodsOfDocument(discount: DiscountInForce, document: DiscountedDocument): boolean {
  const isOncePerPeriod = discount.percent === null
  if (isOncePerPeriod && document.reason === 'final') return false
  if (isOncePerPeriod && document.reason === 'opening' && discount.subscriptionId === null) return false
  const { cycles, asOf } = document
  if (cycles === null) {
    // Where no periods are known, only the first bill of the discounted subscription is surely within them.
    const isFirst = document.reason === 'opening' && discount.subscriptionId !== null
    const isCounted = discount.periodCount === null || isFirst
    return isCounted && isWithin(asOf, discount.startsOn, discount.endsOn)
  }
  const begins =
    discount.subscriptionId === null ? cycles.anchor : firstDayOf(document, discount.subscriptionId)
  return isWithin(asOf, discount.startsOn, lastDiscountedEnd(discount, cycles, begins))
}

function firstDayOf({ lines, asOf }: DiscountedDocument, subscriptionId: string): string {
  return lines
    .filter((line) => line.subscriptionId === subscriptionId)
    .reduce((first, line) => earlierDate(first, line.firstStartsOn), asOf)
}

/**
 * The first day that is not discounted any more. The periods are counted from the one that begins with the discount's first
 * day, or with the line inside it; if both began before, that period is paid for, and the next one is the first.
 * @param begins first day of what is discounted
 */
function lastDiscountedEnd(
  discount: DiscountInForce,
  { anchor, interval }: { anchor: string; interval: BillingInterval },
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
