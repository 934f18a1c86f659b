import { finishStep, getBuildStep, markStepUndone, type StepDetail } from '#db/build-step.ts'
import { findStepDecision, listBuildCommands } from '#db/build-command.ts'
import { closeBuildOrder, openBuildOrder, readBuildOrder, type BuildOrder } from '#db/build.ts'
import { hasLinks } from '#db/link-change.ts'
import { recordRemoval } from '#db/resource.ts'
import { releaseSubnets } from '#db/subnet.ts'
import type { Db } from '#db/database.ts'
import { listRecorded } from '#db/reconciliation.ts'
import { setPhase } from '#db/subscription.ts'
import { getDeployedInstance, listDeployedInstances, setInstanceState } from '#db/instance.ts'
import { withInstanceLock } from '#db/instance-lock.ts'
import type { EventKind } from '#db/event.ts'
import type { StepPlan } from '#domain/backup-plan.ts'
import type { LinkStep, UndoableStep } from '#domain/build-plan.ts'
import { BusinessError } from '#domain/errors.ts'
import type { BuildCommandKind } from '#domain/build-command.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { InstanceState } from '#domain/instance.ts'
import { isOfTakeOver } from '#domain/taken-over.ts'
import type { DatabaseDependencies, ServerDependencies } from './dependencies.ts'
import { ensurePlanned } from './clash.ts'
import { withRunnerContext } from './failure.ts'
import { unpairInstance } from './instance-peer.ts'
import { carryOutPeerStep, removePeerStep } from './peer-step.ts'
import { openSecrets } from './secret.ts'
import { recorded, showProgress } from './step-record.ts'
import { toInstant } from './command.ts'

/** What a workflow sees of a step: enough to walk it and to show it. */
export interface StepTicket {
  readonly stepId: string
  /** `srv_…` */
  readonly serverId: string
  readonly kind: StepPlan['kind']
  readonly title: string
  /** Positions of the steps that it waits for; left out in tickets of before, whose steps are walked one by one. */
  readonly waitsFor?: readonly number[]
}

export interface BuildTicket {
  /** `bo_…` */
  readonly buildOrderId: string
  readonly subscriptionId: string
  readonly steps: readonly StepTicket[]
  /** Its instances want or offer something: servers on which links are made, or taken back. Left out: none. */
  readonly linksOn?: readonly string[]
}

export interface BuildCommandTicket {
  readonly id: string
  readonly kind: BuildCommandKind
  readonly stepId: string | null
}

type Outcome = 'done' | 'failed' | 'undone'
type BuildOutcome =
  { readonly state: 'done' } | { readonly state: 'failed'; readonly code: string; readonly detail: string }

/** Build orders in rows: opened, followed, closed. */
export function createBuildActivities({ db }: DatabaseDependencies) {
  return {
    /** Plans a build or an unbuild, or finds the one that is open. It is in the queue until its first step begins. */
    async openBuildOrder(input: {
      subscriptionId: string
      kind: 'build' | 'unbuild'
      nowMs: number
    }): Promise<BuildTicket> {
      const subscriptionId = decodeId('subscription', input.subscriptionId)
      const phase = input.kind === 'build' ? 'building' : 'unbuilding'
      await setPhase(db, subscriptionId, { phase, now: toInstant(input.nowMs) })
      const order = await openBuildOrder(db, subscriptionId, input.kind)
      await moveInstances(db, subscriptionId, input.kind === 'build' ? 'building' : 'cancelling')
      await waitForRepairs(db, subscriptionId)
      return { ...toTicket(order), ...(await linksOn(db, subscriptionId)) }
    },

    /** How a closed order ended; null while it is open. */
    async readBuildResult(input: { buildOrderId: string }): Promise<{ result: BuildOutcome | null }> {
      const order = await readBuildOrder(db, decodeId('buildOrder', input.buildOrderId))
      if (order.state === 'planned' || order.state === 'running') return { result: null }
      if (order.state === 'done') return { result: { state: 'done' } }
      return {
        result: {
          state: 'failed',
          code: order.failureCode ?? 'failed',
          detail: order.failureDetail ?? 'It failed.',
        },
      }
    },

    /** What operators asked of an order: which step, if any. Who and why stays in its row. */
    async readBuildCommands(input: { buildOrderId: string }): Promise<BuildCommandTicket[]> {
      const commands = await listBuildCommands(db, decodeId('buildOrder', input.buildOrderId))
      return commands.map(({ id, kind, stepId }) => ({
        id,
        kind,
        stepId: stepId === null ? null : encodeId('buildStep', stepId),
      }))
    },

    async closeBuildOrder(input: {
      buildOrderId: string
      outcome: Outcome
      failure?: { code: string; detail: string }
    }): Promise<void> {
      const id = decodeId('buildOrder', input.buildOrderId)
      const order = await readBuildOrder(db, id)
      await moveInstances(db, order.subscriptionId, instanceStateAfter(order.kind, input.outcome))
      await closeBuildOrder(db, id, {
        state: input.outcome,
        event: closingEvent(order.kind, input.outcome),
        ...(input.failure ? { failure: input.failure } : {}),
      })
    },
  }
}

