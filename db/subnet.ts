import { sql, type RawBuilder } from 'kysely'
import { BusinessError, fieldError } from '#domain/errors.ts'
import { SUBNET_ALERT_PERCENT } from '#domain/subnet.ts'
import type { Db, Tx } from './database.ts'
import { closeTasks, openTask } from './task.ts'

/** Where an environment is. */
export interface EnvironmentPlace {
  readonly serverId: string
  readonly environmentId: string
}

export interface SubnetUse {
  readonly server: string
  /** `10.201.0.0/16`, and the length of the prefix of each of its subnets. */
  readonly pool: string
  readonly prefixLength: number
  readonly total: number
  readonly free: number
  /** Who of others has some of them: `route of tun0 (10.0.0.0/8)`. */
  readonly foreign: readonly string[]
}

/** How many environments could still be placed on a server by their addresses alone. */
export async function freeSubnets(db: Db, serverId: string): Promise<number> {
  return (await readSubnetUse(db, serverId)).free
}

export async function readSubnetUse(db: Db, serverId: string): Promise<SubnetUse> {
  const { rows } = await sql<SubnetUse>`
    select server.code as server, server.subnet_pool::text as pool, server.subnet_prefix_length as "prefixLength",
      count(*)::int as total, count(*) filter (where ${isFree})::int as free,
      array(select holder || ' (' || range || ')' from foreign_subnets
        where server_id = server.id and ${isRemembered} order by range limit 5) as foreign
    from ${candidates} where server.id = ${serverId} group by server.id`.execute(db)
  const [use] = rows
  if (use === undefined) throw new BusinessError('not_found', 'There is no such server.')
  return use
}

const rangeAt: RawBuilder<string> = sql<string>`network(set_masklen(
  server.subnet_pool::inet + (place::bigint << (32 - server.subnet_prefix_length)), server.subnet_prefix_length))`

/** Every subnet of the pool of `server`, taken or not. */
const candidates: RawBuilder<unknown> = sql`servers server
  cross join lateral generate_series(0, (1 << (server.subnet_prefix_length - masklen(server.subnet_pool))) - 1) as place
  cross join lateral (select ${rangeAt} as range) as candidate`

/** What an engine merely refused may be free again later; what it told of is looked at anew each minute. */
const isRemembered: RawBuilder<boolean> = sql<boolean>`(is_listed or seen_at > now() - interval '1 hour')`

const isForeign: RawBuilder<boolean> = sql<boolean>`exists (
  select from foreign_subnets where server_id = server.id and range && candidate.range and ${isRemembered})`

const isFree: RawBuilder<boolean> = sql<boolean>`not exists (
    select from subnets where server_id = server.id and range && candidate.range) and not ${isForeign}`

/** How many subnets of `server` environments have or could have: those that others hold are not counted. */
export const subnetsOfServer = sql<number>`(
  select (select count(*) from subnets where server_id = server.id)::int + count(*)::int
  from generate_series(0, (1 << (server.subnet_prefix_length - masklen(server.subnet_pool))) - 1) as place
    cross join lateral (select ${rangeAt} as range) as candidate
  where ${isFree})`

/** The pool of `server` for people, with who else has some of it. */
export const subnetPoolText = sql<string>`server.subnet_pool || coalesce((
  select ', of which others have ' || string_agg(range || ' (' || holder || ')', ', ') from (
    select range, holder from foreign_subnets where server_id = server.id and ${isRemembered} order by range limit 5) as held), '')`

/**
 * Gives an environment its subnet on a server, with the first instance that goes there. One that was there before pools were planned
 * has its network as it is, until the last of its instances there has ended.
 * @throws `subnets_exhausted`
 */
export async function takeSubnet(tx: Tx, place: EnvironmentPlace): Promise<void> {
  await lockServer(tx, place.serverId)
  if ((await readSubnet(tx, place)) !== null || (await hasInstances(tx, place))) return
  const range = await findFree(tx, place.serverId)
  if (range === null) throw subnetsExhausted(await readSubnetUse(tx, place.serverId))
  await tx
    .insertInto('subnets')
    .values({ server_id: place.serverId, environment_id: place.environmentId, range })
    .execute()
  await tellSubnetUse(tx, place.serverId)
}

