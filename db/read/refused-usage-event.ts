import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { waitingEvents } from '../refused-usage-event.ts'
import { onPage, type PageRequest } from './page.ts'

/** Refused and not counted since, newest first. */
export async function listRefusedUsageEvents(db: Db, page: PageRequest & { readonly code: string | null }) {
  const query = onPage(waitingEvents(db).selectAll('refused'), page, 'refused.id')
  return await (page.code === null ? query : query.where('refused.code', '=', page.code)).execute()
}
export type RefusedUsageEventRow = Awaited<ReturnType<typeof listRefusedUsageEvents>>[number]

/** How many wait, as far as a person would count. */
export async function countRefusedUsageEvents(db: Db, most: number): Promise<number> {
  const some = waitingEvents(db).select('refused.id').limit(most).as('some')
  const { count } = await db
    .selectFrom(some)
    .select(sql<number>`count(*)::int`.as('count'))
    .executeTakeFirstOrThrow()
  return count
}
