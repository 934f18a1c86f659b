import { listDeployedInstances } from '#db/instance.ts'
import {
  applyWaitingChange,
  planWaitingChange,
  refuseWaitingChange,
  tellOfUnfit,
  withdrawWaitingChange,
} from '#db/waiting-change.ts'
import { listWaitingRows } from '#db/waiting-decision.ts'
import type { Agenda } from '#domain/agenda.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { agendaOf, readCommand, toChange, toInstant, type CommandInput } from './command.ts'
import type { DatabaseDependencies } from './dependencies.ts'

/** A change that waits, as a workflow knows it. */
export interface WaitingChangeTicket {
  readonly changeId: string
  readonly instanceId: string
  readonly serverId: string
  readonly code: string
  /** No more may be used. */
  readonly ceiling: string
}

/** Changes to less than is used, until they fit. Every one may be called twice. */
export function createWaitingChangeActivities({ db }: DatabaseDependencies) {
  return {
    async planWaitingChange(
      input: CommandInput & { subscriptionLineId: string; quantity?: string; used: number },
    ): Promise<Agenda> {
      const key = await readCommand(db, input)
      const change = toChange(input, key.asked)
      const { changeRequestId } = key.asked ?? {}
      await planWaitingChange(db, key, { change, used: String(input.used), changeRequestId })
      return await agendaOf(db, input)
    },

    async withdrawChange(input: CommandInput & { waitingChangeId: string }): Promise<Agenda> {
      const id = decodeId('waitingChange', input.waitingChangeId)
      await withdrawWaitingChange(db, await readCommand(db, input), id)
      return await agendaOf(db, input)
    },

    /** Left out are those whose instance is gone. */
    async listWaitingChanges(input: { subscriptionId: string }): Promise<WaitingChangeTicket[]> {
      const subscriptionId = decodeId('subscription', input.subscriptionId)
      const instances = await listDeployedInstances(db, { subscriptionId })
      return (await listWaitingRows(db, subscriptionId)).flatMap((row) => {
        const instance = instances.find(({ id }) => id === row.instance_id)
        if (instance === undefined) return []
        return {
          changeId: encodeId('waitingChange', row.id),
          instanceId: encodeId('instance', instance.id),
          serverId: encodeId('server', instance.serverId),
          code: row.limit_code,
          ceiling: row.ceiling,
        }
      })
    },

    async applyWaitingChange(input: { changeId: string; nowMs: number }): Promise<void> {
      await applyWaitingChange(db, keyOf(input))
    },

    async refuseWaitingChange(input: { changeId: string; detail: string; nowMs: number }): Promise<void> {
      await refuseWaitingChange(db, { ...keyOf(input), reason: input.detail })
    },

    /** Before its day, nothing is told. */
    async tellOfUnfit(input: { changeId: string; used: number | null; nowMs: number }): Promise<void> {
      const used = input.used === null ? null : String(input.used)
      await tellOfUnfit(db, { ...keyOf(input), used })
    },
  }
}

function keyOf(input: { changeId: string; nowMs: number }) {
  return { id: decodeId('waitingChange', input.changeId), now: toInstant(input.nowMs) }
}
