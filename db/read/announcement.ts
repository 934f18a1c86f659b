import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

export type AnnouncementRow = Awaited<ReturnType<typeof listAnnouncements>>[number]

/** What customers are told of, newest first. */
export async function listAnnouncements(db: Db, page: PageRequest & { subscriptionId: string | null }) {
  const query = onPage(
    db
      .selectFrom('announcements as announcement')
      .innerJoin('subscriptions as subscription', 'subscription.id', 'announcement.subscription_id')
      .selectAll('announcement')
      .select('subscription.title'),
    page,
    'announcement.id',
  )
  if (page.subscriptionId === null) return await query.execute()
  return await query.where('announcement.subscription_id', '=', page.subscriptionId).execute()
}
