import { ApplicationFailure, Context } from '@temporalio/activity'
import { DocumentNotReady } from '#db/bill.ts'
import { billFinal, billOpening, billPeriod, listDueDocuments, type BilledDocument } from '#db/billing.ts'
import { parkDocument } from '#db/document.ts'
import { isTransient } from '#db/transient.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { DatabaseDependencies } from './dependencies.ts'
import { toInstant } from './subscription.ts'

export interface BilledPeriod {
  /** A metric of the document was not read past the period's end yet, and nothing is billed. Old histories lack it: they billed. */
  readonly isWaiting: boolean
  readonly invoiceNumber: string | null
  readonly totalMinor: number
  readonly next: { readonly periodIndex: number; readonly dueAtMs: number } | null
}

export interface BilledChunk {
  readonly billed: number
  readonly skipped: number
  readonly parked: number
  /** Where the next chunk begins; null when there is none. */
  readonly after: string | null
}

/** Invoices. Each is one transaction under its business key: whoever comes second finds the work done. */
export function createBillingActivities({ db }: DatabaseDependencies) {
  return {
    async billOpening(input: { subscriptionId: string; nowMs: number }): Promise<{ invoices: string[] }> {
      return {
        invoices: await billOpening(
          db,
          decodeId('subscription', input.subscriptionId),
          toInstant(input.nowMs),
        ),
      }
    },

    async billPeriod(input: {
      documentId: string
      periodIndex: number
      nowMs: number
    }): Promise<BilledPeriod> {
      const key = { documentId: decodeId('document', input.documentId), periodIndex: input.periodIndex }
      try {
        return toBilledPeriod(await billPeriod(db, key, toInstant(input.nowMs)))
      } catch (error) {
        if (error instanceof DocumentNotReady)
          return { isWaiting: true, invoiceNumber: null, totalMinor: 0, next: null }
        if (isTransient(error) || error instanceof BusinessError) throw error
        // As in a billing run: the document is parked with its reason, and its subscription goes on taking commands.
        throw ApplicationFailure.create({
          message: reasonOf(error),
          type: 'internal_error',
          nonRetryable: true,
        })
      }
    },

    async billFinal(input: { subscriptionId: string; nowMs: number }): Promise<{ invoices: string[] }> {
      return {
        invoices: await billFinal(db, decodeId('subscription', input.subscriptionId), toInstant(input.nowMs)),
      }
    },

    async parkDocument(input: { documentId: string; code: string; detail: string }): Promise<void> {
      await parkDocument(db, decodeId('document', input.documentId), `${input.code}: ${input.detail}`)
    },

    /** Bills what is due by its rows, oldest period first. One bad document is parked with its reason; the rest go on. */
    async billDueDocuments(input: {
      nowMs: number
      after: string | null
      limit: number
    }): Promise<BilledChunk> {
      const now = toInstant(input.nowMs)
      const after = input.after ? decodeId('document', input.after) : null
      const due = await listDueDocuments(db, { now, after, limit: input.limit })
      const outcomes = { billed: 0, skipped: 0, parked: 0 }
      for (const document of due) {
        outcomes[await billDueDocument(document, now)] += 1
        Context.current().heartbeat(document.documentId)
      }
      const last = due.at(-1)
      return {
        ...outcomes,
        after: last && due.length === input.limit ? encodeId('document', last.documentId) : null,
      }
    },
  }

  async function billDueDocument(
    document: { documentId: string; periodIndex: number },
    now: string,
  ): Promise<'billed' | 'skipped' | 'parked'> {
    try {
      let periodIndex: number | undefined = document.periodIndex
      while (periodIndex !== undefined) {
        const billed: BilledDocument = await billPeriod(
          db,
          { documentId: document.documentId, periodIndex },
          now,
        )
        const isMoreDue: boolean = billed.next !== null && Date.parse(billed.next.dueAt) <= Date.parse(now)
        periodIndex = isMoreDue ? billed.next?.periodIndex : undefined
      }
      return 'billed'
    } catch (error) {
      if (error instanceof DocumentNotReady) return 'skipped'
      // The whole chunk is tried again, and finds what it has billed.
      if (isTransient(error)) throw error
      await parkDocument(db, document.documentId, reasonOf(error))
      return 'parked'
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function toBilledPeriod(billed: BilledDocument): BilledPeriod {
  return {
    isWaiting: false,
    invoiceNumber: billed.invoiceNumber,
    totalMinor: billed.totalMinor,
    next: billed.next
      ? { periodIndex: billed.next.periodIndex, dueAtMs: Date.parse(billed.next.dueAt) }
      : null,
  }
}
