import Big from 'big.js'
import { anchorOn } from '../billing-cycle.ts'
import {
  addDays,
  compareDates,
  cycleHolding,
  cycleIndexOn,
  cyclePeriod,
  daysIn,
  intersect,
  laterDate,
  type Period,
} from '../calendar.ts'
import { roundHalfAwayFromZero } from '../money.ts'
import { fillMaximum, prorateMinimum, trueUp } from '../pricing/true-up.ts'
import { firstPaidDay } from './due.ts'
import type { DiscountedLine } from './discounting.ts'
import type { DocumentInput, SubscriptionBounds } from './document.ts'
import { spanOf, type BillableLine, type BilledPart, type InvoiceLineKind } from './lines.ts'
import type { RatedLine } from './rated-line.ts'

/** What counts towards the bounds of a period: fees that recur and usage, and what was given back of them. */
const counted: ReadonlySet<InvoiceLineKind> = new Set([
  'recurring',
  'usage',
  'late_usage',
  'credit',
  'true_up',
])

/** What a subscription is bound to in one cycle of its document. */
interface BoundPeriod {
  readonly bounds: SubscriptionBounds
  /** Its lines on this document. */
  readonly lines: readonly BillableLine[]
  readonly cycle: Period
  /** Its days that no period before a move of the anchor holds: the cycle itself where none was moved. */
  readonly ownDays: Period
  /** From the first of these days that it lives to the last. */
  readonly served: Period
  /** Those of them that a line serves: a pause leaves a hole. */
  readonly daysServed: number
}

/**
 * Holds each subscription within its bounds. What is above the greatest amount of a cycle is taken off the
 * lines of this document as a discount. What is missing to the least one is a true-up line, on the document that follows
 * the cycle, or on the last one: only then all lines of the cycle are known. Both are prorated by the days lived.
 */
export function holdBounds(lines: readonly DiscountedLine[], input: DocumentInput): DiscountedLine[] {
  const { cycles } = input
  if (cycles === null || input.bounds.length === 0) return [...lines]
  let held = [...lines]
  for (const bounds of input.bounds) {
    const own = input.lines.filter((line) => line.subscriptionId === bounds.subscriptionId)
    const periods = periodsOf(held, bounds, own, input)
    for (const period of periods) held = capLines(held, period, input)
    const ended = endedPeriod(bounds, own, input)
    const missing = ended === undefined ? [] : trueUpLine(held, ended, input)
    held = [...held, ...missing]
  }
  return held
}

/** Every cycle of which this document charges something. */
function periodsOf(
  lines: readonly DiscountedLine[],
  bounds: SubscriptionBounds,
  own: readonly BillableLine[],
  input: DocumentInput,
): BoundPeriod[] {
  const starts = lines
    .filter(({ rated }) => isCounted(rated, bounds) && rated.ratedMinor > 0)
    .flatMap(({ rated }) => (rated.servicePeriod ? [rated.servicePeriod.start] : []))
  const periods = [...new Set(starts)].flatMap((day) => boundPeriod(bounds, own, input, day) ?? [])
  return [...new Map(periods.map((period) => [period.ownDays.start, period])).values()]
}

/** The cycle before a period's document, or the last one of what ends; whatever ends soon is settled by its own final bill. */
function endedPeriod(
  bounds: SubscriptionBounds,
  own: readonly BillableLine[],
  input: DocumentInput,
): BoundPeriod | undefined {
  const { reason, asOf } = input
  if (reason === 'opening') return undefined
  const last = addDays(asOf, -1)
  // A one-time fee has no end.
  const isOver = own
    .filter((line) => line.interval !== null)
    .every((line) => line.endsOn !== null && compareDates(line.endsOn, asOf) <= 0)
  if ((reason === 'final') !== isOver) return undefined
  return boundPeriod(bounds, own, input, last)
}

function boundPeriod(
  bounds: SubscriptionBounds,
  lines: readonly BillableLine[],
  { cycles }: DocumentInput,
  day: string,
): BoundPeriod | undefined {
  const recurring = lines.filter((line) => line.interval !== null)
  const [first] = recurring
  if (!first || cycles === null) return undefined
  const { interval } = cycles
  const { formerAnchor } = first
  const anchor = anchorOn({ billingCycleAnchor: cycles.anchor, formerAnchor }, day)
  const cycle =
    compareDates(day, anchor) < 0
      ? cycleHolding(anchor, interval, day)
      : cyclePeriod(anchor, interval, cycleIndexOn(anchor, interval, day))
  const isAfterMove = formerAnchor !== undefined && compareDates(formerAnchor.until, day) <= 0
  const ownDays = isAfterMove ? { ...cycle, start: laterDate(cycle.start, formerAnchor.until) } : cycle
  const lived = recurring.flatMap(
    (line) => intersect({ start: firstPaidDay(line), end: line.endsOn }, ownDays) ?? [],
  )
  const served = spanOf(lived.map((servicePeriod) => ({ servicePeriod })))
  return served && { bounds, lines, cycle, ownDays, served, daysServed: countDays(lived) }
}

