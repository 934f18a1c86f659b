import { anchorOn } from '../billing-cycle.ts'
import {
  addDays,
  compareDates,
  cycleHolding,
  cycleIndexOn,
  cyclePeriod,
  daysIn,
  earlierDate,
  intersect,
  laterDate,
  type Period,
} from '../calendar.ts'
import type { BoundStretch } from './bound-stretch.ts'
import type { DocumentInput, SubscriptionBounds } from './document.ts'
import { firstPaidDay } from './due.ts'
import { spanOf, type BillableLine } from './lines.ts'

/** What of a bill is held within one pair of bounds. */
export interface Held extends Omit<BoundStretch, 'settledUntil'> {
  readonly bounds: SubscriptionBounds
  /** Its lines on the document on which they are held. */
  readonly lines: readonly BillableLine[]
  /** Undefined: only the period that ends with the bill. */
  readonly settledUntil: string | null | undefined
}

/** What a subscription is bound to in one cycle of its document. */
export interface BoundPeriod extends Pick<Held, 'bounds' | 'lines' | 'lineIds'> {
  readonly cycle: Period
  /** Its days that no period before a move of the anchor holds, and on which the bounds are held on this document. */
  readonly ownDays: Period
  /** What begins on these days counts: also what was given back of them when a change cut them short. */
  readonly countedDays: Period
  /** From the first of these days that it lives to the last. */
  readonly served: Period
  /** Those of them that a line serves: a pause leaves a hole. */
  readonly daysServed: number
}

/** Undefined where it is not known on which document. */
export function heldBy(bounds: SubscriptionBounds, input: DocumentInput): Held | undefined {
  const own = input.lines.filter((line) => line.subscriptionId === bounds.subscriptionId)
  if (bounds.held !== undefined) {
    const { held } = bounds
    return { ...held, bounds, lines: own.filter((line) => held.lineIds.has(line.id)) }
  }
  if (input.cycles === null) return undefined
  const ends = own.filter((line) => line.interval !== null).map((line) => line.endsOn)
  return {
    bounds,
    lines: own,
    lineIds: new Set(own.map((line) => line.id)),
    cycles: input.cycles,
    days: { start: '', end: null },
    // A one-time fee has no end.
    endsOn: ends.includes(null) ? null : (ends.toSorted(compareEnds).at(-1) ?? null),
    settledUntil: undefined,
  }
}

function compareEnds(first: string | null, second: string | null): number {
  return compareDates(first ?? '', second ?? '')
}

/**
 * The periods that ended since the document's last bill, oldest first: the one before it, all that a forced next invoice
 * passed over, and the one that a change of interval cut off. Whatever ends soon is settled by its own final bill.
 */
export function endedPeriods(
  held: Held,
  { reason, asOf, arrearsUntil = asOf }: DocumentInput,
): BoundPeriod[] {
  const isOver = held.endsOn !== null && compareDates(held.endsOn, asOf) <= 0
  if (reason === 'opening' || reason === 'early' || (reason === 'final') !== isOver) return []
  const begins = held.lines.filter((line) => line.interval !== null).map((line) => line.startsOn)
  const first = begins.toSorted(compareDates)[0]
  if (first === undefined) return []
  const periods: BoundPeriod[] = []
  let day = addDays(held.days.end === null ? arrearsUntil : earlierDate(arrearsUntil, held.days.end), -1)
  while (compareDates(first, day) <= 0 && compareDates(held.days.start, day) <= 0) {
    const period = cycleOn(held, day)
    const { start, end } = period.ownDays
    if (compareDates(earlierDate(end, arrearsUntil), held.settledUntil ?? '') <= 0) break
    day = addDays(start, -1)
    // An invoice that is made before its period leaves the one that is not over to the next invoice.
    if (reason === 'period' && compareDates(end, arrearsUntil) > 0) continue
    const bound = boundPeriod(held, period)
    if (bound !== undefined) periods.unshift(bound)
    if (held.settledUntil === undefined) break
  }
  return periods
}

/** The cycle that holds a day, and those of its days on which the bounds are held. */
export function cycleOn(
  { cycles, lines, days }: Held,
  day: string,
): Pick<BoundPeriod, 'cycle' | 'ownDays' | 'countedDays'> {
  const formerAnchor = lines.find((line) => line.interval !== null)?.formerAnchor
  const { interval } = cycles
  const anchor = anchorOn({ billingCycleAnchor: cycles.anchor, formerAnchor }, day)
  const cycle =
    compareDates(day, anchor) < 0
      ? cycleHolding(anchor, interval, day)
      : cyclePeriod(anchor, interval, cycleIndexOn(anchor, interval, day))
  const isAfterMove = formerAnchor !== undefined && compareDates(formerAnchor.until, day) <= 0
  const afterMove = isAfterMove ? { ...cycle, start: laterDate(cycle.start, formerAnchor.until) } : cycle
  const ownDays = intersect(days, afterMove) ?? afterMove
  return { cycle, ownDays, countedDays: { start: ownDays.start, end: afterMove.end } }
}

/** Undefined where no line is served in it. */
export function boundPeriod(
  { bounds, lines, lineIds }: Held,
  { cycle, ownDays, countedDays }: Pick<BoundPeriod, 'cycle' | 'ownDays' | 'countedDays'>,
): BoundPeriod | undefined {
  const lived = lines
    .filter((line) => line.interval !== null)
    .flatMap((line) => intersect({ start: firstPaidDay(line), end: line.endsOn }, ownDays) ?? [])
  const served = spanOf(lived.map((servicePeriod) => ({ servicePeriod })))
  return (
    served && { bounds, lines, lineIds, cycle, ownDays, countedDays, served, daysServed: countDays(lived) }
  )
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
