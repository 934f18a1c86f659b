import { sql } from 'kysely'
import type { ApplicationDefinition } from '#domain/application.ts'
import { fieldError } from '#domain/errors.ts'
import type { TakenOver } from '#domain/taken-over.ts'
import type { Db, Tx } from './database.ts'
import type { OrderContext } from './order-context.ts'

/** A group of containers that runs already, as it is to become an instance. */
export interface AskedTakeOver extends Omit<TakenOver, 'generation'> {
  readonly applicationId: string
  readonly serverId: string
  /** Where it answers on its server; null: nowhere. */
  readonly hostPort: number | null
}

/**
 * Refuses a group that is not what the order builds, or has an owner. The servers' rows are locked by the caller: of two who ask at
 * once, one gets it, and the database holds it besides.
 * @throws `already_linked`, `field_invalid`
 */
export async function refuseTakeOver(
  tx: Tx,
  asked: AskedTakeOver,
  { planned, applications }: Pick<OrderContext, 'planned' | 'applications'>,
): Promise<void> {
  const builds = planned.filter(({ applicationIds }) => applicationIds.includes(asked.applicationId))
  const definition = applications.get(asked.applicationId)?.definition
  if (builds.length !== 1 || definition === undefined) {
    const detail = 'The order builds this application not once: one group becomes one instance.'
    throw fieldError('/take_over/application', 'field_invalid', detail)
  }
  const said = new Set(Object.keys(builds[0]?.secrets ?? {}))
  refuseOtherGroup(asked, definition, said)
  await refuseOwned(tx, asked)
}

function refuseOtherGroup(
  { containers, volumes, hostPort }: AskedTakeOver,
  { services, volumes: declared, secrets, wants, offers, public: isPublic, code }: ApplicationDefinition,
  said: ReadonlySet<string>,
): void {
  const refuse = (pointer: string, detail: string) =>
    fieldError(`/take_over${pointer}`, 'field_invalid', detail)
  refuseOtherNames(
    'containers',
    Object.keys(containers),
    services.map(({ name }) => name),
  )
  refuseOtherNames('volumes', Object.keys(volumes), declared)
  if ((isPublic === null) !== (hostPort === null))
    throw refuse(
      '/host_port',
      `${code} ${isPublic === null ? 'publishes nothing' : 'answers at a port: say which'}.`,
    )
  const unknown = secrets.find(({ name }) => !said.has(name))
  if (unknown !== undefined)
    throw refuse(
      '',
      `What runs has a value for ${unknown.name} that is not said: made anew, it would have another.`,
    )
  if ((wants ?? []).length + (offers ?? []).length > 0)
    throw refuse('', `${code} is linked to others, which what runs cannot be.`)
}

function refuseOtherNames(
  what: 'containers' | 'volumes',
  given: readonly string[],
  declared: readonly string[],
): void {
  const same = given.length === declared.length && given.every((name) => declared.includes(name))
  if (same) return
  const detail = `Its ${what} are: ${declared.join(', ') || 'none'}. Each is named once.`
  throw fieldError(`/take_over/${what}`, 'field_invalid', detail)
}

/** What was taken over before, and what was made here, have owners. */
async function refuseOwned(tx: Tx, { serverId, containers, volumes }: AskedTakeOver): Promise<void> {
  const ids = Object.values(containers).map(({ id }) => id)
  const names = Object.values(volumes)
  const { rows } = await sql<{ name: string; instance: string }>`
    select taken.name, instances.name as instance from taken_over_objects taken
      join instances on instances.id = taken.instance_id
      where taken.server_id = ${serverId} and taken.released_at is null
        and (kind = 'container' and external_id = any(${ids}) or kind = 'volume' and external_id = any(${names}))
    union all
    select made.name, instances.name from resources made join instances on instances.id = made.instance_id
      where made.server_id = ${serverId} and made.removed_at is null
        and (kind = 'container' and external_id = any(${ids}) or kind = 'volume' and made.name = any(${names}))
    limit 1`.execute(tx)
  const [owned] = rows
  if (owned === undefined) return
  throw fieldError('/take_over', 'already_linked', `${owned.name} belongs to ${owned.instance} already.`)
}

export async function insertTakenOver(tx: Tx, instanceId: string, asked: AskedTakeOver): Promise<void> {
  const of = { instance_id: instanceId, server_id: asked.serverId }
  const containers = Object.entries(asked.containers).map(([component, { name, id }]) => ({
    ...of,
    kind: 'container' as const,
    component,
    name,
    external_id: id,
  }))
  const volumes = Object.entries(asked.volumes).map(([component, name]) => ({
    ...of,
    kind: 'volume' as const,
    component,
    name,
    external_id: name,
  }))
  await tx
    .insertInto('taken_over_objects')
    .values([...containers, ...volumes])
    .execute()
}

/** What was there before instances, by their ids; most made all that they have. */
export async function readTakenOver(
  db: Db,
  instanceIds: readonly string[],
): Promise<(instanceId: string) => { takenOver?: TakenOver }> {
  const rows = await db
    .selectFrom('taken_over_objects')
    .select(['instance_id', 'kind', 'component', 'name', 'external_id'])
    .where('instance_id', '=', sql<string>`any(${instanceIds}::uuid[])`)
    .where('released_at', 'is', null)
    .execute()
  const byInstance = Map.groupBy(rows, (row) => row.instance_id)
  return (instanceId) => {
    const own = byInstance.get(instanceId)
    if (own === undefined) return {}
    const containers = own.filter(({ kind }) => kind === 'container')
    const volumes = own.filter(({ kind }) => kind === 'volume')
    return {
      takenOver: {
        // Instances are ordered with this one; what is made anew has a later one.
        generation: 1,
        containers: Object.fromEntries(
          containers.map((row) => [row.component, { name: row.name, id: row.external_id }]),
        ),
        volumes: Object.fromEntries(volumes.map((row) => [row.component, row.name])),
      },
    }
  }
}
