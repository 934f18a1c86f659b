import { decodeId } from '#domain/identifier.ts'
import { BusinessError } from '#domain/errors.ts'
import { usageRowsPerAnswer } from '#domain/peer-question.ts'
import type { Db } from './database.ts'
import {
  findUsageWindow,
  listWindowEvents,
  listWindowReadings,
  type OpenedWindow,
  type WindowEvent,
  type WindowReading,
} from './read/usage-window.ts'

export interface AskedUsage {
  readonly document: string
  /** Its place among the lines of the document, from 1. */
  readonly line: number
}

/**
 * The window behind a line of a document that was billed to this peer. Of what others were billed nothing is said, not even that it
 * exists.
 * @throws `not_found`
 */
export async function openBilledUsage(db: Db, peerId: string, asked: AskedUsage): Promise<OpenedWindow> {
  const invoiceId = decodeId('invoice', asked.document)
  const lines = await db
    .selectFrom('invoice_lines as line')
    .innerJoin('invoices as invoice', 'invoice.id', 'line.invoice_id')
    .innerJoin('peers as peer', 'peer.customer_id', 'invoice.customer_id')
    .select('line.usage_window_id')
    .where('peer.id', '=', peerId)
    .where('peer.role', '=', 'customer')
    .where('invoice.id', '=', invoiceId)
    .where('invoice.finalized_at', 'is not', null)
    .where('invoice.test_clock_id', 'is', null)
    .orderBy('line.position')
    .execute()
  const windowId = lines[asked.line - 1]?.usage_window_id ?? null
  const window = windowId === null ? null : await findUsageWindow(db, windowId)
  if (window !== null) return window
  throw new BusinessError(
    'not_found',
    lines.length === 0
      ? `No document ${asked.document} was billed to you.`
      : `Line ${asked.line} of ${asked.document} was not metered.`,
  )
}

export interface UsageDay {
  readonly readings: readonly WindowReading[]
  readonly events: readonly WindowEvent[]
  /** From where the rest of the day is asked for; null at its end. */
  readonly next: number | null
}

/** Rows of one day from one on, as many as an answer holds: readings first, then events. */
export async function readUsageDay(
  db: Db,
  window: OpenedWindow,
  { on, skip }: { on: string; skip: number },
): Promise<UsageDay> {
  const [readings, events] = await Promise.all([
    listWindowReadings(db, window, on),
    listWindowEvents(db, window, on),
  ])
  const until = skip + usageRowsPerAnswer
  const eventsFrom = (at: number) => Math.max(0, at - readings.length)
  return {
    readings: readings.slice(skip, until),
    events: events.slice(eventsFrom(skip), eventsFrom(until)),
    next: until < readings.length + events.length ? until : null,
  }
}
