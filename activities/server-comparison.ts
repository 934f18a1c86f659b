import type { Db } from '#db/database.ts'
import { saveFindings, type ComparedScope } from '#db/finding.ts'
import { listDeployedInstances, type DeployedInstance } from '#db/instance.ts'
import { getInstallation } from '#db/read/installation.ts'
import {
  listRecorded,
  listRestorable,
  readStandings,
  saveObserved,
  type SeenInstance,
  type Standing,
} from '#db/reconciliation.ts'
import { planBuild, type EngineStep } from '#domain/build-plan.ts'
import { BusinessError } from '#domain/errors.ts'
import { isUndoable, keyOf, type Finding, type WantedInstance } from '#domain/finding.ts'
import { encodeId } from '#domain/identifier.ts'
import type { InstanceState } from '#domain/instance.ts'
import { generationDifference, ownership } from '#domain/ownership.ts'
import { compareServer } from '#domain/reconciliation.ts'
import { observedState, seenContainers, type ObservedState, type SeenContainer } from '#domain/repair.ts'
import type { ObservedObject, RunnerContext } from '#domain/runner.ts'
import type { ServerDependencies } from './dependencies.ts'

const liveStates: readonly InstanceState[] = [
  'ordered',
  'building',
  'running',
  'limited',
  'suspended',
  'cancelling',
  'failed',
]

/** An instance with what is wanted of it and what was seen. */
export interface ComparedInstance {
  readonly deployed: DeployedInstance
  readonly wanted: WantedInstance
  readonly observed: ObservedState
  readonly containers: readonly SeenContainer[]
  /** What has one of its planned names. */
  readonly objects: readonly ObservedObject[]
  readonly findings: readonly Finding[]
}

export interface ServerComparison {
  readonly instances: readonly ComparedInstance[]
  readonly findings: readonly Finding[]
}

/**
 * Rows against the engine, both ways; what was seen and what was found is kept. Rows are read before and after the engine: of an
 * instance at which something began or ended meanwhile nothing is said.
 */
export async function compareWithEngine(
  { db, runner }: ServerDependencies,
  scope: ComparedScope,
  ctx: RunnerContext,
): Promise<ServerComparison> {
  const { serverId, instanceIds } = scope
  const before = await readStandings(db, serverId, instanceIds)
  const instances = await listLive(db, scope)
  const planned = new Map(instances.map((instance) => [instance.id, planSafely(instance)]))
  const at = new Date().toISOString()
  const installation = encodeId('installation', (await getInstallation(db)).id)
  const observed = await runner.observeServer(
    {
      installation,
      steps: [...planned.values()].flatMap((steps) => steps ?? []),
      instances: instanceIds === null ? null : instances.map(({ planned: { instance } }) => instance),
    },
    ctx,
  )
  const recorded = await listRecorded(db, serverId, instanceIds)
  const backups = await listRestorable(db, serverId, instanceIds)
  const after = await readStandings(db, serverId, instanceIds)
  const wanted = instances.map((instance) => ({
    ...toWanted(instance, planned.get(instance.id), [before.get(instance.id), after.get(instance.id)]),
    backup: backups.get(instance.id) ?? null,
  }))
  const findings = compareServer({ installation, wanted, recorded, observed })
  const compared = assign(instances, wanted, { observed, findings })
  await saveObserved(db, new Map(compared.map((one) => [one.deployed.id, toSeen(one)])), at)
  await saveFindings(db, scope, findings, at)
  return { instances: compared, findings }
}

function toSeen({ observed, containers, objects, wanted }: ComparedInstance): SeenInstance {
  const steps = wanted.steps.filter((step) => step.kind === 'container')
  const differences = steps.flatMap((step) => {
    const found = objects.find(({ kind, name }) => kind === 'container' && name === step.name)
    if (found?.container == null || ownership(found.labels, step.labels) === 'foreign')
      return [{ service: step.service, key: 'container', wanted: step.name, running: null }]
    const generations = generationDifference(found.labels, step.labels)
    return [...generations, ...found.container.differences].map((one) => ({ service: step.service, ...one }))
  })
  return { state: observed, differences, containers }
}

/** To each instance what was seen and found of it. */
function assign(
  instances: readonly DeployedInstance[],
  wanted: readonly WantedInstance[],
  { observed, findings }: { observed: readonly ObservedObject[]; findings: readonly Finding[] },
): ComparedInstance[] {
  const findingsOf = Map.groupBy(findings, ({ instance }) => instance)
  const labelled = Map.groupBy(observed, ({ labels }) => labels['io.clouder.instance'])
  const named = new Map(observed.map((object) => [keyOf(object), object]))
  return instances.flatMap((deployed, index) => {
    const one = wanted[index]
    if (one === undefined) return []
    const own = labelled.get(one.instance) ?? []
    return {
      deployed,
      wanted: one,
      observed: observedState(one, own),
      containers: seenContainers(own),
      objects: one.steps.filter(isUndoable).flatMap((step) => named.get(keyOf(step)) ?? []),
      findings: findingsOf.get(one.instance) ?? [],
    }
  })
}

async function listLive(db: Db, { serverId, instanceIds }: ComparedScope): Promise<DeployedInstance[]> {
  if (instanceIds === null) return await listDeployedInstances(db, { serverId, states: liveStates })
  const found = await listDeployedInstances(db, { instanceIds })
  return found.filter(({ state }) => state !== 'destroyed')
}

/** Undefined where it cannot be planned any more: its build says why, and it is not compared. */
function planSafely({ definition, planned }: DeployedInstance): readonly EngineStep[] | undefined {
  try {
    return planBuild(definition, planned)
  } catch (error) {
    if (error instanceof BusinessError) return undefined
    throw error
  }
}

function toWanted(
  { planned }: DeployedInstance,
  steps: readonly EngineStep[] | undefined,
  [before, after]: readonly (Standing | undefined)[],
): Omit<WantedInstance, 'backup'> {
  const isSettled = before !== undefined && steps !== undefined && before.mark === after?.mark
  const wants = isSettled ? before.wants : 'nothing'
  return {
    instance: planned.instance,
    environmentPrefix: planned.environmentPrefix,
    wants,
    steps: wants === 'nothing' ? [] : (steps ?? []),
  }
}
