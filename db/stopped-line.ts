import { compareDates, dateIn, earlierDate, laterDate } from '#domain/calendar.ts'
import { stopLine } from '#domain/line-change.ts'
import { checkLineAction } from '#domain/line.ts'
import { once, type CommandKey } from './command.ts'
import type { Db } from './database.ts'
import { endBeside } from './line-beside.ts'
import { dropLine, endLine, listLinesAfter, toLine, type LineChanges, type LineRow } from './line-change.ts'
import { findLine } from './line-standing.ts'
import { tellOf } from './subscription.ts'

/**
 * Ends one line on a day, by default where it was billed to; one that has not begun by then never does. The others go on.
 * @throws `not_found`, `action_not_allowed`, `before_last_billed_day`
 */
export async function stopSubscriptionLine(
  db: Db,
  key: CommandKey,
  stop: { subscriptionLineId: string; endsOn?: string | undefined },
): Promise<void> {
  await once(db, key, 'stopLine', async (changes, subscription) => {
    const today = dateIn(subscription.time_zone, key.now)
    const { row: line, line: standing } = await findLine(changes, stop.subscriptionLineId, today)
    checkLineAction(standing, 'stop', today)
    const endsOn = stop.endsOn ?? laterDate(line.billed_until ?? line.starts_on, today)
    const { line: left } = stopLine(toLine(line), { endsOn, today })
    // Before the line itself: while it stands, it may not grow over what follows it.
    await stopFollowers(changes, line, left.isCancelled ? line.starts_on : endsOn)
    const end = left.endsOn === null ? null : laterDate(line.starts_on, earliest(left.endsOn, line.ends_on))
    // Withdrawn, it keeps its row, so that it can be brought back.
    if (left.isCancelled) await endLine(changes, line, line.starts_on)
    else if (end !== null && end !== line.ends_on) await endLine(changes, line, end)
    const besideEndsOn = left.isCancelled ? line.starts_on : (left.endsOn ?? endsOn)
    await endBeside(changes, line, { endsOn: besideEndsOn, today })
    await tellOf(changes.tx, subscription, 'subscription.line_stopped', {
      now: key.now,
      data: {
        product: line.description,
        ends_on: left.isCancelled ? line.starts_on : left.endsOn,
        actor: key.actor,
      },
    })
  })
}

/** What was planned to follow the line ends with it, or never begins. */
export async function stopFollowers(changes: LineChanges, line: LineRow, endsOn: string): Promise<void> {
  const after = await listLinesAfter(changes.tx, line.subscription_id, line.starts_on)
  for (const follower of after.filter(
    (row) => row.first_line_id === line.first_line_id && row.id !== line.id,
  )) {
    if (compareDates(follower.starts_on, line.starts_on) <= 0) continue
    if (compareDates(endsOn, follower.starts_on) <= 0) await dropLine(changes, follower)
    else if (earliest(endsOn, follower.ends_on) !== follower.ends_on) await endLine(changes, follower, endsOn)
  }
}

function earliest(day: string, other: string | null): string {
  return other === null ? day : earlierDate(day, other)
}