function closingEvent(kind: 'build' | 'unbuild', outcome: Outcome): EventKind {
  if (kind === 'unbuild') return outcome === 'done' ? 'unbuild.done' : 'unbuild.failed'
  return `build.${outcome}`
}

function instanceStateAfter(kind: 'build' | 'unbuild', outcome: Outcome): InstanceState {
  if (outcome !== 'done') return 'failed'
  return kind === 'build' ? 'running' : 'destroyed'
}

async function moveInstances(db: Db, subscriptionId: string, state: InstanceState): Promise<void> {
  const instances = await listDeployedInstances(db, { subscriptionId })
  for (const instance of instances) {
    if (instance.state !== 'destroyed') await setInstanceState(db, instance.id, state)
  }
  if (state !== 'destroyed') return
  for (const serverId of new Set(instances.map((instance) => instance.serverId))) {
    await db.transaction().execute(async (tx) => await releaseSubnets(tx, serverId))
  }
}

/** Links are between instances of one server. */
async function linksOn(db: Db, subscriptionId: string): Promise<Pick<BuildTicket, 'linksOn'>> {
  if (!(await hasLinks(db, subscriptionId))) return {}
  const instances = await listDeployedInstances(db, { subscriptionId })
  return { linksOn: [...new Set(instances.map(({ serverId }) => encodeId('server', serverId)))] }
}

/** A repair that had begun ends first; none begins any more, for the rows say that something else is at work. */
async function waitForRepairs(db: Db, subscriptionId: string): Promise<void> {
  for (const { id } of await listDeployedInstances(db, { subscriptionId })) {
    await withInstanceLock(db, id, async () => {})
  }
}

function toTicket(order: BuildOrder): BuildTicket {
  return {
    buildOrderId: encodeId('buildOrder', order.id),
    subscriptionId: encodeId('subscription', order.subscriptionId),
    steps: order.steps.map((step) => ({
      stepId: encodeId('buildStep', step.id),
      serverId: encodeId('server', step.serverId),
      kind: step.kind,
      title: step.title,
      ...(step.waitsFor === null ? {} : { waitsFor: step.waitsFor }),
    })),
  }
}

