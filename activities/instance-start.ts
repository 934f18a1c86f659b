import { getDeployedInstance, type DeployedInstance } from '#db/instance.ts'
import { moveStandingPort } from '#db/port.ts'
import { recordResource } from '#db/resource.ts'
import { planBuild, type EngineStep } from '#domain/build-plan.ts'
import { BusinessError } from '#domain/errors.ts'
import { ContainerMissing, ContainerStuck, type RunnerContext } from '#domain/runner.ts'
import type { ServerDependencies } from './dependencies.ts'
import { ensurePinned } from './pinned-step.ts'

/** An instance, and the steps of its plan that are to be carried out. */
export interface InstanceSteps {
  readonly instance: DeployedInstance
  readonly steps: readonly EngineStep[]
  /** Nobody asked: an image that had to be built anew is not taken. */
  readonly isUnasked?: boolean
}

/** Carries steps out in turn, and records under which id what they make is there. */
export async function carryOutSteps(
  deps: ServerDependencies,
  { instance, steps, isUnasked = false }: InstanceSteps,
  ctx: RunnerContext,
): Promise<void> {
  const { id: instanceId, serverId } = instance
  for (const step of steps) {
    const { externalId } = await ensurePinned(deps, { instance, step, isUnasked }, ctx)
    if (step.kind === 'ready' || step.kind === 'restore' || step.kind === 'link') continue
    await recordResource(deps.db, { instanceId, serverId, kind: step.kind, name: step.name, externalId })
  }
}

/** Starts an instance's containers in their order, and waits until it is ready, as after a build. */
export async function startAndSeeReady(
  deps: ServerDependencies,
  instance: DeployedInstance,
  ctx: RunnerContext,
): Promise<void> {
  const { definition, planned } = instance
  await startedAnyway(deps, { instance }, ctx, async () => {
    await deps.runner.start({ definition, instance: planned }, ctx)
    const ready = planBuild(definition, planned).filter(({ kind }) => kind === 'ready')
    await carryOutSteps(deps, { instance, steps: ready }, ctx)
  })
}

/**
 * Does what starts an instance that was built. Where a container is not started as it is, because something else has its port by now,
 * because the engine was killed in the midst of a start, or because it is gone, the next free port is recorded if need be, and the
 * containers are made as they are planned then; each port is tried once. Volumes are left as they are.
 * @throws `ports_exhausted`, `volume_missing`
 */
export async function startedAnyway(
  deps: ServerDependencies,
  { instance, isUnasked = false }: Omit<InstanceSteps, 'steps'>,
  ctx: RunnerContext,
  start: () => Promise<void>,
): Promise<void> {
  const since = new Date().toISOString()
  let standing = instance
  const makeAgain = async (): Promise<void> => {
    standing = await getDeployedInstance(deps.db, instance.id)
    await refuseMissingVolumes(deps, standing, ctx)
    const steps = planBuild(standing.definition, standing.planned).filter(isMadeAgain)
    await carryOutSteps(deps, { instance: standing, steps, isUnasked }, ctx)
  }
  for (let work = start; ; work = makeAgain) {
    try {
      return await work()
    } catch (error) {
      const { hostPort } = standing.planned
      if (error instanceof BusinessError && error.code === 'port_taken_on_server' && hostPort !== null) {
        const port = await moveStandingPort(deps.db, { instanceId: instance.id, taken: hostPort, since })
        ctx.onProgress(`port ${hostPort} is held by something else on the server: it has ${port} instead`)
      } else if (error instanceof ContainerStuck || error instanceof ContainerMissing)
        ctx.onProgress(`${error.message}: it is made anew`)
      else throw error
    }
  }
}

/** What a volume holds stays; what a job did once would be done again: whether that does harm, only a person knows. */
function isMadeAgain(step: EngineStep): boolean {
  if (step.kind === 'container') return step.special?.isJob !== true
  return step.kind !== 'volume' && step.kind !== 'restore'
}

/** An empty volume would hide that the data is gone. */
async function refuseMissingVolumes(
  { runner }: ServerDependencies,
  { definition, planned }: DeployedInstance,
  ctx: RunnerContext,
): Promise<void> {
  const there = new Set((await runner.list(planned, ctx)).map(({ kind, name }) => `${kind} ${name}`))
  for (const { kind, name } of planBuild(definition, planned)) {
    if (kind !== 'volume' || there.has(`${kind} ${name}`)) continue
    const detail = `Volume ${name} is not on the server any more, and its data with it. Restore a backup of it, or cancel.`
    throw new BusinessError('volume_missing', detail)
  }
}
