import { dateIn } from '#domain/calendar.ts'
import { periodEndAfter } from '#domain/change.ts'
import type { Db } from '../database.ts'
import { termEndOnNotice } from '../renewal.ts'
import { toCycling } from '../subscription-documents.ts'
import { getSubscription } from '../subscription.ts'

/** The days on which a cancellation would take effect, in the subscription's own time. */
export interface CancellationDates {
  readonly today: string
  readonly periodEnd: string
}

/** What cancelling would mean today; nothing is saved. @throws `subscription_unknown` */
export async function previewCancellation(
  db: Db,
  subscriptionId: string,
  now: string,
): Promise<CancellationDates> {
  const subscription = await getSubscription(db, subscriptionId)
  const today = dateIn(subscription.time_zone, subscription.test_clock_now_at ?? now)
  const documents = await db
    .selectFrom('subscription_documents')
    .selectAll()
    .where('id', 'in', (select) =>
      select
        .selectFrom('subscription_lines')
        .select('document_id')
        .where('subscription_id', '=', subscriptionId)
        .where('document_id', 'is not', null)
        .$castTo<{ document_id: string }>(),
    )
    .execute()
  const term = termEndOnNotice(subscription, today)
  return { today, periodEnd: term ?? periodEndAfter(documents.map(toCycling), today) }
}
