import { continueAsNew, setCurrentDetails, workflowInfo } from '@temporalio/workflow'
import { patientDatabase } from './activities.ts'
import type { BillingRunInput, BillingRunProgress } from './contract.ts'

const documentsPerChunk = 5_000

/**
 * Bills every document that is due by its rows, in chunks: what was missed yesterday is due today. For speed, not for
 * the guarantee, which each subscription gives by itself.
 */
export async function billingRun(input: BillingRunInput): Promise<BillingRunProgress> {
  const nowMs = input.instant ? Date.parse(input.instant) : workflowInfo().startTime.getTime()
  const failedOnly = input.isFailedOnly ? { isFailedOnly: true } : {}
  let done = input.done ?? { billed: 0, skipped: 0, parked: 0, after: null }
  do {
    const from = done.billed + done.skipped + done.parked + 1
    const chunk = await patientDatabase.billDueDocuments.executeWithOptions(
      { summary: `from document ${from}` },
      [{ nowMs, after: done.after, limit: documentsPerChunk, ...failedOnly }],
    )
    done = {
      billed: done.billed + chunk.billed,
      skipped: done.skipped + chunk.skipped,
      parked: done.parked + chunk.parked,
      after: chunk.after,
    }
    setCurrentDetails(`billed ${done.billed}, waiting for readings ${done.skipped}, parked ${done.parked}`)
    if (done.after && workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof billingRun>({ instant: new Date(nowMs).toISOString(), ...failedOnly, done })
    }
  } while (done.after)
  return done
}
