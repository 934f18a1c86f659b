import { sql, type RawBuilder } from 'kysely'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Db, Tx } from './database.ts'
import { tellOfInstance } from './instance-command.ts'
import { replanOpenBuild } from './replan.ts'
import { lockServer } from './subnet.ts'

/**
 * Takes the lowest free port of a server's range. The server's row is locked, so that two orders never take one.
 * @throws `ports_exhausted`
 */
export async function takePort(tx: Tx, serverId: string): Promise<number> {
  await lockServer(tx, serverId)
  const { rows } = await sql<{ port: number }>`
    select port.port from ${unused} where server.id = ${serverId} and holder.id is null
      and (found.seen_at is null or found.seen_at <= now() - interval '1 hour')
    order by port.port limit 1`.execute(tx)
  return rows[0]?.port ?? (await refuseExhausted(tx, serverId))
}

/** The ports of `server` that no live instance has, and when something else was `found` on each. */
const unused = sql`servers server
  cross join lateral generate_series(lower(server.port_range), upper(server.port_range) - 1) as port (port)
  left join foreign_ports found on found.server_id = server.id and found.port = port.port
  left join instances holder on holder.server_id = server.id and holder.host_port = port.port and holder.destroyed_at is null`

async function refuseExhausted(db: Db, serverId: string): Promise<never> {
  const { rows } = await sql<{ code: string; first: number; last: number }>`
    select code, lower(port_range) as first, upper(port_range) - 1 as last from servers where id = ${serverId}`.execute(
    db,
  )
  const { code = '', first = 0, last = 0 } = rows[0] ?? {}
  throw new BusinessError(
    'ports_exhausted',
    `Server ${code} has no free port in its range ${first} to ${last}. Widen the range, or end what is not needed there.`,
  )
}

/** An instance, and its port that something else on the server was found to have. */
interface TakenPort {
  readonly instanceId: string
  readonly taken: number
}

/**
 * Something else on the server has the port of an instance that is being built: it gets the next free one, and its open build is
 * planned anew, in one transaction. Whoever comes second, or again after a crash, finds it moved. One build tries each port once.
 * @throws `ports_exhausted`, once what was learnt is kept
 */
export async function movePort(db: Db, of: TakenPort): Promise<number> {
  return await moveOn(db, of, {
    triedSince: sql`(select max(created_at) from build_orders where kind = 'build'
      and subscription_id = (select subscription_id from instances where id = ${of.instanceId}))`,
    andThen: async (tx) => await replanOpenBuild(tx, of.instanceId),
  })
}

/**
 * The same for an instance that was built, and is found without its port when it is started again. Its timeline tells of it.
 * @param since instant: a port that was found taken after it is not tried again
 * @throws `ports_exhausted`, once what was learnt is kept
 */
export async function moveStandingPort(db: Db, of: TakenPort & { since: string }): Promise<number> {
  return await moveOn(db, of, {
    triedSince: sql`${of.since}::timestamptz`,
    andThen: async (tx, port) => await tellOfMove(tx, of, port),
  })
}

async function tellOfMove(tx: Tx, { instanceId, taken }: TakenPort, port: number): Promise<void> {
  const data = { instance: encodeId('instance', instanceId), before: taken, after: port }
  await tellOfInstance(tx, instanceId, 'instance.port_moved', data)
}

interface Move {
  /** What was found taken after this instant is not tried once more. */
  readonly triedSince: RawBuilder<unknown>
  readonly andThen: (tx: Tx, port: number) => Promise<void>
}

async function moveOn(db: Db, of: TakenPort, move: Move): Promise<number> {
  const { serverId, port } = await db.transaction().execute(async (tx) => {
    const { server_id: serverId } = await tx
      .selectFrom('instances')
      .select('server_id')
      .where('id', '=', of.instanceId)
      .executeTakeFirstOrThrow()
    await lockServer(tx, serverId)
    return { serverId, port: await takeNext(tx, { ...of, serverId }, move) }
  })
  return port ?? (await refuseExhausted(db, serverId))
}

async function takeNext(
  tx: Tx,
  of: TakenPort & { serverId: string },
  { triedSince, andThen }: Move,
): Promise<number | null> {
  const { host_port: current } = await tx
    .selectFrom('instances')
    .select('host_port')
    .where('id', '=', of.instanceId)
    .executeTakeFirstOrThrow()
  if (current !== of.taken) return current
  await tx
    .insertInto('foreign_ports')
    .values({ server_id: of.serverId, port: of.taken })
    .onConflict((conflict) =>
      conflict.columns(['server_id', 'port']).doUpdateSet({ seen_at: sql<string>`now()` as never }),
    )
    .execute()
  const { rows } = await sql<{ port: number }>`
    select port.port from ${unused} where server.id = ${of.serverId} and holder.id is null
      and (found.seen_at is null or found.seen_at < ${triedSince})
    order by found.seen_at nulls first, port.port limit 1`.execute(tx)
  const port = rows[0]?.port
  if (port === undefined) return null
  await tx.updateTable('instances').set({ host_port: port }).where('id', '=', of.instanceId).execute()
  await andThen(tx, port)
  return port
}
