import type { Db } from '#db/database.ts'
import { storeUsageEvents, type NewUsageEvent, type UsageEventResult } from '#db/usage-event.ts'

/** Stores one event in a transaction of its own. @param now of its subscription; left out, when it was used */
export async function storeUsageEvent(
  db: Db,
  event: NewUsageEvent,
  now: string = event.occurredAt,
): Promise<UsageEventResult | undefined> {
  return await db.transaction().execute(async (tx) => {
    const [result] = await storeUsageEvents(tx, [event], () => now)
    return result
  })
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
}

/** The same as a CloudEvent. */
export function toCloudEvent({ source = 'test', id, subscription, metric, quantity, unit, at }: PushedEvent) {
  return {
    specversion: '1.0',
    source,
    id,
    type: metric,
    subject: subscription,
    ...(at === undefined ? {} : { time: at }),
    data: { quantity, ...(unit === undefined ? {} : { unit }) },
  }
}

export const batchType = { 'content-type': 'application/cloudevents-batch+json' }
