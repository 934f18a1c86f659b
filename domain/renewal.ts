import { addDays, compareDates, cycleIndexOn, cyclePeriod, type BillingInterval } from './calendar.ts'

/** A line that was agreed for a length, and what happens at its end (C-35). */
export interface FixedTerm {
  readonly startsOn: string
  readonly length: BillingInterval
  /** How long before the end it must be told that it shall end. */
  readonly notice: BillingInterval
  readonly isRenewed: boolean
}

export interface TermOnDate {
  readonly startsOn: string
  /** The first day after the term. */
  readonly endsOn: string
  /** From this day on notice comes too late for this term. */
  readonly noticeUntil: string
  /** The term's last day, on which it is renewed; null when it is not. */
  readonly renewsOn: string | null
  readonly state: 'running' | 'to_renew' | 'ending' | 'ended'
}

/**
 * The term that holds a date. One year from 1 March 2026 with one month's notice is `running` until 31 January 2027 and
 * then `to_renew`, or `ending` where it is not renewed; it is renewed on 28 February. Terms are counted from the first
 * start, so that 31 January stays 31 January.
 */
export function termOn(term: FixedTerm, date: string): TermOnDate {
  const index = term.isRenewed ? cycleIndexOn(term.startsOn, term.length, date) : 0
  const { start, end } = cyclePeriod(term.startsOn, term.length, index)
  const noticeUntil = subtractInterval(end, term.notice)
  const isEnded = !term.isRenewed && compareDates(end, date) <= 0
  const isInNotice = compareDates(noticeUntil, date) <= 0
  const inNotice = term.isRenewed ? 'to_renew' : 'ending'
  return {
    startsOn: start,
    endsOn: end,
    noticeUntil,
    renewsOn: term.isRenewed ? addDays(end, -1) : null,
    state: isEnded ? 'ended' : isInNotice ? inNotice : 'running',
  }
}

/**
 * The first day after the term that ends when notice is given on a date: the running one, or, where notice comes too late,
 * the next. A year to 28 February with a month's notice: told on 31 January it ends on 1 March, told on 1 February a year later.
 */
export function endOnNotice(term: FixedTerm, date: string): string {
  const { endsOn, state } = termOn(term, date)
  return state === 'to_renew' ? termOn(term, endsOn).endsOn : endsOn
}

function subtractInterval(date: string, interval: BillingInterval): string {
  const length = interval.unit === 'day' ? { days: interval.count } : { months: interval.count }
  return Temporal.PlainDate.from(date).subtract(length).toString()
}
