import { sql } from 'kysely'
import { addDays, compareDates, dateIn, daysIn, earlierDate } from '#domain/calendar.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import { pauseLine, resumeLine } from '#domain/line-change.ts'
import { findLastCommand, once, type CommandKey } from './command.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import {
  dropLine,
  endLine,
  listLines,
  listLinesAfter,
  openLine,
  readReplaced,
  takeBack,
  toLine,
  type LineChanges,
} from './line-change.ts'
import { lockSubscription, tellOf } from './subscription.ts'
import { closeTasks } from './task.ts'

export interface AskedPause {
  /** Left out: today. */
  readonly startsOn?: string | undefined
  /** The first day after it; left out, until it is resumed. */
  readonly endsOn?: string | undefined
  readonly reason: string | null
}

/**
 * Plans a pause (C-34): lines are cut where it begins and go on after it, and what has an end ends later by its days. The
 * workflow stops the instances on its first day, and starts them after its last.
 * @throws `date_range_invalid`, `action_not_allowed` where another pause has a day of it
 */
export async function pauseSubscription(db: Db, key: CommandKey, asked: AskedPause): Promise<void> {
  await once(db, key, 'pause', async (changes, subscription) => {
    const today = dateIn(subscription.time_zone, key.now)
    const start = asked.startsOn ?? today
    const end = asked.endsOn ?? null
    if (compareDates(start, today) < 0)
      throw fieldError('/starts_on', 'date_range_invalid', `A pause begins today, ${today}, or later.`)
    if (end !== null && compareDates(end, start) <= 0)
      throw fieldError('/ends_on', 'date_range_invalid', 'A pause has at least one day.')
    await insertPause(changes, { start, end, reason: asked.reason })
    await cutLines(changes, { start, end, today })
    if (end !== null) await moveEnd(changes, daysIn({ start, end }))
    await tellOf(changes.tx, subscription, 'subscription.pause_planned', {
      now: key.now,
      data: {
        starts_on: start,
        ends_on: end,
        actor: key.actor,
        ...(asked.reason ? { reason: asked.reason } : {}),
      },
    })
  })
}

/**
 * What comes later is moved first, so that no line meets the one after it. A change that was to begin within the pause begins
 * with its end: of what it follows, nothing is left.
 */
async function cutLines(
  changes: LineChanges,
  pause: { start: string; end: string | null; today: string },
): Promise<void> {
  const lines = await listLinesAfter(changes.tx, changes.subscription.id, pause.today)
  const followedFrom = new Map<string, string>()
  for (const line of lines.toReversed()) {
    const { line: left, successor } = pauseLine(toLine(line), pause)
    const isMoved = left.startsOn !== line.starts_on
    if (isMoved) await dropLine(changes, line)
    else if (left.endsOn !== line.ends_on) await endLine(changes, line, left.endsOn)
    const next = isMoved ? left : successor
    const limit = followedFrom.get(line.first_line_id)
    followedFrom.set(line.first_line_id, isMoved ? left.startsOn : line.starts_on)
    if (!next || (limit !== undefined && compareDates(limit, next.startsOn) <= 0)) continue
    const endsOn = limit !== undefined && next.endsOn !== null ? earlierDate(limit, next.endsOn) : next.endsOn
    const closed_by = endsOn === null ? null : line.closed_by
    await openLine(changes, line, { starts_on: next.startsOn, ends_on: endsOn, closed_by })
  }
}

async function insertPause(
  { tx, subscription, requestId }: LineChanges,
  pause: { start: string; end: string | null; reason: string | null },
): Promise<void> {
  const pause_period = `[${pause.start},${pause.end ?? ''})`
  const other = await pauses(tx, subscription.id)
    .where(sql<boolean>`pause_period && ${pause_period}::daterange`)
    .executeTakeFirst()
  if (other) {
    const detail = `It is paused from ${other.start} ${other.end === null ? 'on' : `until ${other.end}`} already.`
    throw new BusinessError('action_not_allowed', detail)
  }
  await tx
    .insertInto('subscription_pauses')
    .values({
      id: newId(),
      subscription_id: subscription.id,
      request_id: requestId,
      pause_period,
      reason: pause.reason,
      begun_at: null,
      ended_at: null,
    })
    .execute()
}