/** Orders, builds and releases of one server wait for each other here, so that two never take one subnet or port. */
export async function lockServer(tx: Tx, serverId: string): Promise<void> {
  await tx.selectFrom('servers').select('id').where('id', '=', serverId).forNoKeyUpdate().execute()
}

export async function readSubnet(
  tx: Tx,
  { serverId, environmentId }: EnvironmentPlace,
): Promise<string | null> {
  const row = await tx
    .selectFrom('subnets')
    .select('range')
    .where('server_id', '=', serverId)
    .where('environment_id', '=', environmentId)
    .executeTakeFirst()
  return row?.range ?? null
}

async function hasInstances(tx: Tx, { serverId, environmentId }: EnvironmentPlace): Promise<boolean> {
  const row = await tx
    .selectFrom('instances')
    .select('id')
    .where('server_id', '=', serverId)
    .where('environment_id', '=', environmentId)
    .where('destroyed_at', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}

export async function findFree(tx: Tx, serverId: string): Promise<string | null> {
  const { rows } = await sql<{ range: string }>`
    select candidate.range::text as range from ${candidates}
    where server.id = ${serverId} and ${isFree} order by place limit 1`.execute(tx)
  return rows[0]?.range ?? null
}

export function subnetsExhausted({ server, pool, prefixLength, total, foreign }: SubnetUse): BusinessError {
  return new BusinessError(
    'subnets_exhausted',
    `Server ${server} has no free subnet: all ${total} of /${prefixLength} in its pool ${pool} are taken. ` +
      (foreign.length === 0 ? '' : `Some of them others have: ${foreign.join(', ')}. `) +
      `End what is not needed there, give it a larger pool, or add a server.`,
  )
}

/**
 * Frees the subnets of environments of which nothing lives on a server any more. Where their network is still recorded as made,
 * its absence has to be seen first.
 */
export async function releaseSubnets(tx: Tx, serverId: string): Promise<void> {
  await lockServer(tx, serverId)
  const { numAffectedRows } = await sql`
    delete from subnets where server_id = ${serverId} and not exists (
      select from instances instance left join resources network
        on network.instance_id = instance.id and network.kind = 'network' and network.removed_at is null
      where instance.server_id = subnets.server_id and instance.environment_id = subnets.environment_id
        and (instance.destroyed_at is null or network.id is not null))`.execute(tx)
  if (numAffectedRows !== undefined && numAffectedRows > 0n) await tellSubnetUse(tx, serverId)
}

/** An operator is told before it is too late, and not any more once there is room again. */
export async function tellSubnetUse(db: Db, serverId: string): Promise<void> {
  const { server, pool, total, free } = await readSubnetUse(db, serverId)
  const used = total - free
  const subject = { kind: 'server', id: serverId, reason: `${free} of ${total} subnets are free` } as const
  if (used * 100 < total * SUBNET_ALERT_PERCENT)
    return await closeTasks(db, subject, ['subnets_nearly_exhausted'])
  await openTask(db, {
    kind: 'subnets_nearly_exhausted',
    subjectKind: 'server',
    subjectId: serverId,
    subject:
      free === 0 ? `Server ${server} has no free subnet` : `Server ${server} has ${free} free subnets left`,
    detail:
      `${used} of ${total} subnets of its pool ${pool} are taken. With none left, orders that need an environment there are ` +
      `refused (subnets_exhausted). Give it a larger pool: npx clouder subnets set ${server} 10.…/15, ` +
      `end what is not needed, or add a server.`,
  })
}

/**
 * Says from which addresses a server gives subnets. What is taken stays as it is, inside of them or not.
 * @throws `field_invalid`
 */
export async function setSubnetPool(
  tx: Tx,
  serverId: string,
  { pool, prefixLength }: { pool: string; prefixLength: number },
): Promise<void> {
  const length = Number(pool.split('/')[1])
  if (prefixLength < length || prefixLength > Math.min(29, length + 12)) {
    const detail = `A pool of /${length} has subnets of /${length} to /${Math.min(29, length + 12)}.`
    throw fieldError('/prefix_length', 'field_invalid', detail)
  }
  await lockServer(tx, serverId)
  await tx
    .updateTable('servers')
    .set({ subnet_pool: sql<string>`network(${pool}::inet)`, subnet_prefix_length: prefixLength })
    .where('id', '=', serverId)
    .execute()
  await tellSubnetUse(tx, serverId)
}
