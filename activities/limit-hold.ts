import { decideSubscriptionLimits, noteHoldFailure, settleHolds } from '#db/limit-hold.ts'
import { getDeployedInstance, type DeployedInstance } from '#db/instance.ts'
import { withInstanceLock } from '#db/instance-lock.ts'
import { toLimitTicket } from '#db/sold-limit.ts'
import type { Agenda } from '#domain/agenda.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { openLimitTask, noteNotInForce } from '#db/limit-in-force.ts'
import { isHeldBy, limitPatienceMs } from '#domain/limit-hold.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { agendaOf } from './command.ts'
import type { DatabaseDependencies, ServerDependencies } from './dependencies.ts'
import { withRunnerContext } from './failure.ts'
import type { LimitTicket } from './limit.ts'
import { applyWaitingLimits } from './limit-setting.ts'
import { makeAsPlanned } from './replacement.ts'
import { openSecrets } from './secret.ts'
import { readUsage } from './usage.ts'

export interface LimitsTicket {
  /** Codes of what is reached and held. */
  readonly limited: readonly string[]
  readonly toHold: readonly { readonly instanceId: string; readonly serverId: string }[]
  /** What is sold otherwise than it was set; left out in histories older than quantities on top of a limit. */
  readonly toSet?: readonly (LimitTicket & { readonly serverId: string })[]
  /** How long each of them is tried; left out in histories older than that. */
  readonly withinMs?: number
  /** What was sold may end by the calendar; left out in the same histories. */
  readonly agenda?: Agenda
}

/** Which limits of a subscription are reached, by what was measured of them. */
export function createLimitDecisionActivities(deps: DatabaseDependencies) {
  const { db } = deps
  const withinMs = deps.limitPatienceMs ?? limitPatienceMs
  return {
    async decideLimits(input: { subscriptionId: string; nowMs: number }): Promise<LimitsTicket> {
      const id = decodeId('subscription', input.subscriptionId)
      const { limited, toHold, toSet } = await decideSubscriptionLimits(db, id, {
        now: new Date(input.nowMs).toISOString(),
        lostSince: new Date(Date.now() - withinMs).toISOString(),
      })
      return {
        limited,
        toHold: toHold.map((instance) => ({
          instanceId: encodeId('instance', instance.id),
          serverId: encodeId('server', instance.serverId),
        })),
        toSet: toSet.map(({ limit, instance }) => ({
          ...toLimitTicket(limit),
          serverId: encodeId('server', instance.serverId),
        })),
        withinMs,
        agenda: await agendaOf(db, input),
      }
    },

    /** What is sold could not be set in time: a person is told, and the sampler tries it from now on. */
    async noteLimitNotInForce(input: LimitTicket & { detail: string }): Promise<void> {
      const { code, quantity, detail } = input
      const failed = { instanceId: decodeId('instance', input.instanceId), code, quantity, detail }
      await noteNotInForce(db, failed)
      await openLimitTask(db, failed)
    },

    async noteHoldFailure(input: { instanceId: string; code: string; detail: string }): Promise<void> {
      const detail = `${input.code}: ${input.detail}`.slice(0, 500)
      await noteHoldFailure(db, decodeId('instance', input.instanceId), detail)
    },
  }
}

/** What holds an instance from outside. */
export function createLimitHoldActivities(deps: ServerDependencies) {
  const { db, installationKey } = deps
  return {
    /** Makes what was decided so, and sees it so. Called again, after whatever end, it finds what is there. */
    async holdInstance(input: { instanceId: string }): Promise<void> {
      const id = decodeId('instance', input.instanceId)
      await withInstanceLock(db, id, async () => {
        const instance = await getDeployedInstance(db, id)
        if (instance.state !== 'running' && instance.state !== 'limited') return
        const secrets = await openSecrets(db, installationKey, instance)
        await withRunnerContext(
          async (ctx) => {
            await carryOut(deps, instance, ctx)
            await settleHolds(db, instance)
            if (!isHeldBy(instance.planned.holds, 'stop')) await applyWaitingLimits(deps, instance, ctx)
          },
          { secrets },
        )
      })
    },
  }
}

/** What was counted is read before containers are stopped or made anew: it is lost with them. */
async function carryOut(
  deps: ServerDependencies,
  instance: DeployedInstance,
  ctx: RunnerContext,
): Promise<void> {
  const { definition, planned } = instance
  const ref = { definition, instance: planned }
  await readUsage(deps, instance, ctx)
  if (isHeldBy(planned.holds, 'stop')) {
    const observed = await deps.runner.stop(ref, ctx)
    if (observed.containers.length > 0 && !observed.isStopped)
      throw new Error(`${planned.instance} was told to stop and still runs`)
    return
  }
  await makeAsPlanned(deps, instance.id, ctx)
  if (definition.limits.some((limit) => 'throttleKbit' in limit)) await deps.runner.throttle(ref, ctx)
}
