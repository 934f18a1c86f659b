import { sql } from 'kysely'
import { dateIn, startOfDay } from '#domain/calendar.ts'
import type { Db } from './database.ts'
import { findPauseInForce, findPlannedPause } from './pause.ts'
import { renewsOn } from './renewal.ts'
import { dueOn, listDocuments } from './subscription-documents.ts'
import { listSuspensions } from './suspension.ts'
import { getSubscription } from './subscription.ts'
import { trialToldOn } from './trial.ts'
import { waitingToldOn } from './waiting-decision.ts'

/** What a subscription waits for by the calendar. Instants; null where there is nothing. */
export interface Agenda {
  readonly documents: readonly {
    readonly documentId: string
    readonly periodIndex: number
    readonly dueAt: string
  }[]
  readonly endsAt: string | null
  readonly changeAt: string | null
  readonly pauseAt: string | null
  readonly resumeAt: string | null
  readonly termAt: string | null
  readonly trialNoticeAt: string | null
  readonly waitingAt: string | null
}

/**
 * What is due next, from the rows. Planned changes are lines that begin in the future, and ends of what was sold on top of a limit
 * for a while.
 */
export async function readAgenda(db: Db, subscriptionId: string, now: string): Promise<Agenda> {
  const subscription = await getSubscription(db, subscriptionId)
  const today = dateIn(subscription.time_zone, now)
  const documents = await listDocuments(db, subscriptionId)
  const pause =
    subscription.phase === 'active' ? await findPlannedPause(db, subscriptionId, today) : undefined
  // Where a reason stands, the end of a pause starts nothing.
  const isHeld = subscription.phase !== 'suspended' || (await listSuspensions(db, subscriptionId)).length > 0
  const inForce = isHeld ? undefined : await findPauseInForce(db, subscriptionId)
  const startOf = (date: string | null | undefined) =>
    date ? startOfDay(subscription.time_zone, date) : null
  return {
    documents: documents
      .filter((document) => document.closed_at === null)
      .map((document) => ({
        documentId: document.id,
        periodIndex: document.next_period_index,
        dueAt: startOfDay(document.time_zone, dueOn(document)),
      })),
    endsAt: startOf(subscription.ends_on),
    changeAt: startOf(await nextChangeOn(db, subscriptionId, today)),
    pauseAt: startOf(pause?.start),
    resumeAt: startOf(inForce?.end),
    termAt: startOf(renewsOn(subscription)),
    trialNoticeAt: startOf(trialToldOn(subscription, today)),
    waitingAt: startOf(await waitingToldOn(db, subscription)),
  }
}

async function nextChangeOn(db: Db, subscriptionId: string, today: string): Promise<string | null> {
  const { rows } = await sql<{ on: string | null }>`
    select min(changes.on) as on from subscription_lines line
    cross join lateral (values (line.starts_on), (case when line.interval_unit is null and line.limit_code is not null then line.ends_on end))
      as changes ("on")
    where line.subscription_id = ${subscriptionId} and changes.on > ${today}
      and (line.ends_on is null or line.ends_on > line.starts_on)`.execute(db)
  return rows[0]?.on ?? null
}
