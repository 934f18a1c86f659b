import { listLimited } from '#db/limit-hold.ts'
import { listDeploymentsOf } from '#db/deployment.ts'
import { listSoldLimits, toLimitTicket } from '#db/sold-limit.ts'
import { getSubscription, setParked, setPhase } from '#db/subscription.ts'
import { liftSuspension, resumeSubscription, suspendSubscription } from '#db/suspension.ts'
import { beginPause, endPause, pauseSubscription, unpauseSubscription } from '#db/pause.ts'
import { changeSubscription, previewChange } from '#db/plan.ts'
import { setRecurrence } from '#db/recurrence.ts'
import { renewTerm, setTerm } from '#db/renewal.ts'
import { endSubscription } from '#db/subscription-end.ts'
import { cancelSubscription, uncancelSubscription } from '#db/subscription-command.ts'
import { actOnLine } from '#db/line-action.ts'
import { listDeployedInstances } from '#db/instance.ts'
import { getInstallation } from '#db/read/installation.ts'
import { expireOrder, readOrderStanding, type OrderStanding } from '#db/order-standing.ts'
import { findRunningRestore } from '#db/restore.ts'
import { stopSubscriptionLine } from '#db/stopped-line.ts'
import { openTask, type NewTask } from '#db/task.ts'
import { beginSubscription, tellTrialEnd } from '#db/trial.ts'
import { previewTransfer, transferSubscriptionLine, type AskedTransfer } from '#db/transfer.ts'
import type { Agenda } from '#domain/agenda.ts'
import type { Recurrence } from '#domain/calendar.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { limitPatienceMs } from '#domain/limit-hold.ts'
import type { OrderTicket } from '#domain/order-hold.ts'
import type { CancelMoment, LineCommand, SubscriptionPhase } from '#domain/subscription.ts'
import { requested } from '#domain/suspension.ts'
import { agendaOf, readCommand, toChange, toInstant, type CommandInput } from './command.ts'
import type { DatabaseDependencies } from './dependencies.ts'
import type { LimitTicket } from './limit.ts'
import { toRestoreTicket, type RestoreTicket } from './restore.ts'

/** A subscription as its workflow knows it: ids, numbers and milliseconds, nothing personal. */
export interface SubscriptionTicket {
  readonly phase: SubscriptionPhase
  readonly parkedReason: string | null
  readonly isCancelled: boolean
  readonly customerId: string
  readonly productId: string
  readonly title: string
  readonly serverIds: readonly string[]
  /** Of what is deployed elsewhere and has not ended there, where there is any. */
  readonly deploymentIds?: readonly string[]
  /** Now, of its test clock; null for one that lives in real time. */
  readonly testClockMs: number | null
  readonly settlementWindowMs: number
  readonly consoleUrl: string
  readonly order: OrderTicket
  /** Codes of limits that are reached and held, where there are any. */
  readonly limited?: readonly string[]
  /** Under way when the workflow was lost. */
  readonly restore?: RestoreTicket
}

const notStated = 'No reason given.'

interface TransferInput extends CommandInput {
  readonly subscriptionLineId: string
  readonly customerId: string
  readonly quantity?: string
  readonly startsOn?: string
}

