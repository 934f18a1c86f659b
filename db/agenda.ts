import { dateIn, startOfDay } from '#domain/calendar.ts'
import type { Db } from './database.ts'
import { findPauseInForce, findPlannedPause } from './pause.ts'
import { renewsOn } from './renewal.ts'
import { dueOn, listDocuments } from './subscription-documents.ts'
import { listSuspensions } from './suspension.ts'
import { getSubscription } from './subscription.ts'
import { trialToldOn } from './trial.ts'

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
}

/** What is due next, from the rows. Planned changes are lines that begin in the future. */
export async function readAgenda(db: Db, subscriptionId: string, now: string): Promise<Agenda> {
  const subscription = await getSubscription(db, subscriptionId)
  const today = dateIn(subscription.time_zone, now)
  const documents = await listDocuments(db, subscriptionId)
  const planned = await db
    .selectFrom('subscription_lines')
    .select((eb) => eb.fn.min('starts_on').as('starts_on'))
    .where('subscription_id', '=', subscriptionId)
    .where('starts_on', '>', today)
    .where((eb) => eb.or([eb('ends_on', 'is', null), eb('ends_on', '>', eb.ref('starts_on'))]))
    .executeTakeFirst()
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
    changeAt: startOf(planned?.starts_on),
    pauseAt: startOf(pause?.start),
    resumeAt: startOf(inForce?.end),
    termAt: startOf(renewsOn(subscription)),
    trialNoticeAt: startOf(trialToldOn(subscription, today)),
  }
}
