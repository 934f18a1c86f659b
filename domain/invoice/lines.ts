import Big from 'big.js'
import { assert } from '../assert.ts'
import {
  compareDates,
  cycleIndexOn,
  daysIn,
  earlierDate,
  fullCycle,
  intersect,
  laterDate,
  type BillingInterval,
  type Period,
} from '../calendar.ts'
import { roundHalfAwayFromZero } from '../money.ts'
import type { BillingTiming, BillingType } from '../product.ts'
import type { UsageQuantity } from '../usage.ts'

export type InvoiceLineKind = 'one_time' | 'recurring' | 'usage' | 'credit'

/** A subscription line as agreed, with what was billed of it so far. */
export interface BillableLine {
  readonly id: string
  readonly description: string
  readonly billingType: BillingType
  readonly billingTiming: BillingTiming
  /** Null for a one-time fee. */
  readonly interval: BillingInterval | null
  readonly billingCycleAnchor: string
  readonly quantity: string
  readonly unit: string
  /** Decimal in major units. */
  readonly unitPrice: string
  readonly startsOn: string
  /** The first day that is not served any more; null while open. */
  readonly endsOn: string | null
  readonly billed: readonly BilledPart[]
}

/** A charge or a credit that stands on a finalized document. One-time fees have no period. */
export interface BilledPart {
  readonly kind: InvoiceLineKind
  readonly servicePeriod: Period | null
  readonly amountMinor: number
}

/** What is due of a line, before it is priced. */
export type DuePart =
  | { readonly kind: 'one_time'; readonly line: BillableLine }
  | {
      readonly kind: 'recurring'
      readonly line: BillableLine
      readonly servicePeriod: Period
      readonly cycle: Period
    }
  | UsagePart
  | {
      readonly kind: 'credit'
      readonly line: BillableLine
      readonly servicePeriod: Period
      readonly charge: BilledPart
    }

export interface UsagePart {
  readonly kind: 'usage'
  readonly line: BillableLine
  readonly servicePeriod: Period
  readonly cycle: Period
}

/** A priced line, and how its amount came about. */
export interface InvoiceLineDraft {
  readonly kind: InvoiceLineKind
  readonly subscriptionLineId: string
  readonly description: string
  readonly billingType: BillingType
  readonly quantity: string
  readonly unit: string
  readonly unitPrice: string
  readonly servicePeriod: Period | null
  readonly amountMinor: number
  readonly explanation: InvoiceLineExplanation
}

/** Recomputing it gives the amount: `price × quantity × days / cycle days`, rounded once. */
export interface InvoiceLineExplanation {
  readonly formula: string
  readonly daysServed?: number
  readonly daysOfCycle?: number
  readonly usage?: UsageQuantity
}

/**
 * What is due of the lines on a date, oldest first. Advance parts are due on their first day, arrears and usage on the
 * day after their last, one-time fees when their line starts. Each line's periods tile its life; what was billed before
 * is not due again, and what was billed beyond a line's end is credited.
 */
export function dueParts(lines: readonly BillableLine[], asOf: string): DuePart[] {
  return lines.flatMap((line) => [...creditParts(line), ...chargeParts(line, asOf)])
}

function chargeParts(line: BillableLine, asOf: string): DuePart[] {
  if (compareDates(line.startsOn, asOf) > 0) return []
  if (line.interval === null) {
    return line.billed.some((part) => part.kind === 'one_time') ? [] : [{ kind: 'one_time', line }]
  }
  const kind = line.billingType === 'usage' ? 'usage' : 'recurring'
  const due: DuePart[] = []
  let from = billedUntil(line)
  for (let index = cycleIndexOn(line.billingCycleAnchor, line.interval, from); ; index += 1) {
    const cycle = fullCycle(line.billingCycleAnchor, line.interval, index)
    const servicePeriod = intersect({ start: from, end: line.endsOn }, cycle)
    if (!servicePeriod || !isDue(line, servicePeriod, asOf)) return due
    due.push({ kind, line, servicePeriod, cycle })
    from = servicePeriod.end
  }
}

function isDue(line: BillableLine, servicePeriod: Period, asOf: string): boolean {
  return compareDates(line.billingTiming === 'advance' ? servicePeriod.start : servicePeriod.end, asOf) <= 0
}

function billedUntil(line: BillableLine): string {
  return line.billed
    .filter((part) => part.kind !== 'credit')
    .reduce(
      (until, part) => (part.servicePeriod ? laterDate(until, part.servicePeriod.end) : until),
      line.startsOn,
    )
}

/** Charges that reach beyond the line's end, each credited once for the days that were not served. */
function creditParts(line: BillableLine): DuePart[] {
  const { endsOn } = line
  if (endsOn === null) return []
  return line.billed.flatMap((charge): DuePart[] => {
    if (
      charge.kind !== 'recurring' ||
      !charge.servicePeriod ||
      compareDates(charge.servicePeriod.end, endsOn) <= 0
    )
      return []
    const servicePeriod = {
      start: laterDate(charge.servicePeriod.start, endsOn),
      end: charge.servicePeriod.end,
    }
    return isCredited(line, servicePeriod) ? [] : [{ kind: 'credit', line, servicePeriod, charge }]
  })
}

