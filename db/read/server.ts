import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function servers(db: Db) {
  return db
    .selectFrom('servers as server')
    .selectAll('server')
    .select([
      sql<number>`lower(server.port_range)`.as('first_port'),
      sql<number>`upper(server.port_range) - 1`.as('last_port'),
      sql<number>`(select count(*)::int from instances instance
        where instance.server_id = server.id and instance.destroyed_at is null)`.as('instance_count'),
    ])
}

export type ServerRow = Awaited<ReturnType<typeof listServers>>[number]

export async function listServers(db: Db, page: PageRequest) {
  return await onPage(servers(db), page, 'server.id').execute()
}

export async function getServer(db: Db, id: string): Promise<ServerRow> {
  return await servers(db).where('server.id', '=', id).executeTakeFirstOrThrow()
}
