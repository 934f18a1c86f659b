import { sql } from 'kysely'
import { sayAmount, type Amounts, type CapacityResource, type Ceilings } from '#domain/capacity.ts'
import type { Tx } from './database.ts'
import { insertEvent } from './event.ts'

/** What is used of a server: by what is reserved, and the ports of what was ever given one and is not destroyed. */
interface UsedCapacity {
  /** All that are not destroyed, whether anything is reserved for them or not. */
  readonly instance_count: number
  readonly used_memory_mib: number
  readonly used_cpus: string
  readonly used_disk_mib: number
  readonly used_instances: number
  readonly used_ports: number
  readonly used_subnets: number
  /** Instances of the environment that was asked about. */
  readonly neighbours: number
  /** It has a network there, of a subnet of its own or of before pools were planned. */
  readonly has_network: boolean
}

/** Joined laterally to a row of `servers` named `server`. An environment has one subnet on each server where it has instances. */
export function usedCapacity(environmentPrefix: string | null) {
  return sql<UsedCapacity>`(
    select count(instance.id)::integer as instance_count,
      coalesce(sum(reservation.memory_mib), 0)::bigint as used_memory_mib,
      coalesce(sum(reservation.cpus), 0) as used_cpus,
      coalesce(sum(reservation.disk_mib), 0)::bigint as used_disk_mib,
      count(reservation.instance_id)::integer as used_instances,
      count(instance.host_port) filter (where instance.host_port <@ server.port_range)::integer as used_ports,
      (select count(*) from subnets where server_id = server.id)::integer as used_subnets,
      (exists (select from subnets join environments environment on environment.id = environment_id
          where server_id = server.id and environment.prefix = ${environmentPrefix} and environment.released_at is null)
        or coalesce(bool_or(instance.environment_id = (
          select id from environments where prefix = ${environmentPrefix} and released_at is null)), false)) as has_network,
      count(reservation.instance_id) filter (where instance.environment_id = (
        select id from environments where prefix = ${environmentPrefix} and released_at is null))::integer as neighbours
    from instances instance
    left join reservations reservation on reservation.instance_id = instance.id and reservation.released_at is null
    where instance.server_id = server.id and instance.destroyed_at is null)`
}

export const portsOfServer = sql<number>`coalesce(upper(server.port_range) - lower(server.port_range), 0)`

export interface CapacityColumns extends UsedCapacity {
  readonly memory_mib: number | null
  readonly cpus: string | null
  readonly disk_mib: number | null
  readonly most_instances: number | null
  readonly port_count: number
  readonly subnet_count: number | null
}

export function toCeilings(row: CapacityColumns): Ceilings {
  return {
    memoryMib: toText(row.memory_mib),
    cpus: row.cpus,
    diskMib: toText(row.disk_mib),
    instances: toText(row.most_instances),
    ports: String(row.port_count),
    subnets: toText(row.subnet_count),
  }
}

export function toReserved(row: UsedCapacity): Amounts {
  return {
    memoryMib: String(row.used_memory_mib),
    cpus: row.used_cpus,
    diskMib: String(row.used_disk_mib),
    instances: String(row.used_instances),
    ports: String(row.used_ports),
    subnets: String(row.used_subnets),
  }
}

function toText(count: number | null): string | null {
  return count === null ? null : String(count)
}

/**
 * Reserves what an instance takes, in the transaction that accepts its order. The servers are locked by the caller, who has
 * looked; the database refuses what is too much all the same.
 */
export async function reserveCapacity(
  tx: Tx,
  reservation: { instanceId: string; serverId: string; takes: Amounts },
): Promise<void> {
  const { takes } = reservation
  await tx
    .insertInto('reservations')
    .values({
      instance_id: reservation.instanceId,
      server_id: reservation.serverId,
      memory_mib: Number(takes.memoryMib),
      cpus: takes.cpus,
      disk_mib: Number(takes.diskMib),
      released_at: null,
    })
    .execute()
}

/** What was undone takes nothing any more; a retry reserves it again. What is destroyed is freed by the database. */
export async function releaseUndone(tx: Tx, subscriptionId: string): Promise<void> {
  await sql`
    update reservations set released_at = now() from instances
    where instances.id = reservations.instance_id and instances.subscription_id = ${subscriptionId} and released_at is null`.execute(
    tx,
  )
}

/** What an operator says of a server. What is left out stays; null is not counted. */
export interface ServerChange {
  readonly memoryMib?: number | null
  readonly cpus?: string | null
  readonly diskMib?: number | null
  readonly mostInstances?: number | null
  readonly efficiency?: string
  readonly tags?: readonly string[]
  /** Draining, nothing new is placed on it. */
  readonly isDraining?: boolean
}

/** Less may be offered than is reserved: then nothing new is placed until enough has ended. */
export async function changeServer(
  tx: Tx,
  serverId: string,
  change: ServerChange,
  by: { actor: string; now: string },
): Promise<void> {
  const { isDraining } = change
  const columns = {
    memory_mib: change.memoryMib,
    cpus: change.cpus,
    disk_mib: change.diskMib,
    most_instances: change.mostInstances,
    efficiency: change.efficiency,
    tags: change.tags && [...new Set(change.tags)].toSorted(),
    draining_since:
      isDraining === undefined
        ? undefined
        : isDraining
          ? sql<string>`coalesce(draining_since, ${by.now}::timestamptz)`
          : null,
  }
  const said = Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined))
  if (Object.keys(said).length === 0) return
  const { code } = await tx
    .updateTable('servers')
    .set(said)
    .where('id', '=', serverId)
    .returning('code')
    .executeTakeFirstOrThrow()
  await insertEvent(tx, {
    kind: 'server.changed',
    data: { server: code, actor: by.actor, said: sayChange(change) },
  })
}

/** `16 GiB memory, efficiency 0.8, tagged gpu, draining`. */
function sayChange(change: ServerChange): string {
  const amount = (resource: CapacityResource, said: number | string | null | undefined) =>
    said === undefined ? [] : [said === null ? `${resource} not counted` : sayAmount(resource, String(said))]
  return [
    ...amount('memoryMib', change.memoryMib),
    ...amount('cpus', change.cpus),
    ...amount('diskMib', change.diskMib),
    ...amount('instances', change.mostInstances),
    ...(change.efficiency === undefined ? [] : [`efficiency ${change.efficiency}`]),
    ...(change.tags === undefined
      ? []
      : [change.tags.length === 0 ? 'no tags' : `tagged ${change.tags.join(', ')}`]),
    ...(change.isDraining === undefined ? [] : [change.isDraining ? 'draining' : 'not draining']),
  ].join(', ')
}
