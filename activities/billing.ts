import { ApplicationFailure } from '@temporalio/activity'
import { DocumentNotReady } from '#db/bill.ts'
import { billFinal, billOpening, billPeriod, type BilledDocument } from '#db/billing.ts'
import { isOpeningAwaited } from '#db/opening.ts'
import { parkDocument } from '#db/document.ts'
import { isTransient } from '#db/transient.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import { reasonOf } from '#db/billing-chunk.ts'
import type { DatabaseDependencies } from './dependencies.ts'
import { toInstant } from './command.ts'

export interface BilledPeriod {
  /** A metric of the document was not read past the period's end yet, and nothing is billed. Old histories lack it: they billed. */
  readonly isWaiting: boolean
  readonly invoiceNumber: string | null
  readonly totalMinor: number
  readonly next: { readonly periodIndex: number; readonly dueAtMs: number } | null
}

export interface OpeningBill {
  /** Others of its order are still being built. Old histories lack it: they billed. */
  readonly isWaiting?: boolean
  readonly invoices: string[]
}

/** Invoices. Each is one transaction under its business key: whoever comes second finds the work done. */
export function createBillingActivities({ db }: DatabaseDependencies) {
  return {
    /** Bills nothing while others of the order are waited for, unless it is to be billed alone. */
    async billOpening(input: {
      subscriptionId: string
      nowMs: number
      isAlone?: boolean
    }): Promise<OpeningBill> {
      const subscriptionId = decodeId('subscription', input.subscriptionId)
      const now = toInstant(input.nowMs)
      const isWaiting = input.isAlone !== true && (await isOpeningAwaited(db, subscriptionId, now))
      return { isWaiting, invoices: isWaiting ? [] : await billOpening(db, subscriptionId, now) }
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
        const isStopped = error instanceof BusinessError && error.code === 'series_stopped'
        if (error instanceof DocumentNotReady || isStopped)
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
  }
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
