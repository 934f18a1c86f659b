import { sql } from 'kysely'
import type { HeldRange } from '#domain/subnet.ts'
import type { Db, Tx } from './database.ts'
import { replanOpenBuild } from './replan.ts'
import {
  findFree,
  lockServer,
  readSubnet,
  readSubnetUse,
  subnetsExhausted,
  tellSubnetUse,
  type EnvironmentPlace,
} from './subnet.ts'

/**
 * The subnet of an environment turned out to be somebody else's: it gets the next free one. Whoever comes second, or again after a
 * crash, finds it moved.
 * @param refused what the engine would not give
 * @param held what the engine and its host have, as far as it can be told
 * @throws `subnets_exhausted`, once what was learnt is kept
 */
export async function moveEnvironment(
  db: Db,
  place: EnvironmentPlace,
  { refused, held }: { refused: string; held: readonly HeldRange[] },
): Promise<string> {
  const moved = await db.transaction().execute(async (tx) => {
    await lockServer(tx, place.serverId)
    const current = await readSubnet(tx, place)
    if (current !== null && current !== refused) return current
    await keepForeignSubnets(tx, place.serverId, held)
    await keepRefused(tx, place.serverId, refused)
    const range = await findFree(tx, place.serverId)
    if (range === null) return null
    await tx
      .updateTable('subnets')
      .set({ range })
      .where('server_id', '=', place.serverId)
      .where('environment_id', '=', place.environmentId)
      .execute()
    await replanEnvironment(tx, place)
    return range
  })
  await tellSubnetUse(db, place.serverId)
  if (moved === null) throw subnetsExhausted(await readSubnetUse(db, place.serverId))
  return moved
}

/** Whatever is being built in it is planned with the new addresses. */
async function replanEnvironment(tx: Tx, { serverId, environmentId }: EnvironmentPlace): Promise<void> {
  const instances = await tx
    .selectFrom('instances')
    .select('id')
    .where('server_id', '=', serverId)
    .where('environment_id', '=', environmentId)
    .where('destroyed_at', 'is', null)
    .execute()
  for (const { id } of instances) await replanOpenBuild(tx, id)
}

/** Keeps what others have, in place of what was seen before. What is recorded as an environment's own is not foreign. */
export async function keepForeignSubnets(
  tx: Tx,
  serverId: string,
  held: readonly HeldRange[],
): Promise<void> {
  await tx
    .deleteFrom('foreign_subnets')
    .where('server_id', '=', serverId)
    .where((row) =>
      row.or([row('is_listed', '=', true), row('seen_at', '<', sql<string>`now() - interval '1 hour'`)]),
    )
    .execute()
  await sql`
    insert into foreign_subnets (server_id, range, holder, is_listed)
    select distinct on (network(held.range)) server.id, network(held.range), held.holder, true
    from servers server, json_to_recordset(${JSON.stringify(held)}::json) as held (range inet, holder text)
    where server.id = ${serverId} and held.range && server.subnet_pool
      and not exists (select from subnets where server_id = server.id and range = network(held.range))
    on conflict (server_id, range) do update
      set holder = excluded.holder, is_listed = true, seen_at = now()`.execute(tx)
}

/** What the engine refuses is not ours, even where nothing tells who has it. */
async function keepRefused(tx: Tx, serverId: string, refused: string): Promise<void> {
  await sql`
    insert into foreign_subnets (server_id, range, holder, is_listed)
    select ${serverId}, ${refused}::cidr, 'refused by the engine', false
    where not exists (select from foreign_subnets where server_id = ${serverId} and range && ${refused}::cidr and is_listed)
    on conflict (server_id, range) do update set seen_at = now()`.execute(tx)
}
