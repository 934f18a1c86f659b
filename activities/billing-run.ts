import { Context } from '@temporalio/activity'
import { billChunk, type RunOfChunk } from '#db/billing-chunk.ts'
import type { PeriodKey } from '#db/billing-period.ts'
import { ensureBillingRun, finishBillingRun, listDueDocuments } from '#db/billing-run.ts'
import { billLateUsage } from '#db/late-bill.ts'
import { billLoneOneOffs } from '#db/lone-one-off.ts'
import { watchSupplierSubscriptions } from '#db/supplier-subscription.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { DatabaseDependencies } from './dependencies.ts'
import { toInstant } from './command.ts'

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
      if (after === null) {
        await billLateUsage(db, { testClockId: null, now, billingRunId })
        await billLoneOneOffs(db, { testClockId: null, now, billingRunId })
        await finishBillingRun(db, billingRunId)
        await db
          .transaction()
          .execute(async (tx) => watchSupplierSubscriptions(tx, { supplierId: null, now }))
      }
      return { ...outcomes, after }
    },
  }

  async function billDue(run: RunOfChunk, due: readonly PeriodKey[]) {
    const outcomes = { billed: 0, skipped: 0, parked: 0 }
    const chunks = Array.from({ length: Math.ceil(due.length / documentsPerTransaction) }, (_, index) =>
      due.slice(index * documentsPerTransaction, (index + 1) * documentsPerTransaction),
    )
    const bill = async () => {
      for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
        const { waiting, parked, foundDone } = await billChunk(db, run, chunk)
        outcomes.skipped += waiting
        outcomes.parked += parked
        outcomes.billed += chunk.length - waiting - parked - foundDone
        Context.current().heartbeat(outcomes)
      }
    }
    // Both are waited for: what failed is tried again, and nothing of it may still be running then.
    const results = await Promise.allSettled(Array.from({ length: transactionsAtOnce }, bill))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
    return outcomes
  }
}
