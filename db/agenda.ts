import { dateIn, startOfDay } from '#domain/calendar.ts'
import type { Db } from './database.ts'
import { listDocuments } from './subscription-documents.ts'
import { getSubscription } from './subscription.ts'

/** What a subscription waits for by the calendar. Instants; null where there is nothing. */
export interface Agenda {
  readonly documents: readonly {
    readonly documentId: string
    readonly periodIndex: number
    readonly dueAt: string
  }[]
  readonly endsAt: string | null
  readonly changeAt: string | null
}

/** What is due next, from the rows. Planned changes are lines that begin in the future. */
export async function readAgenda(db: Db, subscriptionId: string, now: string): Promise<Agenda> {
  const subscription = await getSubscription(db, subscriptionId)
  const documents = await listDocuments(db, subscriptionId)
  const planned = await db
    .selectFrom('subscription_lines')
    .select((eb) => eb.fn.min('starts_on').as('starts_on'))
    .where('subscription_id', '=', subscriptionId)
    .where('starts_on', '>', dateIn(subscription.time_zone, now))
    .executeTakeFirst()
  return {
    documents: documents
      .filter((document) => document.closed_at === null)
      .map((document) => ({
        documentId: document.id,
        periodIndex: document.next_period_index,
        dueAt: startOfDay(document.time_zone, document.next_invoice_on),
      })),
    endsAt: subscription.ends_on ? startOfDay(subscription.time_zone, subscription.ends_on) : null,
    changeAt: planned?.starts_on ? startOfDay(subscription.time_zone, planned.starts_on) : null,
  }
}
