import Big from 'big.js'
import { addDays, compareDates, daysIn, intersect, type Period } from '../calendar.ts'
import { roundHalfAwayFromZero } from '../money.ts'
import { fillMaximum, prorateMinimum, trueUp } from '../pricing/true-up.ts'
import { boundPeriod, cycleOn, endedPeriods, heldBy, type BoundPeriod, type Held } from './bound-period.ts'
import type { DiscountedLine } from './discounting.ts'
import type { DocumentInput } from './document.ts'
import type { BilledPart, InvoiceLineKind } from './lines.ts'
import type { RatedLine } from './rated-line.ts'

/** What counts towards the bounds of a period: fees that recur and usage, and what was given back of them. */
const counted: ReadonlySet<InvoiceLineKind> = new Set([
  'recurring',
  'usage',
  'late_usage',
  'credit',
  'true_up',
])

/**
 * Holds each subscription within its bounds. What is above the greatest amount of a cycle is taken off the
 * lines of its document as a discount. What is missing to the least one is a true-up line, on the document that follows
 * the cycle, or on the last one: only then all lines of the cycle are known. Both are prorated by the days lived.
 */
export function holdBounds(lines: readonly DiscountedLine[], input: DocumentInput): DiscountedLine[] {
  let within = [...lines]
  for (const bounds of input.bounds) {
    const held = heldBy(bounds, input)
    if (held === undefined) continue
    for (const period of chargedPeriods(within, held)) within = capLines(within, period, input)
    for (const period of endedPeriods(held, input)) within = [...within, ...trueUpLine(within, period, input)]
  }
  return within
}

/** Every cycle of which this document charges something. */
function chargedPeriods(lines: readonly DiscountedLine[], held: Held): BoundPeriod[] {
  const starts = lines
    .filter(({ rated }) => isCounted(rated, held) && rated.ratedMinor > 0)
    .flatMap(({ rated }) => (rated.servicePeriod ? [rated.servicePeriod.start] : []))
    .filter((day) => intersect(held.days, { start: day, end: addDays(day, 1) }) !== undefined)
  const periods = [...new Set(starts)].flatMap((day) => boundPeriod(held, cycleOn(held, day)) ?? [])
  return [...new Map(periods.map((period) => [period.ownDays.start, period])).values()]
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
    .filter((part) => counted.has(part.kind) && isIn(part.servicePeriod, period.countedDays))
    .map((part) => pricedMinor(part, input))
}

function pricedMinor(part: BilledPart, { tax }: DocumentInput): number {
  return tax.arePricesInclusive ? part.amountMinor + part.taxMinor : part.amountMinor
}

function isCounted(rated: RatedLine, { lineIds }: Pick<BoundPeriod, 'lineIds'>): boolean {
  return counted.has(rated.kind) && lineIds.has(rated.line?.id ?? '')
}

function isWithin(rated: RatedLine, period: BoundPeriod): boolean {
  return isCounted(rated, period) && isIn(rated.servicePeriod, period.countedDays)
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
