import type { BillReason, DocumentInput } from '#domain/invoice/document.ts'
import type { LineContext } from './billable-line.ts'
import type { Tx } from './database.ts'
import type { DocumentRow } from './subscription-documents.ts'

/** One bill to be made: of all lines of a document, or of one subscription's. */
export interface BillRequest {
  readonly reason: BillReason
  /** The document that the bill lies on; null where a subscription's lines lie on several. */
  readonly document: DocumentRow | null
  /** Set for `opening` and `final`. */
  readonly subscriptionId: string | null
  readonly asOf: string
  readonly now: string
}

/** What a bill is computed from, and whose it is. */
export interface BillInput {
  readonly request: BillRequest
  readonly customerId: string
  readonly testClockId: string | null
  /** By subscription line. */
  readonly contexts: ReadonlyMap<string, LineContext>
  readonly input: DocumentInput
  /** A metric was not read past the period's end yet, and its grace is not over: nothing may be written. */
  readonly isWaiting: boolean
}

/**
 * Reads all that bills are computed from, in a constant number of queries however many bills and lines there are. Lines
 * are locked in id order; the documents must be locked already. A request without lines gives null at its place.
 */
export async function readBillInputs(
  _tx: Tx,
  _requests: readonly BillRequest[],
): Promise<(BillInput | null)[]> {
  await Promise.resolve()
  throw new Error('being written')
}
