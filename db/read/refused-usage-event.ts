import type { Db } from '../database.ts'
import { waitingEvents } from '../refused-usage-event.ts'
import { onPage, type PageRequest } from './page.ts'

/** Refused and not counted since, newest first. */
export async function listRefusedUsageEvents(db: Db, page: PageRequest & { readonly code: string | null }) {
  const query = onPage(waitingEvents(db).selectAll('refused'), page, 'refused.id')
  return await (page.code === null ? query : query.where('refused.code', '=', page.code)).execute()
}
export type RefusedUsageEventRow = Awaited<ReturnType<typeof listRefusedUsageEvents>>[number]