function isCredited(line: BillableLine, period: Period): boolean {
  return line.billed.some(
    (part) =>
      part.kind === 'credit' &&
      part.servicePeriod !== null &&
      intersect(part.servicePeriod, period) !== undefined,
  )
}

/**
 * Prices what is due. One rounding per line, half away from zero. A part of a cycle costs the price times days served
 * by days of the full cycle: 24.95 for 22 of 30 days is 18.30. A credit is the same share of what was charged for that
 * part, and never more: 599.95 for May, ended on the 7th, is credited 483.83. Usage is never prorated.
 * @param usageOf the frozen quantity of a usage part
 */
export function rateParts(
  parts: readonly DuePart[],
  currency: string,
  usageOf: (part: UsagePart) => UsageQuantity,
): InvoiceLineDraft[] {
  return parts.map((part) => {
    if (part.kind === 'one_time') return rateOneTime(part.line, currency)
    if (part.kind === 'credit') return rateCredit(part)
    if (part.kind === 'usage') return rateUsage(part, currency, usageOf)
    return rateRecurring(part, currency)
  })
}

function rateOneTime(line: BillableLine, currency: string): InvoiceLineDraft {
  const amount = new Big(line.unitPrice).times(line.quantity)
  return {
    ...lineFacts(line),
    kind: 'one_time',
    servicePeriod: null,
    amountMinor: roundHalfAwayFromZero(amount, currency),
    explanation: { formula: `${line.quantity} × ${line.unitPrice}, once` },
  }
}

function rateRecurring(
  part: { line: BillableLine; servicePeriod: Period; cycle: Period },
  currency: string,
): InvoiceLineDraft {
  const { line, servicePeriod } = part
  const daysServed = daysIn(servicePeriod)
  const daysOfCycle = daysIn(part.cycle)
  const full = new Big(line.unitPrice).times(line.quantity)
  const isWhole = daysServed === daysOfCycle
  return {
    ...lineFacts(line),
    kind: 'recurring',
    servicePeriod,
    amountMinor: roundHalfAwayFromZero(isWhole ? full : prorate(full, daysServed, daysOfCycle), currency),
    explanation: {
      formula: `${line.quantity} × ${line.unitPrice}${isWhole ? '' : ` × ${daysServed} / ${daysOfCycle} days`}`,
      daysServed,
      daysOfCycle,
    },
  }
}

function rateUsage(
  part: UsagePart,
  currency: string,
  usageOf: (part: UsagePart) => UsageQuantity,
): InvoiceLineDraft {
  const usage = usageOf(part)
  return {
    ...lineFacts(part.line),
    kind: 'usage',
    quantity: usage.quantity,
    servicePeriod: part.servicePeriod,
    amountMinor: roundHalfAwayFromZero(new Big(usage.quantity).times(part.line.unitPrice), currency),
    explanation: { formula: `${usage.quantity} ${usage.unit} × ${part.line.unitPrice}`, usage },
  }
}

function rateCredit(part: {
  line: BillableLine
  servicePeriod: Period
  charge: BilledPart
}): InvoiceLineDraft {
  const charged = part.charge.servicePeriod
  assert(charged, 'a credit belongs to a charge of a period')
  const daysServed = daysIn(part.servicePeriod)
  const daysOfCycle = daysIn(charged)
  return {
    ...lineFacts(part.line),
    kind: 'credit',
    servicePeriod: part.servicePeriod,
    amountMinor: -roundMinor(prorate(new Big(part.charge.amountMinor), daysServed, daysOfCycle)),
    explanation: {
      formula: `-(amount charged) × ${daysServed} / ${daysOfCycle} days not served`,
      daysServed,
      daysOfCycle,
    },
  }
}

function lineFacts(line: BillableLine) {
  return {
    subscriptionLineId: line.id,
    description: line.description,
    billingType: line.billingType,
    quantity: line.quantity,
    unit: line.unit,
    unitPrice: line.unitPrice,
  }
}

/** Days served by days of the full cycle; exact enough (40 decimals) that only the one rounding after it counts. */
function prorate(amount: Big, daysServed: number, daysOfCycle: number): Big {
  const Exact = Big()
  Exact.DP = 40
  return new Big(new Exact(amount.toFixed()).times(daysServed).div(daysOfCycle).toFixed())
}

function roundMinor(amountMinor: Big): number {
  return Number(amountMinor.round(0, Big.roundHalfUp).toFixed(0))
}

/** First day of what the lines are for, and the first day after; undefined when all are one-time fees. */
export function spanOf(lines: readonly InvoiceLineDraft[]): Period | undefined {
  const periods = lines.flatMap((line) => (line.servicePeriod ? [line.servicePeriod] : []))
  const [first, ...others] = periods
  if (!first) return undefined
  return others.reduce(
    (span, period) => ({
      start: earlierDate(span.start, period.start),
      end: laterDate(span.end, period.end),
    }),
    first,
  )
}
