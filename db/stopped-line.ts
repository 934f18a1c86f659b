import { dateIn, compareDates, laterDate } from '#domain/calendar.ts'
import { BusinessError } from '#domain/errors.ts'
import { stopLine } from '#domain/line-change.ts'
import { once, type CommandKey } from './command.ts'
import type { Db } from './database.ts'
import { endBeside } from './line-beside.ts'
import { dropLine, endLine, listLines, toLine } from './line-change.ts'
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
    const [line] = await listLines(changes.tx, [stop.subscriptionLineId])
    if (line?.subscription_id !== subscription.id)
      throw new BusinessError('not_found', 'The subscription has no such line.')
    const today = dateIn(subscription.time_zone, key.now)
    const endsOn = stop.endsOn ?? laterDate(line.billed_until ?? line.starts_on, today)
    const { line: left } = stopLine(toLine(line), { endsOn, today })
    if (left.isCancelled) await dropLine(changes, line)
    else if (left.endsOn !== line.ends_on && left.endsOn !== null) {
      const end = compareDates(left.endsOn, line.starts_on) < 0 ? line.starts_on : left.endsOn
      await endLine(changes, line, end)
    }
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
