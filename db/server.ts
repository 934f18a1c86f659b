import { sql } from 'kysely'
import { fieldError } from '#domain/errors.ts'
import { nextPortRange, portsPerServer, type PortRange, type ServerConnection } from '#domain/server.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { newId } from './identifier.ts'
import { open, seal, type InstallationKey } from './sealing.ts'

export interface NewServer {
  readonly code: string
  /** Null: after those of the other servers. */
  readonly ports: PortRange | null
  /** Null: a worker of its own serves it, once it has joined. */
  readonly engine: EngineAccess | null
  readonly actor: string
}

/** How an engine behind TLS is reached. */
export interface EngineAccess {
  /** `tcp://host:port` */
  readonly address: string
  /** PEM, all three. */
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

/** Adds a server; nothing is built on it before its engine was seen. @throws `code_taken` */
export async function addServer(
  tx: Tx,
  server: NewServer,
  key: InstallationKey | null,
  now: string,
): Promise<string> {
  const id = newId()
  // Two that are added at once take different ports.
  await sql`lock table servers in share row exclusive mode`.execute(tx)
  await refuseTakenCode(tx, server.code)
  const ports = server.ports ?? nextPortRange(await listPortRanges(tx), portsPerServer)
  await tx
    .insertInto('servers')
    .values({
      id,
      code: server.code,
      runner: 'docker',
      connection: server.engine === null ? 'own_worker' : 'tls',
      port_range: `[${ports.first},${ports.last + 1})`,
      engine_address: server.engine?.address ?? null,
      engine_set_at: server.engine === null ? null : now,
      last_seen_at: null,
    })
    .execute()
  if (server.engine !== null) await keepEngineSecrets(tx, id, server.engine, key)
  await insertEvent(tx, { kind: 'server.added', data: { server: server.code, by: server.actor } })
  return id
}

/** Adds a work centre of people: work is planned on it, and nothing runs there. @throws `code_taken` */
export async function addPeople(tx: Tx, { code, actor }: { code: string; actor: string }): Promise<string> {
  await refuseTakenCode(tx, code)
  const id = newId()
  await tx
    .insertInto('servers')
    .values({
      id,
      code,
      resource_kind: 'people',
      runner: null,
      connection: null,
      port_range: null,
      last_seen_at: null,
    })
    .execute()
  await insertEvent(tx, { kind: 'server.added', data: { server: code, by: actor } })
  return id
}

async function refuseTakenCode(tx: Tx, code: string): Promise<void> {
  const taken = await tx.selectFrom('servers').select('id').where('code', '=', code).executeTakeFirst()
  if (taken !== undefined) throw fieldError('/code', 'code_taken', `There is a server ${code} already.`)
}

async function listPortRanges(tx: Tx): Promise<PortRange[]> {
  return await tx
    .selectFrom('servers')
    .select([sql<number>`lower(port_range)`.as('first'), sql<number>`upper(port_range) - 1`.as('last')])
    .where('port_range', 'is not', null)
    .execute()
}

/** Another address or other certificates for an engine behind TLS; in force within seconds. @throws `action_not_allowed` */
export async function setEngine(
  tx: Tx,
  serverId: string,
  engine: EngineAccess,
  { key, now }: { key: InstallationKey | null; now: string },
): Promise<void> {
  await tx
    .updateTable('servers')
    .set({ engine_address: engine.address, engine_set_at: now })
    .where('id', '=', serverId)
    .where('connection', '=', 'tls')
    .executeTakeFirstOrThrow()
  await keepEngineSecrets(tx, serverId, engine, key)
}

const secretNames = ['ca', 'certificate', 'key'] as const

async function keepEngineSecrets(
  tx: Tx,
  serverId: string,
  engine: EngineAccess,
  key: InstallationKey | null,
): Promise<void> {
  if (key === null) throw new Error('there is no installation key to seal with: CLOUDER_KEY_FILE')
  await tx.deleteFrom('server_secrets').where('server_id', '=', serverId).execute()
  const rows = secretNames.map((name) => {
    const { keyId, sealed } = seal(key, serverId, name, engine[name])
    return { server_id: serverId, name, key_id: keyId, sealed }
  })
  await tx.insertInto('server_secrets').values(rows).execute()
}

/** What is kept of an engine behind TLS, opened; only the worker that talks to it asks. */
export async function openEngineAccess(
  db: Db,
  serverId: string,
  key: InstallationKey,
): Promise<EngineAccess> {
  const { engine_address: address } = await db
    .selectFrom('servers')
    .select('engine_address')
    .where('id', '=', serverId)
    .executeTakeFirstOrThrow()
  const rows = await db
    .selectFrom('server_secrets')
    .select(['name', 'key_id', 'sealed'])
    .where('server_id', '=', serverId)
    .execute()
  const read = (name: string): string => {
    const row = rows.find((one) => one.name === name)
    if (row === undefined) throw new Error(`server ${serverId} has no ${name}`)
    return open(key, serverId, { name, keyId: row.key_id, sealed: row.sealed })
  }
  return { address: address ?? '', ca: read('ca'), certificate: read('certificate'), key: read('key') }
}

export interface ServedServer {
  readonly id: string
  readonly code: string
  readonly connection: ServerConnection
  /** Another value: it is to be reached in another way from now on. */
  readonly engineSetAt: string | null
}

/** Every server that things are built on, in the order in which they were added. */
export async function listServedServers(db: Db): Promise<ServedServer[]> {
  const rows = await db
    .selectFrom('servers')
    .select(['id', 'code', 'connection', 'engine_set_at'])
    .where('resource_kind', '=', 'infrastructure')
    .where('removed_at', 'is', null)
    .orderBy('id')
    .execute()
  return rows.flatMap(({ id, code, connection, engine_set_at: engineSetAt }) =>
    connection === null ? [] : [{ id, code, connection, engineSetAt }],
  )
}

/** Servers that there were: nothing runs for them any more. */
export async function listRemovedServerIds(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('servers').select('id').where('removed_at', 'is not', null).execute()
  return rows.map((row) => row.id)
}

/** The now of the subscriptions that live on a test clock, by subscription. */
export async function readTestClocks(
  db: Db,
  subscriptionIds: readonly string[],
): Promise<Map<string, string>> {
  if (subscriptionIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('subscriptions')
    .innerJoin('test_clocks', 'test_clocks.id', 'subscriptions.test_clock_id')
    .select(['subscriptions.id', 'test_clocks.now_at'])
    .where('subscriptions.id', 'in', subscriptionIds)
    .execute()
  return new Map(rows.map((row) => [row.id, row.now_at]))
}

export async function listServerIds(db: Db): Promise<string[]> {
  return (await listServedServers(db)).map(({ id }) => id)
}

/** Servers on which something of a test clock runs. */
export async function listServerIdsOfClock(db: Db, testClockId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('instances')
    .innerJoin('subscriptions', 'subscriptions.id', 'instances.subscription_id')
    .select('instances.server_id')
    .distinct()
    .where('subscriptions.test_clock_id', '=', testClockId)
    .where('instances.destroyed_at', 'is', null)
    .orderBy('instances.server_id')
    .execute()
  return rows.map((row) => row.server_id)
}

export async function getServerCode(db: Db, id: string): Promise<string> {
  const row = await db.selectFrom('servers').select('code').where('id', '=', id).executeTakeFirstOrThrow()
  return row.code
}
