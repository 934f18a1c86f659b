import { DocumentNotReady } from './bill.ts'
import { billPeriodsIn, type PeriodKey, type PeriodOutcome } from './billing-period.ts'
import { reasonOf } from './billing-chunk.ts'
import { listDueDocuments } from './billing-run.ts'
import type { Db, Tx } from './database.ts'
import { inVain } from './in-vain.ts'

/** What a billing run would make of a document. */
export interface DryDocument {
  readonly documentId: string
  readonly outcome: 'billed' | 'waiting' | 'parked' | 'held'
  /** Of what was not billed. */
  readonly reason: string | null
  /** One of each period, also of those that were missed. */
  readonly invoices: readonly DryInvoice[]
}

export interface DryInvoice {
  readonly kind: 'invoice' | 'credit_note'
  readonly currency: string
  readonly totalMinor: number
}

const documentsPerTransaction = 100

/**
 * Bills what is due at an instant, exactly as a billing run does, and rolls it back: who would be billed how much, and who
 * not and why. Nothing is kept, no number is used up.
 * @returns documents in id order, after a cursor
 */
export async function dryRunBilling(
  db: Db,
  run: { now: string; after: string | null; limit: number; isFailedOnly: boolean },
): Promise<DryDocument[]> {
  const due = await listDueDocuments(db, run)
  const documents: DryDocument[] = []
  for (let from = 0; from < due.length; from += documentsPerTransaction) {
    documents.push(...(await tryTogether(db, due.slice(from, from + documentsPerTransaction), run.now)))
  }
  return documents
}

/** What the database refuses is found by halves, as in a run. */
async function tryTogether(db: Db, keys: readonly PeriodKey[], now: string): Promise<DryDocument[]> {
  try {
    return await inVain(db, async (tx) => await billAll(tx, keys, now))
  } catch (error) {
    const [only] = keys
    if (only !== undefined && keys.length === 1) {
      const state = error instanceof DocumentNotReady ? 'waiting' : 'failed'
      return [add(nothing(only.documentId), { state, error })]
    }
    const half = Math.ceil(keys.length / 2)
    const first = await tryTogether(db, keys.slice(0, half), now)
    return [...first, ...(await tryTogether(db, keys.slice(half), now))]
  }
}

/** Every missed period is an invoice of its own, in order. */
async function billAll(tx: Tx, keys: readonly PeriodKey[], now: string): Promise<DryDocument[]> {
  const found = new Map(keys.map(({ documentId }) => [documentId, nothing(documentId)]))
  let due = keys
  while (due.length > 0) {
    const outcomes = await billPeriodsIn(tx, due, { now, isHeldPassedBy: true })
    const next: PeriodKey[] = []
    for (const [index, { documentId }] of due.entries()) {
      const outcome = outcomes[index] ?? { state: 'held' }
      found.set(documentId, add(found.get(documentId) ?? nothing(documentId), outcome))
      if (outcome.state !== 'billed' || outcome.billed.next === null) continue
      const { periodIndex, dueAt } = outcome.billed.next
      if (Date.parse(dueAt) <= Date.parse(now)) next.push({ documentId, periodIndex })
    }
    due = next
  }
  return [...found.values()]
}

function nothing(documentId: string): DryDocument {
  return { documentId, outcome: 'billed', reason: null, invoices: [] }
}

function add(document: DryDocument, outcome: PeriodOutcome): DryDocument {
  switch (outcome.state) {
    case 'billed': {
      if (outcome.invoice === null) return document
      const { kind, currency, totalMinor } = outcome.invoice
      return { ...document, invoices: [...document.invoices, { kind, currency, totalMinor }] }
    }
    case 'waiting':
      return { ...document, outcome: 'waiting', reason: 'It waits for readings past the end of its period.' }
    case 'failed':
      return { ...document, outcome: 'parked', reason: reasonOf(outcome.error) }
    case 'held':
      return { ...document, outcome: 'held', reason: 'Somebody else bills or changes it at this moment.' }
  }
}
