import { sql } from 'kysely'
import type { ApplicationDefinition } from '#domain/application.ts'
import type { PlannedInstance } from '#domain/build-plan.ts'
import { CONTAINER_CEILING } from '#domain/build-plan.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { InstanceState } from '#domain/instance.ts'
import type { SubscriptionPhase } from '#domain/subscription.ts'
import type { Db } from './database.ts'
import { listPins } from './instance-image.ts'
import { readPlannedLinks } from './link.ts'
import { readTakenOver } from './taken-over.ts'

/** An instance as a server has to know it, with the application it runs. */
export interface DeployedInstance {
  readonly id: string
  readonly subscriptionId: string
  readonly serverId: string
  /** Its place in the bill of materials: lower is built first, what is equal side by side. */
  readonly sequence: number
  readonly environmentId: string
  readonly state: InstanceState
  readonly definition: ApplicationDefinition
  readonly planned: PlannedInstance
}

/** Reads instances with all that a runner needs, in the order in which they are built. */
export async function listDeployedInstances(
  db: Db,
  by:
    | { subscriptionId: string }
    | { instanceIds: readonly string[] }
    | { serverId: string; states: readonly InstanceState[]; phase?: SubscriptionPhase },
): Promise<DeployedInstance[]> {
  let query = db
    .selectFrom('instances')
    .innerJoin('subscriptions', 'subscriptions.id', 'instances.subscription_id')
    .innerJoin('environments', 'environments.id', 'instances.environment_id')
    .innerJoin('application_versions', 'application_versions.id', 'instances.application_version_id')
    .innerJoin('applications', 'applications.id', 'application_versions.application_id')
    .innerJoin('installation', (join) => join.onTrue())
    .leftJoin('subnets', (join) =>
      join
        .onRef('subnets.server_id', '=', 'instances.server_id')
        .onRef('subnets.environment_id', '=', 'instances.environment_id'),
    )
    .select([
      'instances.id',
      'instances.subscription_id',
      'instances.server_id',
      'instances.environment_id',
      'instances.state',
      'instances.sequence',
      'instances.name',
    ])
    .select([
      'instances.generation',
      'instances.host_port',
      'instances.variables',
      'instances.container_limits',
      'instances.service_generations',
      'instances.restored_from_backup_id',
      'environments.prefix',
      'subnets.range as subnet',
      'application_versions.definition',
    ])
    .select(['applications.code', 'subscriptions.customer_id', 'installation.id as installation_id'])
    .orderBy('instances.sequence')
    .orderBy('instances.id')
  if ('subscriptionId' in by) query = query.where('instances.subscription_id', '=', by.subscriptionId)
  if ('instanceIds' in by)
    query = query.where('instances.id', '=', sql<string>`any(${by.instanceIds}::uuid[])`)
  if ('serverId' in by)
    query = query.where('instances.server_id', '=', by.serverId).where('instances.state', 'in', by.states)
  if ('phase' in by && by.phase) query = query.where('subscriptions.phase', '=', by.phase)
  const rows = await query.execute()
  const copies = await readCopiesOf(db, rows)
  const ids = rows.map(({ id }) => id)
  const links = await readPlannedLinks(db, ids)
  const pins = await listPins(db, ids)
  const holds = await readHolds(db, ids)
  const takenOver = await readTakenOver(db, ids)
  return rows.map((row) => ({
    id: row.id,
    subscriptionId: row.subscription_id,
    serverId: row.server_id,
    sequence: row.sequence,
    environmentId: row.environment_id,
    state: row.state,
    definition: row.definition,
    planned: {
      installation: encodeId('installation', row.installation_id),
      customer: encodeId('customer', row.customer_id),
      subscription: encodeId('subscription', row.subscription_id),
      instance: encodeId('instance', row.id),
      application: row.code,
      generation: row.generation,
      environmentPrefix: row.prefix,
      name: row.name,
      hostPort: row.host_port,
      ...(row.subnet === null ? {} : { subnet: row.subnet }),
      ceiling: CONTAINER_CEILING,
      serviceGenerations: row.service_generations,
      limits: row.container_limits,
      variables: row.variables,
      images: pins.get(row.id) ?? [],
      ...copies(row.restored_from_backup_id),
      ...links(row.id),
      ...holds(row.id),
      ...takenOver(row.id),
    },
  }))
}

/** What holds instances at limits that they have reached; most are held by nothing. */
async function readHolds(
  db: Db,
  instanceIds: readonly string[],
): Promise<(instanceId: string) => Pick<PlannedInstance, 'holds'>> {
  const rows = await db
    .selectFrom('limits')
    .select(['instance_id', 'hold'])
    .where('instance_id', '=', sql<string>`any(${instanceIds}::uuid[])`)
    .where('reached_at', 'is not', null)
    .where('hold', 'is not', null)
    .orderBy('code')
    .execute()
  const known = Map.groupBy(rows, (row) => row.instance_id)
  return (instanceId) => {
    const holds = (known.get(instanceId) ?? []).flatMap(({ hold }) => hold ?? [])
    return holds.length === 0 ? {} : { holds }
  }
}

/** What instances begin with, by the backup they are restored from; most are restored from none. */
async function readCopiesOf(
  db: Db,
  instances: readonly { restored_from_backup_id: string | null }[],
): Promise<(backupId: string | null) => Pick<PlannedInstance, 'restoreFrom'>> {
  const ids = instances.flatMap((row) => row.restored_from_backup_id ?? [])
  const rows =
    ids.length === 0
      ? []
      : await db
          .selectFrom('backup_volumes')
          .selectAll()
          .where('backup_id', 'in', ids)
          .orderBy('volume')
          .execute()
  return (backupId) => {
    if (backupId === null) return {}
    const own = rows.filter((row) => row.backup_id === backupId)
    return {
      restoreFrom: own.map(({ volume, location, bytes, sha256 }) => ({ volume, location, bytes, sha256 })),
    }
  }
}

/** @throws `not_found` */
export async function getDeployedInstance(db: Db, instanceId: string): Promise<DeployedInstance> {
  const [instance] = await listDeployedInstances(db, { instanceIds: [instanceId] })
  if (!instance) throw new BusinessError('not_found', 'There is no such instance.')
  return instance
}

/** Moves an instance along; the database refuses a path that is not drawn. Doing it again changes nothing. */
export async function setInstanceState(db: Db, instanceId: string, state: InstanceState): Promise<void> {
  const now = new Date().toISOString()
  await db
    .updateTable('instances')
    .set({ state, state_at: now, ...(state === 'destroyed' ? { destroyed_at: now } : {}) })
    .where('id', '=', instanceId)
    .where('state', '<>', state)
    .execute()
}