/** Each day once, however many lines serve it. */
function countDays(periods: readonly Period[]): number {
  let until = ''
  let days = 0
  for (const period of periods.toSorted((first, second) => compareDates(first.start, second.start))) {
    const fresh = intersect({ start: until, end: null }, period)
    if (!fresh) continue
    days += daysIn(fresh)
    until = fresh.end
  }
  return days
}

function capLines(
  lines: readonly DiscountedLine[],
  period: BoundPeriod,
  input: DocumentInput,
): DiscountedLine[] {
  const { greatestAmount } = period.bounds
  if (greatestAmount === null) return [...lines]
  const greatestMinor = boundMinor(greatestAmount, period, input.currency)
  const charges = lines.filter((line) => isCharge(line, period))
  const others = lines.filter((line) => isWithin(line.rated, period) && !isCharge(line, period))
  const before = [...billedBefore(period, input), ...others.map((line) => line.leftMinor)]
  const { discounts } = fillMaximum(
    new Big(greatestMinor),
    before.reduce((sum, minor) => sum.plus(minor), new Big(0)),
    charges.map((line) => new Big(line.leftMinor)),
  )
  const off = new Map(charges.map((line, index) => [line, Number(discounts[index]?.toFixed() ?? 0)]))
  return lines.map((line) => {
    const amountMinor = off.get(line) ?? 0
    if (amountMinor === 0) return line
    const discounts = [...line.discounts, { name: `at most ${greatestAmount} a period`, amountMinor }]
    return { ...line, discounts, leftMinor: line.leftMinor - amountMinor }
  })
}

function trueUpLine(
  lines: readonly DiscountedLine[],
  period: BoundPeriod,
  input: DocumentInput,
): DiscountedLine[] {
  const { leastAmount } = period.bounds
  const [line] = period.lines
  if (leastAmount === null || !line) return []
  const leastMinor = boundMinor(leastAmount, period, input.currency)
  const current = lines.filter(({ rated }) => isWithin(rated, period)).map(({ leftMinor }) => leftMinor)
  const all = [...billedBefore(period, input), ...current]
  const missingMinor = Number(
    trueUp(
      new Big(leastMinor),
      all.map((minor) => new Big(minor)),
    ).toFixed(),
  )
  if (missingMinor === 0) return []
  const { daysServed } = period
  const daysOfCycle = daysIn(period.cycle)
  const share = daysServed === daysOfCycle ? '' : ` × ${daysServed} / ${daysOfCycle} days`
  const rated: RatedLine = {
    kind: 'true_up',
    line,
    subscriptionId: line.subscriptionId,
    productId: line.productId,
    oneOffChargeId: null,
    mirror: null,
    description: 'Up to the amount agreed at least',
    billingType: 'flat',
    quantity: '1',
    unit: 'period',
    unitPrice: null,
    servicePeriod: period.served,
    ratedMinor: missingMinor,
    taxCategory: line.taxCategory,
    taxedOn: period.served.start,
    lateEventIds: [],
    explanation: {
      formula: `at least ${leastAmount}${share}, less what the lines of the period come to`,
      daysServed,
      daysOfCycle,
    },
  }
  return [{ rated, discounts: [], leftMinor: missingMinor }]
}

function boundMinor(amount: string, { daysServed, cycle }: BoundPeriod, currency: string): number {
  const share = { numerator: daysServed, denominator: daysIn(cycle) }
  return prorateMinimum(roundHalfAwayFromZero(new Big(amount), currency), share)
}

/** What earlier documents hold of the period, as it was priced. */
function billedBefore(period: BoundPeriod, input: DocumentInput): number[] {
  return period.lines
    .flatMap((line) => line.billed)
    .filter((part) => counted.has(part.kind) && isIn(part.servicePeriod, period.ownDays))
    .map((part) => pricedMinor(part, input))
}

function pricedMinor(part: BilledPart, { tax }: DocumentInput): number {
  return tax.arePricesInclusive ? part.amountMinor + part.taxMinor : part.amountMinor
}

function isCounted(rated: RatedLine, bounds: SubscriptionBounds): boolean {
  return rated.subscriptionId === bounds.subscriptionId && counted.has(rated.kind)
}

function isWithin(rated: RatedLine, period: BoundPeriod): boolean {
  return isCounted(rated, period.bounds) && isIn(rated.servicePeriod, period.ownDays)
}

function isCharge({ rated, leftMinor }: DiscountedLine, period: BoundPeriod): boolean {
  return isWithin(rated, period) && leftMinor > 0
}

function isIn(servicePeriod: Period | null, days: Period): boolean {
  return (
    servicePeriod !== null &&
    compareDates(days.start, servicePeriod.start) <= 0 &&
    compareDates(servicePeriod.start, days.end) < 0
  )
}
