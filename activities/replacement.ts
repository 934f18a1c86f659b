import { insertEvent, type EventKind } from '#db/event.ts'
import { getDeployedInstance } from '#db/instance.ts'
import { withInstanceLock } from '#db/instance-lock.ts'
import { forgetInForce } from '#db/limit-in-force.ts'
import { recordResource } from '#db/resource.ts'
import { getSubscription } from '#db/subscription.ts'
import { closeTasks, openTask } from '#db/task.ts'
import { BusinessError } from '#domain/errors.ts'
import type { Finding } from '#domain/finding.ts'
import { decodeId } from '#domain/identifier.ts'
import { imageName } from '#domain/image-pin.ts'
import { planRepair, planReplacement } from '#domain/repair.ts'
import type { RunnerContext } from '#domain/runner.ts'
import type { ServerDependencies } from './dependencies.ts'
import { withRunnerContext } from './failure.ts'
import { ensurePinned } from './pinned-step.ts'
import { openSecrets } from './secret.ts'
import { compareWithEngine, type ComparedInstance } from './server-comparison.ts'

/** Names of containers on the server. */
export interface Replaced {
  readonly replaced: readonly string[]
  /** They were given other limits while they ran. */
  readonly updated: readonly string[]
}

/**
 * The one way in which containers that are not as planned become so: in the plan's order, each after its image. One that differs in
 * its limits only runs on; another is replaced on its volumes, and what it held outside them is lost. The caller holds the
 * instance's lock, and gives its secrets. It may be repeated after any crash: what is as planned by then is left alone.
 */
export async function replaceChanged(
  deps: ServerDependencies,
  { deployed, wanted, findings }: ComparedInstance,
  ctx: RunnerContext,
): Promise<Replaced> {
  const done = { replaced: [] as string[], updated: [] as string[] }
  for (const step of planReplacement(wanted.steps, findings)) {
    const image = wanted.steps.find((one) => one.kind === 'image' && imageName(one) === step.image)
    if (image !== undefined) await ensurePinned(deps, { instance: deployed, step: image }, ctx)
    const { externalId, change } = await ensurePinned(deps, { instance: deployed, step }, ctx)
    if (change !== undefined) done[change].push(step.name)
    const { id: instanceId, serverId } = deployed
    await recordResource(deps.db, { instanceId, serverId, kind: 'container', name: step.name, externalId })
  }
  return done
}

/** An empty volume would hide that the data is gone, and what belongs to others is theirs. */
export function refuseUnrepairable(findings: readonly Finding[]): void {
  const volume = findings.find(({ kind }) => kind === 'missing_volume')
  if (volume !== undefined) throw new BusinessError('volume_missing', volume.detail)
  const foreign = findings.find(({ kind }) => kind === 'foreign')
  if (foreign !== undefined) throw new BusinessError('name_taken_on_server', foreign.detail)
}

/** What changed of an instance, carried out. */
export function createReplacementActivities(deps: ServerDependencies) {
  return {
    /** Waits until nothing else is at work on the instance, makes it as planned, and looks whether it is ready. */
    async replaceContainers(input: { instanceId: string; by: string }): Promise<Replaced> {
      const instanceId = decodeId('instance', input.instanceId)
      return await withRunnerContext(
        async (ctx) =>
          await withInstanceLock(deps.db, instanceId, async () => {
            const before = await lookAt(deps, instanceId, ctx)
            if (before === undefined) return { replaced: [], updated: [] }
            return await toldOf(deps, before, input.by, async () => await carryOut(deps, before, ctx))
          }),
      )
    },
  }
}

/** The same without being told of: the caller tells, and holds the instance's lock. */
export async function makeAsPlanned(
  deps: ServerDependencies,
  instanceId: string,
  ctx: RunnerContext,
): Promise<void> {
  const before = await lookAt(deps, instanceId, ctx)
  if (before !== undefined) await carryOut(deps, before, ctx)
}

async function carryOut(
  deps: ServerDependencies,
  before: ComparedInstance,
  ctx: RunnerContext,
): Promise<Replaced> {
  const { deployed, wanted, findings } = before
  refuseUnrepairable(findings)
  const withSecrets = { ...ctx, secrets: await openSecrets(deps.db, deps.installationKey, deployed) }
  const done = await replaceChanged(deps, before, withSecrets)
  // One that was removed by a try that died is not there to be replaced any more.
  const missing = planRepair(wanted.steps, findings)
  const ready = wanted.steps.filter(({ kind }) => kind === 'ready')
  for (const step of [...missing, ...ready]) {
    const { externalId } = await ensurePinned(deps, { instance: deployed, step }, withSecrets)
    const { id: instanceId, serverId } = deployed
    if (step.kind === 'container' || step.kind === 'network')
      await recordResource(deps.db, { instanceId, serverId, kind: step.kind, name: step.name, externalId })
  }
  if (done.replaced.length > 0 || missing.some(({ kind }) => kind === 'container'))
    await forgetInForce(deps.db, deployed)
  await lookAt(deps, deployed.id, ctx)
  return done
}

/**
 * Undefined where nothing is to be done now: it is gone, or a later build, resume or retry makes it as planned.
 * @throws an `Error` while it is built or removed just now: then it is looked at again
 */
async function lookAt(
  deps: ServerDependencies,
  instanceId: string,
  ctx: RunnerContext,
): Promise<ComparedInstance | undefined> {
  const { serverId, state, planned } = await getDeployedInstance(deps.db, instanceId)
  const { instances } = await compareWithEngine(deps, { serverId, instanceIds: [instanceId] }, ctx)
  const [found] = instances
  if (found?.wanted.wants === 'running') return found
  if (state !== 'running' && state !== 'limited' && state !== 'building') return undefined
  throw new Error(`${planned.instance} is being built, stopped, started or removed just now`)
}

/** An event tells what was done or why it could not be; what could not be has a task until it could. */
async function toldOf(
  deps: ServerDependencies,
  { deployed }: ComparedInstance,
  by: string,
  work: () => Promise<Replaced>,
): Promise<Replaced> {
  const subject = { kind: 'instance', id: deployed.id, reason: 'done' } as const
  const { customer_id: customerId } = await getSubscription(deps.db, deployed.subscriptionId)
  const { instance, name } = deployed.planned
  const tell = async (kind: EventKind, data: object): Promise<void> =>
    await insertEvent(deps.db, {
      kind,
      customerId,
      subscriptionId: deployed.subscriptionId,
      data: { instance, name, by, ...data },
    })
  try {
    const done = await work()
    await closeTasks(deps.db, subject, ['replacement_failed'])
    if (done.replaced.length + done.updated.length > 0) await tell('instance.replaced', { ...done })
    return done
  } catch (error) {
    if (!(error instanceof BusinessError)) throw error
    const [reason = ''] = error.message.split('\n')
    await tell('instance.replacement_failed', { code: error.code, detail: reason })
    await openTask(deps.db, {
      kind: 'replacement_failed',
      subjectKind: 'instance',
      subjectId: deployed.id,
      subject: `${name} does not run as it was changed`,
      detail: `${reason} Change it again, or once the cause is gone: npx clouder instances apply ${instance}`,
    })
    throw error
  }
}
