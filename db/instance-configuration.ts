import { planBuild } from '#domain/build-plan.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { configure, expectDifferences, type AskedConfiguration } from '#domain/instance-configuration.ts'
import { compareContainers, type ContainerChange } from '#domain/replacement.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { getDeployedInstance, type DeployedInstance } from './instance.ts'
import { reserveChanged } from './placement.ts'
import { readStandings } from './reconciliation.ts'
import { raiseGenerations, requestReplacement } from './replacement.ts'
import { getSubscription } from './subscription.ts'

/** Who asks, and why. */
export interface ConfigurationActor {
  readonly actor: string
  readonly reason: string | null
}

/** What is asked of an instance: what people call it, and how its containers are made. */
export interface AskedChange extends AskedConfiguration {
  /** Null: it is called by its name again. */
  readonly displayName?: string | null | undefined
  /** False: it is only wanted, until it is applied. */
  readonly isApplied: boolean
}

/**
 * What a change would do to each container; nothing is saved.
 * @throws what `configure` refuses
 */
export async function previewConfiguration(
  db: Db,
  instanceId: string,
  asked: AskedConfiguration,
): Promise<ContainerChange[]> {
  return decide(await getDeployedInstance(db, instanceId), asked).containers
}

/**
 * Writes down what is wanted of an instance from now on, and has it carried out. Both or neither; containers follow it whatever dies.
 * @throws what `configure` refuses, `action_not_allowed` while it does not run, `no_server_for_application` where its server has too little
 */
export async function changeConfiguration(
  tx: Tx,
  instanceId: string,
  asked: AskedChange,
  by: ConfigurationActor,
): Promise<ContainerChange[]> {
  const row = await tx
    .selectFrom('instances')
    .select(['display_name', 'observed_differences', 'state'])
    .where('id', '=', instanceId)
    .forUpdate()
    .executeTakeFirstOrThrow()
  const instance = await getDeployedInstance(tx, instanceId)
  const { planned, containers } = decide(instance, asked)
  const isTouched = containers.some(({ effect }) => effect !== 'kept')
  if (isTouched) await refuseUnsettled(tx, instance)
  if (row.state === 'destroyed') throw new BusinessError('action_not_allowed', 'The instance has ended.')
  const { displayName = row.display_name } = asked
  await tx
    .updateTable('instances')
    .set({
      display_name: displayName,
      variables: JSON.stringify(planned.variables ?? {}),
      container_limits: JSON.stringify(planned.limits ?? {}),
      observed_differences: JSON.stringify(expectDifferences(row.observed_differences, containers)),
    })
    .where('id', '=', instanceId)
    .execute()
  await reserveChanged(tx, instanceId)
  const replaced = containers.filter(({ effect }) => effect === 'replaced').map(({ service }) => service)
  await raiseGenerations(tx, instanceId, replaced)
  if (isTouched && asked.isApplied) await requestReplacement(tx, { instanceId, by: by.actor })
  await tell(tx, instance, { containers, names: [row.display_name, displayName], by })
  return containers
}

/** What containers of an instance may take by what is sold of it, whatever its file says; nothing is carried out by this. */
export async function setContainerLimits(
  db: Db,
  instanceId: string,
  limits: NonNullable<AskedConfiguration['limits']>,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { planned } = decide(await getDeployedInstance(tx, instanceId), { limits })
    await tx
      .updateTable('instances')
      .set({ container_limits: JSON.stringify(planned.limits ?? {}) })
      .where('id', '=', instanceId)
      .execute()
    await reserveChanged(tx, instanceId)
  })
}

/** Has what is wanted carried out. @throws `action_not_allowed` while it does not run */
export async function applyConfiguration(tx: Tx, instanceId: string, actor: string): Promise<void> {
  const instance = await getDeployedInstance(tx, instanceId)
  await refuseUnsettled(tx, instance)
  await raiseGenerations(tx, instanceId, await listOtherwiseMade(tx, instance))
  await requestReplacement(tx, { instanceId, by: actor })
}

/** Of what was taken over, the services that run otherwise than wanted: nothing but a new container ends that. */
async function listOtherwiseMade(tx: Tx, { id, planned }: DeployedInstance): Promise<string[]> {
  const { takenOver, generation, serviceGenerations = {} } = planned
  if (takenOver === undefined) return []
  const { observed_differences: differences } = await tx
    .selectFrom('instances')
    .select('observed_differences')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return Object.keys(takenOver.containers).filter(
    (service) =>
      (serviceGenerations[service] ?? generation) === takenOver.generation &&
      differences.some((one) => one.service === service),
  )
}

function decide(instance: DeployedInstance, asked: AskedConfiguration) {
  const planned = configure(instance, asked)
  const before = planBuild(instance.definition, instance.planned)
  const sealed = Object.entries(planned.variables ?? {}).flatMap(([name, value]) =>
    value === null ? name : [],
  )
  const secrets = new Set([...instance.definition.secrets.map(({ name }) => name), ...sealed])
  return { planned, containers: compareContainers(before, planBuild(instance.definition, planned), secrets) }
}

async function refuseUnsettled(db: Db, { id, serverId, state }: DeployedInstance): Promise<void> {
  const standing = (await readStandings(db, serverId, [id])).get(id)
  if (standing?.wants === 'running') return
  const detail = `The instance is ${state}: its containers are changed while it runs, and nothing else is at work on it.`
  throw new BusinessError('action_not_allowed', detail)
}

async function tell(
  tx: Tx,
  instance: DeployedInstance,
  change: {
    containers: readonly ContainerChange[]
    names: readonly [string | null, string | null]
    by: ConfigurationActor
  },
): Promise<void> {
  const [before, after] = change.names
  const differences = change.containers.flatMap(({ service, differences: of }) =>
    of.map(({ key, wanted, running }) => ({ what: `${service} ${key}`, from: running, to: wanted })),
  )
  const renamed = before === after ? [] : [{ what: 'name', from: before, to: after }]
  const changes = [...renamed, ...differences]
  if (changes.length === 0) return
  const { customer_id: customerId } = await getSubscription(tx, instance.subscriptionId)
  await insertEvent(tx, {
    kind: 'instance.changed',
    customerId,
    subscriptionId: instance.subscriptionId,
    data: {
      instance: encodeId('instance', instance.id),
      name: instance.planned.name,
      by: change.by.actor,
      ...(change.by.reason === null ? {} : { reason: change.by.reason }),
      changes,
    },
  })
}
