import { Context } from '@temporalio/activity'
import { billPeriods } from '#db/billing.ts'
import type { PeriodKey, PeriodOutcome } from '#db/billing-period.ts'
import { ensureBillingRun, finishBillingRun, listDueDocuments, recordException } from '#db/billing-run.ts'
import { parkDocument } from '#db/document.ts'
import { isTransient } from '#db/transient.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { DatabaseDependencies } from './dependencies.ts'
import { toInstant } from './subscription.ts'

export interface BilledChunk {
  readonly billed: number
  readonly skipped: number
  readonly parked: number
  /** Where the next chunk begins; null when there is none. */
  readonly after: string | null
}

/** So many are one transaction: enough that what each statement costs by itself is shared, and few enough to do again. */
const documentsPerTransaction = 500
/** While the database writes for one, the next is computed. */
const transactionsAtOnce = 2

interface Run {
  readonly billingRunId: string
  readonly now: string
}

/** The run over all that is due. Each transaction bills many documents, each under its business key. */
export function createBillingRunActivities({ db }: DatabaseDependencies) {
  return {
    /** Bills what is due by its rows, oldest period first. One bad document is parked with its reason; the rest go on. */
    async billDueDocuments(input: {
      nowMs: number
      after: string | null
      limit: number
      /** Only those that could not be billed before. */
      isFailedOnly?: boolean
    }): Promise<BilledChunk> {
      const now = toInstant(input.nowMs)
      const { workflowId } = Context.current().info.workflowExecution ?? {}
      const billingRunId = await ensureBillingRun(db, { workflowId: workflowId ?? now, billedAt: now })
      const due = await listDueDocuments(db, {
        now,
        after: input.after ? decodeId('document', input.after) : null,
        limit: input.limit,
        isFailedOnly: input.isFailedOnly ?? false,
      })
      const outcomes = await billDue({ billingRunId, now }, due)
      const last = due.at(-1)
      const after = last && due.length === input.limit ? encodeId('document', last.documentId) : null
      if (after === null) await finishBillingRun(db, billingRunId)
      return { ...outcomes, after }
    },
  }

  async function billDue(run: Run, due: readonly PeriodKey[]) {
    const outcomes = { billed: 0, skipped: 0, parked: 0 }
    const chunks = Array.from({ length: Math.ceil(due.length / documentsPerTransaction) }, (_, index) =>
      due.slice(index * documentsPerTransaction, (index + 1) * documentsPerTransaction),
    )
    const bill = async () => {
      for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
        const exceptions = await billAllPeriods(run, chunk)
        outcomes.skipped += exceptions.waiting
        outcomes.parked += exceptions.parked
        outcomes.billed += chunk.length - exceptions.waiting - exceptions.parked
        Context.current().heartbeat(outcomes)
      }
    }
    // Both are waited for: what failed is tried again, and nothing of it may still be running then.
    const results = await Promise.allSettled(Array.from({ length: transactionsAtOnce }, bill))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
    return outcomes
  }

  /** Every missed period is an invoice of its own, in order. */
  async function billAllPeriods(run: Run, chunk: readonly PeriodKey[]) {
    const exceptions = { waiting: 0, parked: 0 }
    let due = chunk
    for (let isFirst = true; due.length > 0; isFirst = false) {
      const outcomes = await billPassingBy({ ...run, isFirst }, due)
      const next: PeriodKey[] = []
      for (const [index, { documentId }] of due.entries()) {
        const outcome = outcomes[index]
        if (outcome?.state === 'waiting') {
          exceptions.waiting += 1
          await recordException(db, { ...run, documentId, outcome: 'waiting', reason: waitingReason })
        }
        if (outcome?.state === 'failed') {
          exceptions.parked += 1
          const reason = reasonOf(outcome.error)
          await parkDocument(db, documentId, reason)
          await recordException(db, { ...run, documentId, outcome: 'parked', reason })
        }
        if (outcome?.state !== 'billed' || outcome.billed.next === null) continue
        const { periodIndex, dueAt } = outcome.billed.next
        if (Date.parse(dueAt) <= Date.parse(run.now)) next.push({ documentId, periodIndex })
      }
      due = next
    }
    return exceptions
  }

  /** Those that somebody else had at that moment come after the others, one by one. */
  async function billPassingBy(
    run: Run & { isFirst: boolean },
    keys: readonly PeriodKey[],
  ): Promise<PeriodOutcome[]> {
    const outcomes = await billTogether(run, keys)
    for (const [index, key] of keys.entries()) {
      if (outcomes[index]?.state !== 'held') continue
      outcomes[index] = (await billTogether(run, [key]))[0] ?? { state: 'held' }
    }
    return outcomes
  }

  /** What the database refuses is found by halves, and fails alone. What may succeed later is thrown, for all to be tried again. */
  async function billTogether(
    run: Run & { isFirst: boolean },
    keys: readonly PeriodKey[],
  ): Promise<PeriodOutcome[]> {
    try {
      return await billPeriods(db, keys, { ...run, isHeldPassedBy: keys.length > 1 })
    } catch (error) {
      if (keys.length > 1) {
        const half = Math.ceil(keys.length / 2)
        const first = await billTogether(run, keys.slice(0, half))
        return [...first, ...(await billTogether(run, keys.slice(half)))]
      }
      if (isTransient(error)) throw error
      return [{ state: 'failed', error }]
    }
  }
}

const waitingReason =
  'It waits for readings past the end of its period. A later billing run bills it by itself.'

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
