import { addDays, compareDates, type BillingInterval } from './calendar.ts'
import { BusinessError } from './errors.ts'

/**
 * What decides the life of a subscription line: its dates, and how it stands to the lines before and after it. Days are
 * half-open: `endsOn` is the first day that is not served, `billedUntil` the first that was not billed.
 */
export interface Line {
  readonly startsOn: string
  /** Null while open. */
  readonly endsOn: string | null
  /** Null while nothing was billed. */
  readonly billedUntil: string | null
  /** Withdrawn as if it had never begun. */
  readonly isCancelled: boolean
  /** What happens at the end: it renews by itself, a person has to decide, or it is over (C-35). */
  readonly renewal: 'automatic' | 'asked' | 'none'
  readonly hasSuccessor: boolean
  /** The line before it has got another successor since this one was cancelled. */
  readonly hasRival: boolean
}

export type LineState = 'planned' | 'running' | 'to_renew' | 'ending' | 'ended' | 'cancelled'
export const lineStates: readonly LineState[] = [
  'planned',
  'running',
  'to_renew',
  'ending',
  'ended',
  'cancelled',
]

export type LineAction = 'successor' | 'pause' | 'stop' | 'cancel' | 'uncancel' | 'delay' | 'delete'
export const lineActions: readonly LineAction[] = [
  'successor',
  'pause',
  'stop',
  'cancel',
  'uncancel',
  'delay',
  'delete',
]

type Reason = (line: Line, hasEnded: boolean) => string | undefined

/**
 * The one table of what can be done with a line (C-33): each action, and the first reason against it. Only what is
 * cancelled can be brought back, and nothing else can be done with it but to delete it.
 */
const reasons: Readonly<Record<LineAction, Reason>> = {
  successor: (line) => {
    if (line.endsOn === null) return 'it has no end, so that nothing can follow it'
    if (line.renewal === 'automatic') return 'it renews by itself'
    return line.hasSuccessor ? 'it has a successor' : undefined
  },
  pause: (line, hasEnded) => {
    if (hasEnded) return 'it has ended'
    return line.hasSuccessor ? 'it has a successor' : undefined
  },
  stop: (line, hasEnded) =>
    hasEnded && line.hasSuccessor ? 'it has ended and its successor has taken over' : undefined,
  cancel: (line, hasEnded) => {
    if (line.billedUntil !== null) return 'it was billed; stop it instead'
    return hasEnded ? 'it has ended' : undefined
  },
  uncancel: (line) => (line.hasRival ? 'another line took its place' : undefined),
  delay: (line) => (line.billedUntil === null ? undefined : 'it was billed'),
  delete: (line) => (line.billedUntil === null ? undefined : 'it was billed'),
}

/** Why an action is not possible on a day, as the end of a sentence; undefined when it is. */
export function refuseLineAction(line: Line, action: LineAction, today: string): string | undefined {
  if (line.isCancelled && action !== 'uncancel' && action !== 'delete') return 'it is cancelled'
  if (!line.isCancelled && action === 'uncancel') return 'it is not cancelled'
  return reasons[action](line, hasEnded(line, today))
}

/** The actions that are possible with a line on a day, for pages and the API. */
export function allowedLineActions(line: Line, today: string): LineAction[] {
  return lineActions.filter((action) => refuseLineAction(line, action, today) === undefined)
}

/**
 * @param named what the action is called where it is a part of another
 * @throws `action_not_allowed` with the reason
 */
export function checkLineAction(line: Line, action: LineAction, today: string, named: string = action): void {
  const reason = refuseLineAction(line, action, today)
  if (reason === undefined) return
  const allowed = allowedLineActions(line, today).join(', ') || 'nothing'
  throw new BusinessError(
    'action_not_allowed',
    `${named} is not possible with this line: ${reason}. Possible: ${allowed}.`,
  )
}

/**
 * Where a line stands on a day. Within the notice before its end it is `to_renew` or `ending`, after the end it stays
 * `to_renew` until it was renewed. One year to 31 December with a month's notice: `ending` from 1 December.
 * @param notice how long before the end a renewal is settled; null without notice
 */
export function lineState(line: Line, today: string, notice: BillingInterval | null): LineState {
  if (line.isCancelled) return 'cancelled'
  if (compareDates(today, line.startsOn) < 0) return 'planned'
  const waits = line.renewal === 'automatic' || (line.renewal === 'asked' && !line.hasSuccessor)
  if (hasEnded(line, today)) return waits ? 'to_renew' : 'ended'
  if (line.endsOn === null || compareDates(today, noticeStartsOn(line.endsOn, notice)) < 0) return 'running'
  return waits ? 'to_renew' : 'ending'
}

/** The first day of the notice before an end: one month before 1 January 2027 is 1 December 2026. */
export function noticeStartsOn(endsOn: string, notice: BillingInterval | null): string {
  if (notice === null) return endsOn
  const length = notice.unit === 'day' ? { days: notice.count } : { months: notice.count }
  return Temporal.PlainDate.from(endsOn).subtract(length).toString()
}

/** A line of no day at all has ended when it starts. */
function hasEnded(line: Line, today: string): boolean {
  return line.endsOn !== null && compareDates(line.endsOn, today) <= 0
}

/**
 * What holds of every line, whoever wrote it: it ends when it has begun, was billed within its days only, and what
 * follows it has a day to start on.
 * @param forcedInvoiceOn the next invoice date, where a person set one
 * @throws `date_range_invalid`, `before_last_billed_day`, `action_not_allowed`
 */
export function checkLine(line: Line, forcedInvoiceOn: string | null): void {
  const { startsOn, endsOn, billedUntil } = line
  if (endsOn !== null && compareDates(endsOn, startsOn) < 0)
    throw new BusinessError('date_range_invalid', `The line would end on ${endsOn}, before it starts.`)
  if (billedUntil !== null && compareDates(billedUntil, startsOn) <= 0)
    throw new BusinessError('date_range_invalid', 'The line would be billed for days before it starts.')
  if (billedUntil !== null && endsOn !== null && compareDates(billedUntil, endsOn) > 0)
    throw billedBeyond(endsOn, billedUntil)
  if (forcedInvoiceOn !== null && compareDates(forcedInvoiceOn, billedUntil ?? startsOn) < 0)
    throw new BusinessError('date_range_invalid', 'The next invoice would be dated before the days it bills.')
  if (endsOn === null && (line.hasSuccessor || line.renewal === 'automatic'))
    throw new BusinessError('action_not_allowed', 'A line that is renewed or followed by another has an end.')
  if (line.renewal === 'automatic' && (line.hasSuccessor || line.isCancelled))
    throw new BusinessError('action_not_allowed', 'What is cancelled or has a successor does not renew.')
}

/** Lines of one life never share a day. @throws `date_range_invalid` */
export function checkSuccession(before: { endsOn: string | null }, after: { startsOn: string }): void {
  if (before.endsOn === null || compareDates(after.startsOn, before.endsOn) < 0) {
    throw new BusinessError('date_range_invalid', `The successor would start before its predecessor ended.`)
  }
}

export function billedBeyond(endsOn: string, billedUntil: string): BusinessError {
  return new BusinessError(
    'before_last_billed_day',
    `The line was billed to ${addDays(billedUntil, -1)}. End it on that day or later, not before ${endsOn}.`,
  )
}

/** How a fixed term goes on (C-35). */
export interface RenewalTerms {
  readonly every: BillingInterval
  /** The same line with a later end, or a new line after it. */
  readonly by: 'extension' | 'successor'
}
