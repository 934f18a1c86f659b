import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

/** Never with the digest of its token, nor with its form token. */
function portalSessions(db: Db) {
  return db
    .selectFrom('portal_sessions as session')
    .innerJoin('portal_links as link', 'link.id', 'session.link_id')
    .select(['session.id', 'session.customer_id', 'link.made_by', 'session.begun_at', 'session.last_used_at'])
    .select(['session.expires_at', 'session.ended_at', 'session.ended_by'])
}

export type PortalSessionRow = Awaited<ReturnType<typeof listPortalSessions>>[number]

export async function listPortalSessions(db: Db, page: PageRequest & { customerId: string }) {
  return await onPage(portalSessions(db), page, 'session.id')
    .where('session.customer_id', '=', page.customerId)
    .execute()
}
