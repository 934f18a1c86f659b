import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function findings(db: Db) {
  return db
    .selectFrom('findings as finding')
    .innerJoin('servers as server', 'server.id', 'finding.server_id')
    .leftJoin('instances as instance', 'instance.id', 'finding.instance_id')
    .selectAll('finding')
    .select(['server.code as server_code', 'instance.name as instance_name', 'instance.subscription_id'])
    .where('finding.settled_at', 'is', null)
}

export type FindingRow = Awaited<ReturnType<typeof listFindings>>[number]

/** What is not as it should be now; of one server or of all. */
export async function listFindings(db: Db, page: PageRequest & { serverId: string | null }) {
  const query = onPage(findings(db), page, 'finding.id')
  return await (
    page.serverId === null ? query : query.where('finding.server_id', '=', page.serverId)
  ).execute()
}

export async function listFindingsOf(db: Db, subscriptionId: string): Promise<FindingRow[]> {
  return await findings(db)
    .where('instance.subscription_id', '=', subscriptionId)
    .orderBy('finding.found_at')
    .execute()
}