/** The rows of a subscription's life. Every one may be called twice. */
export function createSubscriptionActivities(deps: DatabaseDependencies) {
  const { db, consoleUrl } = deps
  const asked = async (input: CommandInput) => await readCommand(db, input)
  const agenda = async (input: { subscriptionId: string; nowMs: number }) => await agendaOf(db, input)

  return {
    async openSubscription(input: { subscriptionId: string }): Promise<SubscriptionTicket> {
      const id = decodeId('subscription', input.subscriptionId)
      const subscription = await getSubscription(db, id)
      const instances = await listDeployedInstances(db, { subscriptionId: id })
      const { settlementWindowMs } = await getInstallation(db)
      const restore = await findRunningRestore(db, id)
      const limited = await listLimited(db, id)
      const deployments = (await listDeploymentsOf(db, id)).filter(({ state }) => state !== 'ended')
      return {
        phase: subscription.phase,
        parkedReason: subscription.parked_reason,
        isCancelled: subscription.cancel_requested_at !== null,
        customerId: encodeId('customer', subscription.customer_id),
        productId: subscription.kit_id
          ? encodeId('kit', subscription.kit_id)
          : encodeId('product', subscription.product_id ?? ''),
        title: subscription.title,
        serverIds: [...new Set(instances.map((instance) => encodeId('server', instance.serverId)))],
        testClockMs: subscription.test_clock_now_at ? Date.parse(subscription.test_clock_now_at) : null,
        consoleUrl: `${consoleUrl}/subscriptions/${input.subscriptionId}`,
        settlementWindowMs,
        order: toOrderTicket(await readOrderStanding(db, id)),
        ...(limited.length === 0 ? {} : { limited }),
        ...(deployments.length === 0
          ? {}
          : { deploymentIds: deployments.map((of) => encodeId('deployment', of.id)) }),
        ...(restore === null ? {} : { restore: toRestoreTicket(restore) }),
      }
    },

    /** What its order waited for has not come in time. Found settled, it stays so. */
    async expireOrder(input: { subscriptionId: string; nowMs: number }): Promise<OrderTicket> {
      const id = decodeId('subscription', input.subscriptionId)
      return toOrderTicket(await expireOrder(db, id, toInstant(input.nowMs)))
    },

    async setPhase(input: {
      subscriptionId: string
      phase: 'unbuilding' | 'ended'
      event?: 'subscription.ended'
      nowMs: number
    }): Promise<void> {
      const { subscriptionId, nowMs, phase, ...reason } = input
      const id = decodeId('subscription', subscriptionId)
      const to = { ...reason, now: toInstant(nowMs) }
      await (phase === 'ended' ? endSubscription(db, id, to) : setPhase(db, id, { ...to, phase }))
    },

    /** It may be cancelled from its first day on, for the end of its trial. */
    async activateSubscription(input: {
      subscriptionId: string
      nowMs: number
    }): Promise<Agenda & { isCancelled?: boolean }> {
      const [id, now] = [decodeId('subscription', input.subscriptionId), toInstant(input.nowMs)]
      await beginSubscription(db, id, now)
      const { cancel_requested_at: cancelledAt } = await getSubscription(db, id)
      return { ...(await agenda(input)), ...(cancelledAt === null ? {} : { isCancelled: true }) }
    },

    async listSoldLimits(input: {
      subscriptionId: string
      nowMs: number
    }): Promise<(LimitTicket & { serverId: string; withinMs?: number })[]> {
      const id = decodeId('subscription', input.subscriptionId)
      const instances = await listDeployedInstances(db, { subscriptionId: id })
      const sold = await listSoldLimits(db, { subscriptionId: id }, toInstant(input.nowMs))
      return sold.map((limit) => ({
        ...toLimitTicket(limit),
        withinMs: deps.limitPatienceMs ?? limitPatienceMs,
        serverId: encodeId(
          'server',
          instances.find((instance) => instance.id === limit.instanceId)?.serverId ?? '',
        ),
      }))
    },

    /** Stuck: the reason is in the row, and one task tells a person what to do. */
    async parkSubscription(input: {
      subscriptionId: string
      kind: NewTask['kind']
      code: string
      detail: string
      nowMs: number
    }): Promise<void> {
      const id = decodeId('subscription', input.subscriptionId)
      await setParked(db, id, { reason: input.code, now: toInstant(input.nowMs) })
      await openSubscriptionTask(input)
    },

    async unparkSubscription(input: { subscriptionId: string; nowMs: number }): Promise<void> {
      await setParked(db, decodeId('subscription', input.subscriptionId), {
        reason: null,
        now: toInstant(input.nowMs),
      })
    },

    openSubscriptionTask,

    async cancelSubscription(
      input: CommandInput & { when: CancelMoment; endsOn?: string; serviceEndsOn?: string },
    ): Promise<Agenda> {
      const key = await asked(input)
      const { when, endsOn, serviceEndsOn } = input
      const cancellation = { when, reason: key.reason ?? notStated, endsOn, serviceEndsOn }
      await cancelSubscription(db, key, { ...cancellation, reasonCode: key.asked?.cancelReason })
      return await agenda(input)
    },

    async pauseSubscription(input: CommandInput & { startsOn?: string; endsOn?: string }): Promise<Agenda> {
      const key = await asked(input)
      const { startsOn, endsOn } = input
      await pauseSubscription(db, key, { startsOn, endsOn, reason: key.reason })
      return await agenda(input)
    },

    async unpauseSubscription(input: CommandInput): Promise<Agenda> {
      await unpauseSubscription(db, await asked(input))
      return await agenda(input)
    },

    /** The instances were stopped for a pause. */
    async beginPause(input: { subscriptionId: string; nowMs: number }): Promise<Agenda> {
      await beginPause(db, decodeId('subscription', input.subscriptionId), toInstant(input.nowMs))
      return await agenda(input)
    },

    /** The instances run again. */
    async endPause(input: { subscriptionId: string; nowMs: number }): Promise<Agenda> {
      await endPause(db, decodeId('subscription', input.subscriptionId), toInstant(input.nowMs))
      return await agenda(input)
    },

    async stopLine(input: CommandInput & { subscriptionLineId: string; endsOn?: string }): Promise<Agenda> {
      const subscriptionLineId = decodeId('subscriptionLine', input.subscriptionLineId)
      await stopSubscriptionLine(db, await asked(input), { subscriptionLineId, endsOn: input.endsOn })
      return await agenda(input)
    },

    async actOnLine(input: CommandInput & LineCommand): Promise<Agenda> {
      const subscriptionLineId = decodeId('subscriptionLine', input.subscriptionLineId)
      await actOnLine(db, await asked(input), { ...input, subscriptionLineId })
      return await agenda(input)
    },

    async previewTransfer(input: TransferInput) {
      const { subscriptionId, now } = await asked(input)
      const planned = await previewTransfer(db, { subscriptionId, now, ...toTransfer(input) })
      return { ...planned, instanceId: planned.instanceId ? encodeId('instance', planned.instanceId) : null }
    },

    async transferLine(input: TransferInput): Promise<Agenda> {
      await transferSubscriptionLine(db, await asked(input), toTransfer(input))
      return await agenda(input)
    },

    async setTerm(input: CommandInput): Promise<Agenda> {
      const key = await asked(input)
      if (key.asked?.term) await setTerm(db, key, key.asked.term)
      return await agenda(input)
    },

    async setRecurrence(input: CommandInput & { recurrence: Recurrence }): Promise<Agenda> {
      await setRecurrence(db, await asked(input), input.recurrence)
      return await agenda(input)
    },

    async tellTrialEnd(input: { subscriptionId: string; nowMs: number }): Promise<Agenda> {
      await tellTrialEnd(db, decodeId('subscription', input.subscriptionId), toInstant(input.nowMs))
      return await agenda(input)
    },

    async renewTerm(input: { subscriptionId: string; nowMs: number }): Promise<Agenda> {
      await renewTerm(db, decodeId('subscription', input.subscriptionId), toInstant(input.nowMs))
      return await agenda(input)
    },

    async suspendSubscription(input: CommandInput & { code?: string }): Promise<Agenda> {
      const key = await asked(input)
      const { code = requested } = input
      await suspendSubscription(db, key, { code, reason: key.reason ?? notStated })
      return await agenda(input)
    },

    /** Lifts a reason while others stand; of the last one it says that nothing is left. */
    async liftSuspension(
      input: CommandInput & { code?: string },
    ): Promise<{ left: readonly string[]; agenda: Agenda }> {
      const { left } = await liftSuspension(db, await asked(input), input.code)
      return { left, agenda: await agenda(input) }
    },

    async resumeSubscription(input: CommandInput): Promise<Agenda> {
      await resumeSubscription(db, await asked(input))
      return await agenda(input)
    },

    async uncancelSubscription(input: CommandInput): Promise<Agenda> {
      await uncancelSubscription(db, await asked(input))
      return await agenda(input)
    },

    /** What a change would mean, before the instance is asked to hold it. */
    async previewChange(input: CommandInput & { subscriptionLineId: string; quantity?: string }) {
      const key = await asked(input)
      const change = await previewChange(db, {
        ...key,
        ...toChange(input, key.asked),
        changeRequestId: key.asked?.changeRequestId,
      })
      return { ...change, instanceId: change.instanceId ? encodeId('instance', change.instanceId) : null }
    },

    async changeSubscription(
      input: CommandInput & { subscriptionLineId: string; quantity?: string },
    ): Promise<Agenda> {
      const key = await asked(input)
      await changeSubscription(db, key, toChange(input, key.asked), key.asked?.changeRequestId)
      return await agenda(input)
    },

    readAgenda: agenda,
  }

  async function openSubscriptionTask(input: {
    subscriptionId: string
    kind: NewTask['kind']
    code: string
    detail: string
  }): Promise<void> {
    const id = decodeId('subscription', input.subscriptionId)
    const subscription = await getSubscription(db, id)
    await openTask(db, {
      kind: input.kind,
      subjectKind: 'subscription',
      subjectId: id,
      subject: `${subscription.title}: ${input.code}`,
      detail: input.detail,
    })
  }
}

function toOrderTicket(standing: OrderStanding): OrderTicket {
  if (standing.state !== 'held') return standing
  const { kinds, since, until } = standing
  return {
    state: 'held',
    kinds,
    sinceMs: Date.parse(since),
    untilMs: until === null ? null : Date.parse(until),
  }
}

function toTransfer(input: TransferInput): AskedTransfer {
  const { quantity, startsOn } = input
  return {
    subscriptionLineId: decodeId('subscriptionLine', input.subscriptionLineId),
    customerId: decodeId('customer', input.customerId),
    quantity,
    startsOn,
  }
}
