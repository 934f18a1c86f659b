import { startOfDay } from './calendar.ts'
import type { InstantWindow } from './usage.ts'

/** A metered line, as far as its days of service decide what of a metric is its own. */
export interface MeteredDays {
  /** The end of what was billed last, as an instant; null where nothing was. */
  readonly billedUntil: string | null
  /** Of its subscription. */
  readonly activatedAt: string | null
  readonly startsOn: string | null
  readonly endsOn: string | null
  /** Of its subscription: the line that ends with it has all up to the closing reading. */
  readonly subscriptionEndsOn: string | null
  readonly timeZone: string
}

/**
 * What of a line is used and not billed yet: from what was billed last, or from its first day, until now, or its last day where
 * another line goes on after it. Null before that: the line is not active, or begins later.
 * @example nothing billed, begun by a change of plan on 10 February: from the beginning of 10 February on
 */
export function openWindow(line: MeteredDays, now: string): InstantWindow | null {
  const { billedUntil, activatedAt, startsOn, endsOn, timeZone } = line
  if (activatedAt === null || startsOn === null) return null
  // As its bill begins: what was pushed on the day of the activation, and before it, is billed.
  const start = billedUntil ?? startOfDay(timeZone, startsOn)
  const isFollowed = endsOn !== null && endsOn !== line.subscriptionEndsOn
  const end = isFollowed ? earliest(now, startOfDay(timeZone, endsOn)) : now
  return Date.parse(start) <= Date.parse(end) ? { start, end } : null
}

function earliest(one: string, other: string): string {
  return Date.parse(one) < Date.parse(other) ? one : other
}
