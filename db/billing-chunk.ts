import { BusinessError, messageOf } from '#domain/errors.ts'
import { DocumentNotReady } from './bill.ts'
import { billPeriods } from './billing.ts'
import type { PeriodKey, PeriodOutcome } from './billing-period.ts'
import { recordException } from './billing-run.ts'
import type { Db } from './database.ts'
import { parkDocument } from './document.ts'
import { noteTaxQuestion } from './tax-answer.ts'
import { isTransient } from './transient.ts'

export interface RunOfChunk {
  readonly billingRunId: string
  readonly now: string
}

/** `stopped`: no number of its series is given, because some may have been given before. A person settles that. */
type ChunkOutcome = PeriodOutcome | { readonly state: 'stopped'; readonly reason: string }

/** Documents that were not billed. */
export interface ChunkExceptions {
  waiting: number
  parked: number
  /** Somebody else had billed them by then. */
  foundDone: number
}

/**
 * Bills every period that is due of a chunk of documents: each missed one is an invoice of its own, in order, and one period
 * of all of them is one transaction. A bad document is parked with its reason and told with the run; the rest go on. What
 * may succeed later is thrown, for the chunk to be tried again: it finds what it has billed.
 */
export async function billChunk(
  db: Db,
  run: RunOfChunk,
  chunk: readonly PeriodKey[],
): Promise<ChunkExceptions> {
  const exceptions = { waiting: 0, parked: 0, foundDone: 0 }
  let due = chunk
  for (let isFirst = true; due.length > 0; isFirst = false) {
    const outcomes = await billPassingBy(db, { ...run, isFirst }, due)
    const next: PeriodKey[] = []
    for (const [index, { documentId }] of due.entries()) {
      const outcome = outcomes[index]
      if (isFirst && outcome?.state === 'billed' && outcome.isFoundDone) exceptions.foundDone += 1
      if (outcome?.state === 'billed') next.push(...nextDue(documentId, outcome.billed.next, run.now))
      else await tellException(db, run, documentId, outcome, exceptions)
    }
    due = next
  }
  return exceptions
}

function nextDue(
  documentId: string,
  next: { readonly periodIndex: number; readonly dueAt: string } | null,
  now: string,
): PeriodKey[] {
  if (next === null || Date.parse(next.dueAt) > Date.parse(now)) return []
  return [{ documentId, periodIndex: next.periodIndex }]
}

async function tellException(
  db: Db,
  run: RunOfChunk,
  documentId: string,
  outcome: ChunkOutcome | undefined,
  exceptions: ChunkExceptions,
): Promise<void> {
  if (outcome?.state === 'waiting' || outcome?.state === 'stopped') {
    exceptions.waiting += 1
    const reason = outcome.state === 'stopped' ? outcome.reason : waitingReason
    await recordException(db, { ...run, documentId, outcome: 'waiting', reason })
  }
  if (outcome?.state === 'failed') {
    exceptions.parked += 1
    const reason = reasonOf(outcome.error)
    await parkDocument(db, documentId, reason)
    await noteTaxQuestion(db, outcome.error)
    await recordException(db, { ...run, documentId, outcome: 'parked', reason })
  }
}

const waitingReason =
  'It waits for readings past the end of its period. A later billing run bills it by itself.'

/** What a person is told of an error that parked something. */
export function reasonOf(error: unknown): string {
  if (error instanceof BusinessError) return `${error.code}: ${error.message}`
  return messageOf(error)
}

/** Those that somebody else had at that moment come after the others, one by one. */
async function billPassingBy(
  db: Db,
  run: RunOfChunk & { isFirst: boolean },
  keys: readonly PeriodKey[],
): Promise<ChunkOutcome[]> {
  const outcomes = await billTogether(db, run, keys)
  for (const [index, key] of keys.entries()) {
    if (outcomes[index]?.state !== 'held') continue
    outcomes[index] = (await billTogether(db, run, [key]))[0] ?? { state: 'held' }
  }
  return outcomes
}

/** What the database refuses is found by halves, and fails alone. */
async function billTogether(
  db: Db,
  run: RunOfChunk & { isFirst: boolean },
  keys: readonly PeriodKey[],
): Promise<ChunkOutcome[]> {
  try {
    return await billPeriods(db, keys, { ...run, isHeldPassedBy: keys.length > 1 })
  } catch (error) {
    if (keys.length > 1) {
      const half = Math.ceil(keys.length / 2)
      const first = await billTogether(db, run, keys.slice(0, half))
      return [...first, ...(await billTogether(db, run, keys.slice(half)))]
    }
    if (isTransient(error)) throw error
    if (error instanceof BusinessError && error.code === 'series_stopped')
      return [{ state: 'stopped', reason: error.message }]
    return [error instanceof DocumentNotReady ? { state: 'waiting' } : { state: 'failed', error }]
  }
}
