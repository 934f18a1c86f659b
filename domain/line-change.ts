import Big from 'big.js'
import { addDays, compareDates, daysIn, earlierDate, laterDate } from './calendar.ts'
import { BusinessError, fieldError } from './errors.ts'
import { nextBoundary } from './invoicing-dates.ts'
import { billedBeyond, checkLineAction, checkSuccession, type Line, type RenewalTerms } from './line.ts'

/** What becomes of a line: itself with new dates, and the line that follows it. Nothing is done yet. */
export interface LineChange {
  readonly line: Line
  readonly successor: Line | null
}

/**
 * Ends a line on a day, which is not served any more; a line that has not begun by then is cancelled. A later day than
 * its end changes no date: stopping never prolongs. Either way it does not renew.
 * @param when.endsOn the first day that is not served
 * @throws `action_not_allowed`, `before_last_billed_day`
 */
export function stopLine(line: Line, when: { endsOn: string; today: string }): LineChange {
  checkLineAction(line, 'stop', when.today)
  const endsOn = line.endsOn === null ? when.endsOn : earlierDate(line.endsOn, when.endsOn)
  if (line.billedUntil !== null && compareDates(endsOn, line.billedUntil) < 0)
    throw billedBeyond(endsOn, line.billedUntil)
  if (compareDates(endsOn, line.startsOn) <= 0) return cancelLine(line, when.today)
  return { line: { ...line, endsOn, renewal: 'none' }, successor: null }
}

/** Withdraws a line as if it had never begun. @throws `action_not_allowed` */
export function cancelLine(line: Line, today: string): LineChange {
  checkLineAction(line, 'cancel', today)
  return { line: { ...line, isCancelled: true, renewal: 'none' }, successor: null }
}

/** Brings a cancelled line back; it does not renew before a person says so. @throws `action_not_allowed` */
export function uncancelLine(line: Line, today: string): LineChange {
  checkLineAction(line, 'uncancel', today)
  return { line: { ...line, isCancelled: false }, successor: null }
}

/** Moves a line that was never billed, start and end, by so many days. @throws `action_not_allowed` */
export function delayLine(line: Line, days: number, today: string): LineChange {
  checkLineAction(line, 'delay', today)
  return { line: shift(line, days), successor: null }
}

/**
 * Plans the line that follows: on the day the other ends or later, so that they never share a day.
 * @throws `action_not_allowed`, `date_range_invalid`
 */
export function planSuccessor(
  line: Line,
  plan: { startsOn: string; endsOn: string | null; renewal: Line['renewal']; today: string },
): LineChange {
  checkLineAction(line, 'successor', plan.today)
  checkSuccession(line, plan)
  if (plan.endsOn !== null && compareDates(plan.endsOn, plan.startsOn) < 0)
    throw new BusinessError('date_range_invalid', 'The successor would end before it starts.')
  return { line: { ...line, hasSuccessor: true }, successor: newLine(plan) }
}

/**
 * Changes a line from a day: it ends there, and its successor serves the rest of its days (C-25). The day of the change
 * belongs to the new terms. Changed from its first day or earlier, it keeps no day at all and bills nothing (C-32).
 * What was billed beyond that day is credited by the invoice, so that a billed line can be changed as well.
 * @throws `action_not_allowed`
 */
export function replaceLine(line: Line, when: { startsOn: string; today: string }): LineChange {
  checkLineAction(line, 'pause', when.today, 'A change')
  const startsOn = laterDate(line.startsOn, when.startsOn)
  if (line.endsOn !== null && compareDates(startsOn, line.endsOn) >= 0)
    throw new BusinessError('action_not_allowed', `The line ends on ${line.endsOn}, before the change.`)
  return cut(line, startsOn, newLine({ startsOn, endsOn: line.endsOn, renewal: line.renewal }))
}

/**
 * Leaves out the days of a pause (C-34). The line ends where the pause begins, a successor starts after it, and the end
 * moves by as many days, so that none that was paid for is lost: to 31 December, paused for ten days, it ends on 10
 * January. A line that begins inside the pause begins after it; one that begins later moves by the whole pause; one
 * that has ended before stays. An open pause has no successor until it is resumed.
 * @throws `action_not_allowed`, `date_range_invalid` for a pause of no day
 */
export function pauseLine(
  line: Line,
  pause: { start: string; end: string | null; today: string },
): LineChange {
  checkLineAction(line, 'pause', pause.today)
  if (pause.end === null) return pauseOpenly(line, pause.start)
  if (compareDates(pause.end, pause.start) <= 0)
    throw new BusinessError('date_range_invalid', 'A pause has at least one day.')
  if (line.endsOn !== null && compareDates(line.endsOn, pause.start) <= 0) return { line, successor: null }
  if (compareDates(line.startsOn, pause.start) < 0)
    return cut(line, pause.start, resumed(line, pause.start, pause.end))
  const delayedFrom = compareDates(line.startsOn, pause.end) < 0 ? line.startsOn : pause.start
  const moved = shift(line, daysIn({ start: delayedFrom, end: pause.end }))
  if (line.billedUntil === null) return { line: moved, successor: null }
  // What was billed stands in documents by its days, so the line keeps them, and the days to come are another line's.
  return cut(line, line.startsOn, { ...moved, billedUntil: null })
}

