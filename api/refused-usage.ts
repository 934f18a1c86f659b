import type { Db, Tx } from '#db/database.ts'
import {
  forgetRefusedUsageEvents,
  keepRefusedUsageEvents,
  lockRefusedUsageEvents,
  noteRefusedAgain,
  saidOf,
  toRefusedUsageEvent,
  type RefusedUsageRow,
} from '#db/refused-usage-event.ts'
import { BusinessError } from '#domain/errors.ts'
import { subjects } from './usage-placing.ts'
import { parseLine, readSent, UnreadableLine } from './sent-event.ts'
import { countTaken, storePlaced, withRead, type ArrivedEvent, type IntakeResult } from '#db/usage-placing.ts'

/** Keeps those of the values that were refused, where operators see them. */
export async function keepRefused(
  { db, now }: { readonly db: Db; readonly now: () => string },
  sender: string,
  values: readonly unknown[],
  results: readonly IntakeResult[],
): Promise<void> {
  const refused = results.flatMap((result, index) => {
    if (!('refusal' in result)) return []
    const value = values[index]
    return [
      toRefusedUsageEvent(value instanceof UnreadableLine ? { text: value.text } : { value }, result.refusal),
    ]
  })
  if (refused.length > 0) await keepRefusedUsageEvents(db, { sender, now: now() }, refused)
}

export interface SentAgain {
  readonly stored: number
  readonly duplicates: number
  readonly refused: number
  readonly isMoreLeft: boolean
  /** With which the next of the same round are asked for. */
  readonly triedBefore: string
}

const sentAtOnce = 1_000

/**
 * Sends refused events again, as many as fit a transaction: what counts by now leaves the list, what is refused stays with the
 * newest reason. What named no instant counts when it first came. A round goes on with the instant at which it began: what is
 * refused again has a newer one, and is not tried twice.
 */
export async function sendRefusedAgain(
  tx: Tx,
  now: () => string,
  {
    code,
    triedBefore = now(),
  }: { readonly code?: string | undefined; readonly triedBefore?: string | undefined },
): Promise<SentAgain> {
  const rows = await lockRefusedUsageEvents(tx, {
    ...(code === undefined ? {} : { code }),
    triedBefore,
    limit: sentAtOnce + 1,
  })
  const results = await sendAgain(tx, now, rows.slice(0, sentAtOnce), after(now(), triedBefore))
  return {
    ...countTaken(results),
    refused: results.filter((result) => 'refusal' in result).length,
    isMoreLeft: rows.length > sentAtOnce,
    triedBefore,
  }
}

/** One of them. @throws its refusal, `not_found` */
export async function sendOneAgain(tx: Tx, now: () => string, id: string): Promise<'stored' | 'duplicate'> {
  const rows = await lockRefusedUsageEvents(tx, { id, limit: 1 })
  const [result] = await sendAgain(tx, now, rows, now())
  if (result === undefined) throw new BusinessError('not_found', 'The event is no longer in the list.')
  if ('refusal' in result) throw result.refusal
  return result.result
}

/** The later of both, and later than the second in any case. */
function after(now: string, triedBefore: string): string {
  return new Date(Math.max(Date.parse(now), Date.parse(triedBefore) + 1)).toISOString()
}

async function sendAgain(
  tx: Tx,
  now: () => string,
  rows: readonly RefusedUsageRow[],
  triedAt: string,
): Promise<IntakeResult[]> {
  const results = await withRead<RefusedUsageRow, ArrivedEvent, IntakeResult>(
    rows,
    readKept,
    async (events) => storePlaced({ db: tx, now, subjects }, events),
  )
  const idsOf = (index: number) => rows[index]?.id ?? ''
  await forgetRefusedUsageEvents(
    tx,
    results.flatMap((result, index) => ('result' in result ? [idsOf(index)] : [])),
  )
  await noteRefusedAgain(
    tx,
    triedAt,
    results.flatMap((result, index) =>
      'refusal' in result ? [{ id: idsOf(index), ...saidOf(result.refusal) }] : [],
    ),
  )
  return results
}

function readKept({ content, isWhole, refusedMs }: RefusedUsageRow): ArrivedEvent {
  if (!isWhole) throw new BusinessError('usage_event_too_long', 'The event was too long to be kept whole.')
  return { ...readSent(parseLine(content)), arrivedMs: refusedMs }
}
