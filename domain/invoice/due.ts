import Big from 'big.js'
import { anchorOn, type FormerAnchor } from '../billing-cycle.ts'
import {
  compareDates,
  cycleHolding,
  cycleIndexOn,
  addDays,
  daysIn,
  earlierDate,
  fullCycle,
  intersect,
  laterDate,
  type BillingInterval,
  type Period,
} from '../calendar.ts'
import type { Terms } from '../terms.ts'
import type { BillableLine, BilledPart, DuePart, UsagePart } from './lines.ts'

/**
 * What is due of the lines on a date, oldest first. Advance parts are due on their first day, or so many days before as
 * their line says, arrears and usage on the day after their last, one-time fees when their line starts. Each line's periods tile its life, from the first day after
 * its trial to its end or its last instalment; what was billed before is not due again, and what was billed beyond a
 * line's end is credited, unless its terms keep it.
 */
export function dueParts(lines: readonly BillableLine[], asOf: string): DuePart[] {
  return lines.flatMap((line) => [...creditParts(line), ...chargeParts(line, asOf)])
}

function chargeParts(line: BillableLine, asOf: string): DuePart[] {
  const paidFrom = firstPaidDay(line)
  if (line.interval === null) {
    if (compareDates(paidFrom, asOf) > 0) return []
    return line.billed.some((part) => part.kind === 'one_time') ? [] : [{ kind: 'one_time', line }]
  }
  const kind = line.billingType === 'usage' ? 'usage' : 'recurring'
  const due: DuePart[] = []
  const end = lastPaidEnd(line)
  let from = billedUntil(line, paidFrom)
  for (;;) {
    const cycle = cycleOf(anchorOn(line, from), line.interval, from)
    const servicePeriod = intersect({ start: from, end }, cycle)
    if (!servicePeriod || !isDue(line, servicePeriod, asOf)) return due
    due.push(
      kind === 'usage'
        ? { kind, line, servicePeriod, cycle, ...billedEarlyIn(line, cycle) }
        : { kind, line, servicePeriod, cycle },
    )
    from = servicePeriod.end
  }
}

/** What was billed of a cycle that was billed early, late usage of its days included. */
function billedEarlyIn({ billed }: BillableLine, cycle: Period): Pick<UsagePart, 'billedQuantity'> {
  const ofCycle = billed.filter(
    ({ kind, servicePeriod }) =>
      (kind === 'usage' || kind === 'late_usage') &&
      servicePeriod !== null &&
      compareDates(cycle.start, servicePeriod.start) <= 0 &&
      compareDates(servicePeriod.end, cycle.end) <= 0,
  )
  if (!ofCycle.some(({ isEarly }) => isEarly)) return {}
  const billedQuantity = ofCycle.reduce(
    (sum, { meteredQuantity = '0' }) => sum.plus(meteredQuantity),
    new Big(0),
  )
  return { billedQuantity: billedQuantity.toFixed() }
}

/** A line may begin before its document does, for it was agreed later: the cycles before the anchor are counted back from it. */
function cycleOf(anchor: string, interval: BillingInterval, day: string): Period {
  if (compareDates(day, anchor) < 0) return cycleHolding(anchor, interval, day)
  return fullCycle(anchor, interval, cycleIndexOn(anchor, interval, day))
}

function isDue(line: BillableLine, servicePeriod: Period, asOf: string): boolean {
  const { billingTiming, advanceDays = 0 } = line
  if (billingTiming !== 'advance') return compareDates(servicePeriod.end, asOf) <= 0
  return compareDates(servicePeriod.start, addDays(asOf, advanceDays)) <= 0
}

/** The trial is counted from the first day of the whole life, so that a change inside it begins no new one. */
export function firstPaidDay(line: BillableLine): string {
  if (line.terms.trialDays === 0) return line.startsOn
  return laterDate(line.startsOn, addDays(line.firstStartsOn, line.terms.trialDays))
}

/** Instalments are counted in cycles from the first that is paid, also over a change of the line. Null is without end. */
export function lastPaidEnd(line: BillableLine): string | null {
  const { interval, billingCycleAnchor: anchor, terms } = line
  if (interval === null || terms.periodCount === null) return line.endsOn
  let paid = addDays(line.firstStartsOn, terms.trialDays)
  for (let count = 0; count < terms.periodCount; count += 1) paid = cycleOf(anchor, interval, paid).end
  return line.endsOn === null ? paid : earlierDate(line.endsOn, paid)
}

/**
 * The terms at which another customer has the line from a day on: what is left of its trial, and the instalments that have
 * not ended by then. Of 12 a month from 1 January, handed over on 1 May, 8 are left.
 */
export function termsLeftOn(
  line: {
    readonly terms: Terms
    readonly firstStartsOn: string
    readonly interval: BillingInterval
    readonly billingCycleAnchor: string
    readonly formerAnchor?: FormerAnchor | null
  },
  day: string,
): Terms {
  const { interval, terms } = line
  let paid = addDays(line.firstStartsOn, terms.trialDays)
  const trialDays = compareDates(day, paid) < 0 ? daysIn({ start: day, end: paid }) : 0
  let { periodCount } = terms
  while (periodCount !== null && periodCount > 0) {
    paid = cycleOf(anchorOn(line, paid), interval, paid).end
    if (compareDates(day, paid) < 0) break
    periodCount -= 1
  }
  return { ...terms, trialDays, periodCount }
}

/**
 * Usage up to the end of its subscription, which bills it itself, after the closing reading: a document's bill may come
 * before. A line that ends earlier, because another follows it, is read as any other.
 */
export function isClosingUsage(part: DuePart, subscriptionEndsOn: string | null): boolean {
  if (part.kind !== 'usage' || part.line.endsOn !== part.servicePeriod.end) return false
  return subscriptionEndsOn !== null && compareDates(part.line.endsOn, subscriptionEndsOn) >= 0
}

function billedUntil(line: BillableLine, from: string): string {
  return line.billed
    .filter((part) => part.kind === 'recurring' || part.kind === 'usage')
    .reduce((until, part) => (part.servicePeriod ? laterDate(until, part.servicePeriod.end) : until), from)
}

/** Charges that reach beyond the line's end, each credited once for the days that were not served. */
function creditParts(line: BillableLine): DuePart[] {
  const { endsOn, terms } = line
  // Also where unused time is not given back, a line of no day bills nothing (C-32).
  const isServed = endsOn !== null && compareDates(line.startsOn, endsOn) < 0
  if (endsOn === null || (isServed && (terms.unusedTime === 'keep' || terms.proration === 'none'))) return []
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
    const isDone = isBilledAnew(line, charge) || isCredited(line, charge, servicePeriod)
    return isDone ? [] : [{ kind: 'credit', line, servicePeriod, charge }]
  })
}

/** Only what was annulled is billed anew: its days are credited with the charge that took its place. */
function isBilledAnew({ billed }: BillableLine, charge: BilledPart): boolean {
  return billed.slice(billed.indexOf(charge) + 1).some((part) => {
    if (part.kind !== 'recurring' || !part.servicePeriod || !charge.servicePeriod) return false
    return intersect(part.servicePeriod, charge.servicePeriod) !== undefined
  })
}

/** Credited for these days, or as a whole: nothing is left of the charge to give back. */
function isCredited(line: BillableLine, charge: BilledPart, period: Period): boolean {
  return (
    (charge.amountMinor > 0 && charge.creditedMinor >= charge.amountMinor) ||
    line.billed.some(
      (part) =>
        part.kind === 'credit' &&
        part.servicePeriod !== null &&
        intersect(part.servicePeriod, period) !== undefined,
    )
  )
}