/**
 * The line that goes on after an open pause, the same that a pause with this end would have left; null when the line had
 * ended before it was paused. Resumed on the day it was paused, it goes on as if nothing had been.
 * @param paused the line as it was before it was paused
 */
export function resumeLine(paused: Line, dates: { pausedOn: string; resumedOn: string }): Line | null {
  const { pausedOn, resumedOn } = dates
  if (paused.endsOn !== null && compareDates(paused.endsOn, pausedOn) <= 0) return null
  if (compareDates(resumedOn, pausedOn) <= 0)
    return newLine({ ...paused, startsOn: laterDate(paused.startsOn, pausedOn) })
  const { line, successor } = pauseLine(paused, { start: pausedOn, end: resumedOn, today: pausedOn })
  return successor ?? line
}

function pauseOpenly(line: Line, pausedOn: string): LineChange {
  if (line.endsOn !== null && compareDates(line.endsOn, pausedOn) <= 0) return { line, successor: null }
  const endsOn = laterDate(line.startsOn, pausedOn)
  return { line: { ...line, endsOn, renewal: 'asked' }, successor: null }
}

function resumed(line: Line, pausedOn: string, startsOn: string): Line {
  const pausedDays = daysIn({ start: pausedOn, end: startsOn })
  const endsOn = line.endsOn === null ? null : addDays(line.endsOn, pausedDays)
  return newLine({ startsOn, endsOn, renewal: line.renewal })
}

/**
 * Renews a fixed term at its end: the same line with a later end, or a successor for the next term. One year from
 * 1 January 2022: the successor serves 2023.
 * @throws `action_not_allowed` when it has no end, was cancelled, or something follows it already
 */
export function renewLine(line: Line, terms: RenewalTerms): LineChange {
  if (line.endsOn === null || line.isCancelled || line.hasSuccessor || line.renewal === 'none')
    throw new BusinessError('action_not_allowed', 'Only a running term that is to renew can be renewed.')
  const endsOn = nextBoundary(line.startsOn, terms.every, line.endsOn)
  if (terms.by === 'extension') return { line: { ...line, endsOn }, successor: null }
  return {
    line: { ...line, renewal: 'none', hasSuccessor: true },
    successor: newLine({ startsOn: line.endsOn, endsOn, renewal: line.renewal }),
  }
}

/** What stays with a customer, and what another takes over from a day (C-46). Quantities are decimals. */
export interface Transfer {
  readonly keptQuantity: string
  readonly movedQuantity: string
  /** The giver's line ends; when a part stays, its successor keeps it. */
  readonly given: LineChange
  /** The taker's line. It refers back to the one it came from. */
  readonly taken: Line
}

/**
 * Hands a quantity of a line to another customer. 10 users split 6 and 4 from 1 May: the giver's line ends, a successor
 * keeps 6, the taker's line begins with 4. Handing over everything leaves no successor.
 * @throws `quantity_invalid` when it is nothing, or more than there is; `action_not_allowed`
 */
export function transferLine(
  line: Line,
  transfer: { quantity: string; movedQuantity: string; startsOn: string; today: string },
): Transfer {
  const [whole, moved] = [new Big(transfer.quantity), new Big(transfer.movedQuantity)]
  if (moved.lte(0) || moved.gt(whole))
    throw fieldError(
      '/quantity',
      'quantity_invalid',
      `Between 0 and ${transfer.quantity} can be handed over.`,
    )
  const kept = whole.minus(moved)
  const replaced = replaceLine(line, transfer)
  const successor = replaced.successor
  if (successor === null)
    throw new BusinessError('action_not_allowed', 'Nothing is left of the line to hand over.')
  const given = kept.eq(0) ? { line: { ...replaced.line, hasSuccessor: false }, successor: null } : replaced
  return { keptQuantity: kept.toFixed(), movedQuantity: moved.toFixed(), given, taken: { ...successor } }
}

/** Ends a line where its successor, or the pause before it, begins. Renewal is the successor's; should that be cancelled, a person decides. */
function cut(line: Line, endsOn: string, successor: Line): LineChange {
  return { line: { ...line, endsOn, renewal: 'asked', hasSuccessor: true }, successor }
}

function newLine(dates: Pick<Line, 'startsOn' | 'endsOn' | 'renewal'>): Line {
  return {
    startsOn: dates.startsOn,
    endsOn: dates.endsOn,
    renewal: dates.renewal,
    billedUntil: null,
    isCancelled: false,
    hasSuccessor: false,
    hasRival: false,
  }
}

function shift(line: Line, days: number): Line {
  return {
    ...line,
    startsOn: addDays(line.startsOn, days),
    endsOn: line.endsOn === null ? null : addDays(line.endsOn, days),
  }
}
