import type { Db } from '#db/database.ts'
import { storeUsageEvents, type NewUsageEvent, type UsageEventResult } from '#db/usage-event.ts'
import { holdUsageLines } from '#db/usage-line.ts'

/** A usage event with its instant as text, as tests name instants. */
export interface StoredEvent extends Omit<NewUsageEvent, 'occurredMs'> {
  readonly occurredAt: string
}

/** Stores events in a transaction of their own. @param now of each subscription */
export async function storeEvents(
  db: Db,
  events: readonly StoredEvent[],
  now: (subscriptionId: string) => string,
): Promise<UsageEventResult[]> {
  const rows = events.map(({ occurredAt, ...event }) => ({ ...event, occurredMs: Date.parse(occurredAt) }))
  return await db.transaction().execute(async (tx) => {
    const held = await holdUsageLines(tx, [...new Set(rows.map(({ subscriptionId }) => subscriptionId))])
    return await storeUsageEvents(tx, rows, held, now)
  })
}

/** Stores one event. @param now of its subscription; left out, when it was used */
export async function storeUsageEvent(
  db: Db,
  event: StoredEvent,
  now: string = event.occurredAt,
): Promise<UsageEventResult | undefined> {
  const [result] = await storeEvents(db, [event], () => now)
  return result
}

/** What a test says of a usage event that it pushes through the API. */
export interface PushedEvent {
  readonly source?: string
  readonly id: string
  readonly subscription: string
  readonly metric: string
  readonly quantity: string | number
  readonly unit?: string
  readonly at?: string
  readonly properties?: Readonly<Record<string, unknown>>
  readonly reverses?: string
}

/** The same as a CloudEvent. */
export function toCloudEvent({ source = 'test', id, subscription, metric, at, ...data }: PushedEvent) {
  return {
    specversion: '1.0',
    source,
    id,
    type: metric,
    subject: subscription,
    ...(at === undefined ? {} : { time: at }),
    data,
  }
}

export const singleType = { 'content-type': 'application/cloudevents+json' }
export const batchType = { 'content-type': 'application/cloudevents-batch+json' }