/** Steps on a server, do and undo side by side. Each looks first, and answers with what it observed. */
export function createStepActivities(deps: ServerDependencies) {
  const { db, runner, installationKey } = deps
  return {
    async carryOutStep(input: { stepId: string }): Promise<{ detail: string }> {
      const step = await getBuildStep(db, decodeId('buildStep', input.stepId))
      const { plan } = step
      if (plan.kind === 'backup') throw new Error('a backup is no step of a build')
      const decision = await findStepDecision(db, step.id)
      if (decision !== null) {
        await finishStep(db, step.id, decision)
        return { detail: 'not carried out: an operator decided so' }
      }
      return await recorded(db, step, async () => {
        if (plan.kind === 'link') await refuseLostOffer(db, plan)
        if (plan.kind === 'peer') return { detail: await carryOutPeerStep(deps, { step, plan }) }
        const instance = await getDeployedInstance(db, step.instanceId)
        // A container is given them; the log of one that never gets ready may repeat them, and is cleaned of them.
        const isConcerned = plan.kind === 'container' || plan.kind === 'ready'
        const secrets = isConcerned ? await openSecrets(db, installationKey, instance) : {}
        const detail = await withRunnerContext(
          async (ctx) => await ensurePlanned(deps, { step, instance }, ctx),
          { secrets, onProgress: showProgress(db, step.id) },
        )
        return { detail }
      })
    },

    /** The undo of a build's own step, when the build cannot succeed or was cancelled. */
    async undoStep(input: { stepId: string }): Promise<{ detail: string }> {
      const step = await getBuildStep(db, decodeId('buildStep', input.stepId))
      const { plan } = step
      // What a restore that was cut off left holds the volumes that are to be removed next.
      if (plan.kind === 'restore')
        await withRunnerContext(async (ctx) => runner.clearCopying(plan.instance, ctx))
      const detail =
        plan.kind === 'peer'
          ? await unpairInstance(deps, step)
          : !isUndoable(plan)
            ? 'nothing to undo'
            : plan.kind !== 'network' && plan.takenOverId !== undefined
              ? await leave(step, plan)
              : await removeObserved(step, plan)
      await markStepUndone(db, step.id, detail)
      return { detail }
    },

    /** A step of an unbuild order: removes one thing, and records it only once its absence was seen. */
    async removeStep(input: { stepId: string }): Promise<{ detail: string }> {
      const step = await getBuildStep(db, decodeId('buildStep', input.stepId))
      return await recorded(db, step, async () => {
        if (step.plan.kind === 'peer') return { detail: await removePeerStep(deps, step) }
        if (!isUndoable(step.plan)) throw new Error(`a step of kind ${step.plan.kind} cannot be removed`)
        const detail = await removeObserved(step, step.plan)
        await finishStep(db, step.id, detail)
        return { detail }
      })
    },

    /** The end is proved: nothing with the labels of these instances is left on the server. */
    async verifyAbsence(input: { subscriptionId: string; serverId: string }): Promise<{ checked: number }> {
      const instances = await listDeployedInstances(db, {
        subscriptionId: decodeId('subscription', input.subscriptionId),
      })
      const here = instances.filter((instance) => encodeId('server', instance.serverId) === input.serverId)
      for (const instance of here) {
        const left = await withRunnerContext((ctx) => runner.list(instance.planned, ctx))
        const recorded = await listRecorded(db, instance.serverId, [instance.id])
        // What was there before, and was given back by an undo, is not its own any more.
        const own = left.filter(
          (resource) =>
            resource.kind !== 'network' &&
            (!isOfTakeOver(instance.planned, resource) ||
              recorded.some((row) => row.kind === resource.kind && row.name === resource.name)),
        )
        if (own.length > 0)
          throw new Error(
            `still on the server: ${own.map((resource) => `${resource.kind} ${resource.name}`).join(', ')}`,
          )
      }
      return { checked: here.length }
    },
  }

  /** What was there before a build is there after its undo. */
  async function leave(step: StepDetail, plan: UndoableStep): Promise<string> {
    await recordRemoval(db, { instanceId: step.instanceId, kind: plan.kind, name: plan.name })
    return `${plan.kind} ${plan.name} is left as it was before`
  }

  async function removeObserved(step: StepDetail, plan: UndoableStep): Promise<string> {
    const outcome = await withRunnerContext((ctx) => runner.remove(plan, ctx), {
      onProgress: showProgress(db, step.id),
    })
    if (outcome.isAbsent)
      await recordRemoval(db, { instanceId: step.instanceId, kind: plan.kind, name: plan.name })
    else if (plan.kind !== 'network')
      throw new Error(`${plan.kind} ${plan.name} was removed and is still there`)
    return outcome.detail
  }
}

/** Waiting for one that will not run any more would never end. */
async function refuseLostOffer(db: Db, { title, offer }: LinkStep): Promise<void> {
  const { state } = await getDeployedInstance(db, decodeId('instance', offer.instance))
  if (!['failed', 'cancelling', 'destroyed'].includes(state)) return
  throw new BusinessError('link_missing', `${title}: ${offer.container} is ${state}.`)
}

function isUndoable(step: StepPlan): step is UndoableStep {
  return step.kind === 'container' || step.kind === 'volume' || step.kind === 'network'
}
