import { BusinessError } from '#domain/errors.ts'
import type { Line } from '#domain/line.ts'
import { listLines, type LineChanges, type LineRow } from './line-change.ts'
import { subscriptionLines, type SubscriptionLineRow } from './read/subscription.ts'

/**
 * A line as the table of line actions looks at it (C-33); null for what is paid once, or begins with its subscription. One
 * without a day of service, of which nothing was billed, is cancelled: it can be brought back where a command withdrew it,
 * and nothing has its place. An open line of a term that is renewed ends with the term, and renews by itself.
 */
export function toStandingLine(row: SubscriptionLineRow): Line | null {
  if (row.starts_on === null || row.interval_unit === null) return null
  const isCancelled = row.ends_on === row.starts_on && row.billed_until === null
  const renews = row.ends_on === null && row.term_ends_on !== null && row.term?.renewal === 'renew'
  return {
    startsOn: row.starts_on,
    endsOn: renews ? row.term_ends_on : row.ends_on,
    billedUntil: row.billed_until,
    isCancelled,
    renewal: renews ? 'automatic' : 'none',
    hasSuccessor: row.has_successor && !isCancelled,
    hasRival: row.has_rival || !row.is_withdrawn_alone,
  }
}

/** A line that something is to be done with: its row, and what decides whether it can be. */
export interface FoundLine {
  readonly row: LineRow
  readonly line: Line
  readonly today: string
}

/** @throws `not_found` */
export async function findLine(
  { tx, subscription }: Pick<LineChanges, 'tx' | 'subscription'>,
  id: string,
  today: string,
): Promise<FoundLine> {
  const standing = await subscriptionLines(tx).where('line.id', '=', id).executeTakeFirst()
  const line = standing && toStandingLine(standing)
  const [row] = await listLines(tx, [id])
  if (!line || row?.subscription_id !== subscription.id)
    throw new BusinessError('not_found', 'The subscription has no such line that recurs.')
  return { row, line, today }
}
