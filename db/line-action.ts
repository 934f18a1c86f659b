import { compareDates, dateIn, daysIn, earlierDate } from '#domain/calendar.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import { cancelLine, delayLine, planSuccessor, uncancelLine } from '#domain/line-change.ts'
import { checkLineAction, checkSuccession } from '#domain/line.ts'
import type { LineCommand } from '#domain/subscription.ts'
import { once, type CommandKey } from './command.ts'
import type { Db, Tx } from './database.ts'
import type { EventKind } from './event.ts'
import { delayBeside, endBeside } from './line-beside.ts'
import {
  endLine,
  listLinesOf,
  moveLine,
  openLine,
  takeBack,
  type LineChanges,
  type LineRow,
} from './line-change.ts'
import { findLine, type FoundLine } from './line-standing.ts'
import { stopFollowers } from './stopped-line.ts'
import { tellOf } from './subscription.ts'

const events = {
  cancelLine: 'subscription.line_cancelled',
  uncancelLine: 'subscription.line_uncancelled',
  delayLine: 'subscription.line_delayed',
  deleteLine: 'subscription.line_deleted',
  planSuccessor: 'subscription.successor_planned',
} as const satisfies Readonly<Record<LineCommand['kind'], EventKind>>

/**
 * Does with one line what the table of line actions allows (C-33), once; the others go on.
 * @throws `not_found`, `action_not_allowed` with the reason, `date_range_invalid`
 */
export async function actOnLine(db: Db, key: CommandKey, asked: LineCommand): Promise<void> {
  await once(db, key, asked.kind, async (changes, subscription) => {
    const today = dateIn(subscription.time_zone, key.now)
    const found = await findLine(changes, asked.subscriptionLineId, today)
    const dates = await carryOut(changes, found, asked)
    await tellOf(changes.tx, subscription, events[asked.kind], {
      now: key.now,
      data: { product: found.row.description, ...dates, actor: key.actor },
    })
  })
}

interface NewDates {
  readonly starts_on?: string
  readonly ends_on?: string | null
}

async function carryOut(changes: LineChanges, found: FoundLine, asked: LineCommand): Promise<NewDates> {
  switch (asked.kind) {
    case 'cancelLine':
      return await cancel(changes, found)
    case 'uncancelLine':
      return await uncancel(changes, found)
    case 'delayLine':
      return await delay(changes, found, asked.startsOn)
    case 'deleteLine':
      return await remove(changes, found)
    case 'planSuccessor':
      return await follow(changes, found, { startsOn: asked.startsOn, endsOn: asked.endsOn ?? null })
  }
}

/** The row stays, without a day of service, so that it can be brought back. */
async function cancel(changes: LineChanges, { row, line, today }: FoundLine): Promise<NewDates> {
  cancelLine(line, today)
  await stopFollowers(changes, row, row.starts_on)
  await endLine(changes, row, row.starts_on)
  await endBeside(changes, row, { endsOn: row.starts_on, today })
  return {}
}

/** What went with the line when it was withdrawn comes back with it. */
async function uncancel(changes: LineChanges, { row, line, today }: FoundLine): Promise<NewDates> {
  uncancelLine(line, today)
  if (row.closed_by !== null) await takeBack(changes, row.closed_by)
  return { starts_on: row.starts_on }
}

async function delay(
  changes: LineChanges,
  { row, line, today }: FoundLine,
  startsOn: string,
): Promise<NewDates> {
  const days = compareDates(startsOn, row.starts_on) > 0 ? daysIn({ start: row.starts_on, end: startsOn }) : 0
  // Of an open line that is renewed, the end is the term's and does not move.
  const moved = delayLine({ ...line, endsOn: row.ends_on }, days, today).line
  if (days === 0)
    throw fieldError('/starts_on', 'date_range_invalid', `It starts on ${row.starts_on} already.`)
  const endsOn = withinSubscription(changes, moved)
  for (const next of await listFollowers(changes, row))
    checkSuccession({ endsOn }, { startsOn: next.starts_on })
  await moveLine(changes, row, { startsOn, endsOn })
  await delayBeside(changes, row, { startsOn, days })
  return { starts_on: startsOn }
}

/** Later lines of the same life that have a day of service. */
async function listFollowers({ tx, subscription }: LineChanges, row: LineRow): Promise<LineRow[]> {
  const lines = await listLinesOf(tx, [subscription.id])
  return lines.filter(
    (other) =>
      other.first_line_id === row.first_line_id &&
      other.id !== row.id &&
      other.ends_on !== other.starts_on &&
      compareDates(other.starts_on, row.starts_on) >= 0,
  )
}

/** What was planned to follow the line, and what is sold beside it, is nothing without it. */
async function remove(changes: LineChanges, { row, line, today }: FoundLine): Promise<NewDates> {
  checkLineAction(line, 'delete', today)
  await stopFollowers(changes, row, row.starts_on)
  const lines = await listLinesOf(changes.tx, [changes.subscription.id])
  const isBesideFirst = row.id === row.first_line_id
  for (const beside of lines.filter((other) => isBesideFirst && other.main_line_id === row.id))
    await deleteRow(changes.tx, beside)
  await deleteRow(changes.tx, row)
  return {}
}

/** @throws `action_not_allowed` where something else refers to the row, such as what was measured for it */
async function deleteRow(tx: Tx, row: LineRow): Promise<void> {
  try {
    await tx.deleteFrom('subscription_lines').where('id', '=', row.id).execute()
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== foreignKeyViolation) throw error
    throw new BusinessError(
      'action_not_allowed',
      'delete is not possible with this line: other records name it. Possible: cancel.',
    )
  }
}

const foreignKeyViolation = '23503'

async function follow(
  changes: LineChanges,
  { row, line, today }: FoundLine,
  plan: { startsOn: string; endsOn: string | null },
): Promise<NewDates> {
  planSuccessor(line, { ...plan, renewal: 'none', today })
  const endsOn = withinSubscription(changes, plan)
  await openLine(changes, row, { starts_on: plan.startsOn, ends_on: endsOn })
  return { starts_on: plan.startsOn, ends_on: endsOn }
}

/** No line goes on after its subscription. @throws `date_range_invalid` */
function withinSubscription(
  { subscription }: LineChanges,
  { startsOn, endsOn }: { startsOn: string; endsOn: string | null },
): string | null {
  const { ends_on: last } = subscription
  if (last === null) return endsOn
  if (compareDates(startsOn, last) >= 0)
    throw fieldError('/starts_on', 'date_range_invalid', `The subscription ends on ${last}.`)
  return endsOn === null ? last : earlierDate(endsOn, last)
}
