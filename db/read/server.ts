import { sql } from 'kysely'
import { serverState, type ServerState } from '#domain/server.ts'
import { portsOfServer, usedCapacity } from '../capacity.ts'
import { subnetsOfServer } from '../subnet.ts'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function servers(db: Db) {
  return db
    .selectFrom('servers as server')
    .innerJoinLateral(usedCapacity(null).as('used'), (join) => join.onTrue())
    .selectAll('server')
    .selectAll('used')
    .select([
      portsOfServer.as('port_count'),
      subnetsOfServer.as('subnet_count'),
      sql<number | null>`lower(server.port_range)`.as('first_port'),
      sql<number | null>`upper(server.port_range) - 1`.as('last_port'),
      // Both by the database's clock, so that no other clock decides whether a server is out of reach.
      sql<string>`now()`.as('read_at'),
      sql<number>`(select server_silence_seconds from installation)`.as('silence_seconds'),
      sql<string | null>`(select expires_at from server_join_tokens token
        where token.server_id = server.id and used_at is null)`.as('token_expires_at'),
    ])
}

type PlainRow = Awaited<ReturnType<ReturnType<typeof servers>['executeTakeFirstOrThrow']>>
/** Null as its state: people. */
export type ServerRow = PlainRow & { readonly state: ServerState | null }

export async function listServers(db: Db, page: PageRequest): Promise<ServerRow[]> {
  const present = servers(db).where('server.removed_at', 'is', null)
  return (await onPage(present, page, 'server.id').execute()).map(withState)
}

export async function getServer(db: Db, id: string): Promise<ServerRow> {
  return withState(await servers(db).where('server.id', '=', id).executeTakeFirstOrThrow())
}

function withState(row: PlainRow): ServerRow {
  if (row.resource_kind === 'people') return { ...row, state: null }
  const sighting = { lastSeenAt: row.last_seen_at, failureCause: row.failure_cause }
  const at = { nowMs: Date.parse(row.read_at), silenceMs: row.silence_seconds * 1_000 }
  return { ...row, state: serverState(sighting, at) }
}

export interface ServerInstance {
  readonly server_id: string
  readonly id: string
  readonly name: string
}

/** Names of what is on the servers, for a page: the newest, as many as a person looks through. */
export async function listServerInstances(db: Db): Promise<ServerInstance[]> {
  return await db
    .selectFrom('instances')
    .select(['id', 'server_id', 'name'])
    .where('destroyed_at', 'is', null)
    .orderBy('id', 'desc')
    .limit(1_000)
    .execute()
}