/** A term that ends the subscription ends later by the days of a pause. */
async function moveEnd({ tx, subscription }: LineChanges, days: number): Promise<void> {
  const { ends_on: endsOn, term_ends_on: termEndsOn } = subscription
  if (endsOn === null || subscription.cancel_requested_at !== null) return
  await tx
    .updateTable('subscriptions')
    .set({
      ends_on: addDays(endsOn, days),
      ...(termEndsOn === null ? {} : { term_ends_on: addDays(termEndsOn, days) }),
    })
    .where('id', '=', subscription.id)
    .execute()
}

function pauses(db: Db, subscriptionId: string) {
  return db
    .selectFrom('subscription_pauses')
    .select(['id', 'request_id', 'reason', 'begun_at'])
    .select(sql<string>`lower(pause_period)`.as('start'))
    .select(sql<string | null>`upper(pause_period)`.as('end'))
    .where('subscription_id', '=', subscriptionId)
    .orderBy('pause_period')
}

/** Withdraws the next pause that has not begun. @throws `action_not_allowed` */
export async function unpauseSubscription(db: Db, key: CommandKey): Promise<void> {
  await once(db, key, 'unpause', async (changes, subscription) => {
    const today = dateIn(subscription.time_zone, key.now)
    const pause = await findPlannedPause(changes.tx, subscription.id, today)
    if (!pause) throw new BusinessError('action_not_allowed', 'No pause is planned.')
    await takeBack(changes, pause.request_id)
    await changes.tx.deleteFrom('subscription_pauses').where('id', '=', pause.id).execute()
    if (pause.end !== null) await moveEnd(changes, -daysIn({ start: pause.start, end: pause.end }))
    await tellOf(changes.tx, subscription, 'subscription.pause_withdrawn', {
      now: key.now,
      data: { starts_on: pause.start, actor: key.actor },
    })
  })
}

/** The next pause that nothing was stopped for yet. */
export async function findPlannedPause(db: Db, subscriptionId: string, today: string) {
  return await pauses(db, subscriptionId)
    .where('begun_at', 'is', null)
    .where(sql<boolean>`pause_period && daterange(${today}, null)`)
    .executeTakeFirst()
}

/** The pause for which the instances are stopped. */
export async function findPauseInForce(db: Db, subscriptionId: string) {
  return await pauses(db, subscriptionId)
    .where('begun_at', 'is not', null)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
}

/** The instances were stopped: the subscription is suspended until the pause is over. Called again, it changes nothing. */
export async function beginPause(db: Db, subscriptionId: string, now: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId)
    const pause = await findPlannedPause(tx, subscriptionId, dateIn(subscription.time_zone, now))
    if (!pause || subscription.phase !== 'active') return
    await tx.updateTable('subscription_pauses').set({ begun_at: now }).where('id', '=', pause.id).execute()
    await setSuspended(tx, subscriptionId, pause.reason ?? 'Paused.')
    await tellOf(tx, subscription, 'subscription.paused', { now, data: { ends_on: pause.end } })
  })
}

/** The instances run again. */
export async function endPause(db: Db, subscriptionId: string, now: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId)
    const pause = await findPauseInForce(tx, subscriptionId)
    if (!pause || subscription.phase !== 'suspended') return
    await closePause(tx, { ...pause, subscriptionId }, now)
    await setSuspended(tx, subscriptionId, null)
    await tellOf(tx, subscription, 'subscription.resumed', { now })
  })
}

async function setSuspended(tx: Tx, subscriptionId: string, reason: string | null): Promise<void> {
  await tx
    .updateTable('subscriptions')
    .set({ phase: reason === null ? 'active' : 'suspended', suspended_reason: reason })
    .where('id', '=', subscriptionId)
    .execute()
}

