import { failStep, finishStep, getBuildStep, listOutdatedSteps, type StepDetail } from '#db/build-step.ts'
import { getDeployedInstance, type DeployedInstance } from '#db/instance.ts'
import { movePort } from '#db/port.ts'
import { makesTheSame } from '#db/replan.ts'
import { recordResource } from '#db/resource.ts'
import { moveEnvironment } from '#db/subnet-move.ts'
import { planBuild, type EngineStep, type NetworkIdentity } from '#domain/build-plan.ts'
import { BusinessError } from '#domain/errors.ts'
import { ContainerStuck, type RunnerContext, type StepOutcome } from '#domain/runner.ts'
import type { ServerDependencies } from './dependencies.ts'
import { carryOutSteps } from './instance-start.ts'
import { ensurePinned } from './pinned-step.ts'

type Deps = ServerDependencies

/** A step, and the instance that it is for. */
interface Work {
  readonly step: StepDetail
  readonly instance: DeployedInstance
}

/**
 * Carries out a step as it is planned. Where something else on the server has its port or its addresses, the next free ones are
 * recorded, the open build is planned anew, and the step goes on by that: a crash in between loses none and takes none twice.
 * @throws `ports_exhausted`, `subnets_exhausted`
 */
export async function ensurePlanned(deps: Deps, work: Work, ctx: RunnerContext): Promise<string> {
  const { step, instance } = work
  const mended: string[] = []
  for (;;) {
    for (const outdated of await listOutdatedSteps(deps.db, step))
      await makeAgain(deps, { step: outdated, instance }, ctx)
    const plan = await readPlan(deps, step)
    const outcome = await attempt(deps, { ...work, plan, ctx })
    if ('mended' in outcome) {
      mended.push(outcome.mended)
      continue
    }
    // Moved by another step of the instance meanwhile: what was just made is not what is wanted any more.
    if (plan.kind === 'container' && !makesTheSame(plan, await readPlan(deps, step))) {
      await deps.runner.remove(plan, ctx)
      continue
    }
    return await finish(deps, { step, plan }, { ...outcome, detail: [outcome.detail, ...mended].join('; ') })
  }
}

async function readPlan({ db }: Deps, { id }: StepDetail): Promise<EngineStep> {
  const { plan } = await getBuildStep(db, id)
  if (plan.kind === 'backup' || plan.kind === 'peer')
    throw new Error(`a ${plan.kind} is not made by an engine`)
  return plan
}

async function makeAgain(deps: Deps, { step, instance }: Work, ctx: RunnerContext): Promise<void> {
  const plan = await readPlan(deps, step)
  if (plan.kind !== 'container') return
  // It carries another value of the address than the plan does, under the same generation.
  await deps.runner.remove(plan, ctx)
  const outcome = await ensurePinned(deps, { instance, step: plan }, ctx)
  await finish(deps, { step, plan }, outcome)
}

async function finish(
  { db }: Deps,
  { step, plan }: { step: StepDetail; plan: EngineStep },
  { externalId, detail }: StepOutcome,
): Promise<string> {
  if (plan.kind !== 'ready' && plan.kind !== 'restore' && plan.kind !== 'link')
    await recordResource(db, { ...step, kind: plan.kind, name: plan.name, externalId })
  await finishStep(db, step.id, detail)
  return detail
}

interface Attempt extends Work {
  readonly plan: EngineStep
  readonly ctx: RunnerContext
}

async function attempt(deps: Deps, tried: Attempt): Promise<StepOutcome | { mended: string }> {
  const { plan, instance, ctx } = tried
  try {
    return await ensurePinned(deps, { instance, step: plan }, ctx)
  } catch (error) {
    if (error instanceof ContainerStuck) return await makeStuckAgain(deps, tried, error)
    if (!(error instanceof BusinessError)) throw error
    const port = error.code === 'port_taken_on_server' ? await portOf(deps, tried) : null
    if (port !== null) return { mended: await takeOtherPort(deps, tried, port) }
    const network = networkOf(plan)
    if (error.code === 'subnet_taken_on_server' && network?.subnet !== undefined)
      return { mended: await takeOtherSubnet(deps, tried, { refused: network.subnet, why: error.message }) }
    throw error
  }
}

/** What waits for containers starts those that ended with their engine: it may be one of them whose port is taken. */
async function portOf({ db }: Deps, { plan, instance }: Attempt): Promise<number | null> {
  if (plan.kind === 'container' && plan.publish !== null) return plan.publish.hostPort
  return (await getDeployedInstance(db, instance.id)).planned.hostPort
}

/** An earlier container, which this step waits for, ended with its engine and cannot be started as it is: its own step makes it anew. */
async function makeStuckAgain(
  deps: Deps,
  { plan, instance, ctx }: Attempt,
  { message }: ContainerStuck,
): Promise<{ mended: string }> {
  ctx.onProgress(`${message}: it is made anew`)
  const { definition, planned } = await getDeployedInstance(deps.db, instance.id)
  const steps = planBuild(definition, planned)
  const own = steps.findIndex(({ kind, name }) => kind === plan.kind && name === plan.name)
  const earlier = steps.slice(0, own).filter(({ kind }) => kind === 'container')
  await carryOutSteps(deps, { instance, steps: earlier }, ctx)
  return { mended: `${message}: it was made anew` }
}

function networkOf(plan: EngineStep): NetworkIdentity | null {
  if (plan.kind === 'network') return plan
  return plan.kind === 'container' ? plan.network : null
}

/** The container that could not have its port has never run: it makes place for one with the next port. */
async function takeOtherPort({ db }: Deps, { step, ctx }: Attempt, taken: number): Promise<string> {
  const port = await movePort(db, { instanceId: step.instanceId, taken })
  const movedTo = `port ${taken} is held by something else on the server: it has ${port} instead`
  await failStep(db, step.id, { code: 'port_taken_on_server', detail: movedTo, isFinal: false })
  ctx.onProgress(movedTo)
  return movedTo
}

async function takeOtherSubnet(
  { db, runner }: Deps,
  { step, instance, ctx }: Attempt,
  { refused, why }: { refused: string; why: string },
): Promise<string> {
  const held = await runner.listRanges(ctx)
  const { environmentId, serverId } = instance
  const subnet = await moveEnvironment(db, { serverId, environmentId }, { refused, held })
  const movedTo = `${why}; the environment has ${subnet} instead`
  await failStep(db, step.id, { code: 'subnet_taken_on_server', detail: movedTo, isFinal: false })
  ctx.onProgress(movedTo)
  return movedTo
}