async function closePause(tx: Tx, pause: { id: string; subscriptionId: string }, now: string): Promise<void> {
  await tx.updateTable('subscription_pauses').set({ ended_at: now }).where('id', '=', pause.id).execute()
  const subject = { kind: 'subscription', id: pause.subscriptionId, reason: 'resumed' } as const
  await closeTasks(tx, subject, ['resume_failed'])
}

/**
 * Ends the pause in force today, before its time or where it had none: the lines go on from today, and end earlier by the
 * days that were not paused. Without a pause in force nothing happens.
 */
export async function resumeLines(db: Db, key: CommandKey): Promise<void> {
  await once(db, key, 'resume', async (changes, subscription) => {
    const { tx } = changes
    const pause = await findPauseInForce(tx, subscription.id)
    if (!pause) return
    const today = dateIn(subscription.time_zone, key.now)
    if (pause.end === null || compareDates(today, pause.end) < 0) {
      if (pause.end === null) await goOnAfterOpenPause(changes, pause, today)
      else await bringForward(changes, { ...pause, end: pause.end }, today)
      await endPauseOn(tx, pause, today)
    }
    await closePause(tx, { ...pause, subscriptionId: subscription.id }, key.now)
  })
}

/** A pause of no day is none. */
async function endPauseOn(tx: Tx, pause: { id: string; start: string }, today: string): Promise<void> {
  if (today === pause.start) await tx.deleteFrom('subscription_pauses').where('id', '=', pause.id).execute()
  else
    await tx
      .updateTable('subscription_pauses')
      .set({ pause_period: `[${pause.start},${today})` })
      .where('id', '=', pause.id)
      .execute()
}

async function bringForward(
  changes: LineChanges,
  pause: { request_id: string; end: string },
  today: string,
): Promise<void> {
  const days = -daysIn({ start: today, end: pause.end })
  const lines = await listLinesAfter(changes.tx, changes.subscription.id, today)
  const later = lines.filter(({ starts_on }) => compareDates(starts_on, pause.end) >= 0)
  for (const line of later) await dropLine(changes, line)
  const cancelledBy = await findLastCommand(changes, 'cancel')
  for (const line of later) {
    // What a cancellation ends, ends on its day, paused or not.
    const isFixed = line.ends_on === null || (line.closed_by !== null && line.closed_by === cancelledBy)
    await openLine(changes, line, {
      starts_on: addDays(line.starts_on, days),
      ends_on: isFixed || line.ends_on === null ? line.ends_on : addDays(line.ends_on, days),
      closed_by: line.closed_by,
    })
  }
  await moveEnd(changes, days)
}

async function goOnAfterOpenPause(
  changes: LineChanges,
  pause: { request_id: string; start: string },
  today: string,
): Promise<void> {
  const replaced = await readReplaced(changes, pause.request_id)
  const { ends_on: lastDay } = changes.subscription
  const cancelledBy = lastDay === null ? undefined : await findLastCommand(changes, 'cancel')
  for (const row of await listLines(
    changes.tx,
    replaced.ended.map(({ id }) => id),
  )) {
    const before = replaced.ended.find(({ id }) => id === row.id)
    const paused = { ...toLine(row), endsOn: before?.ends_on ?? null }
    const resumed = resumeLine(paused, { pausedOn: pause.start, resumedOn: today })
    if (!resumed) continue
    const isCut = lastDay !== null && (resumed.endsOn === null || compareDates(lastDay, resumed.endsOn) < 0)
    const ends_on = isCut ? earlierDate(lastDay, resumed.endsOn ?? lastDay) : resumed.endsOn
    if (ends_on !== null && compareDates(ends_on, resumed.startsOn) <= 0) continue
    const closed_by = isCut ? (cancelledBy ?? null) : (before?.closed_by ?? null)
    await openLine(changes, row, { starts_on: resumed.startsOn, ends_on, closed_by })
  }
}
