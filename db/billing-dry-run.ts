import { DocumentNotReady } from './bill.ts'
import { billPeriodsIn, type PeriodKey, type PeriodOutcome } from './billing-period.ts'
import { reasonOf } from './billing-chunk.ts'
import { listDueDocuments } from './billing-run.ts'
import type { Db, Tx } from './database.ts'
import { inVain } from './in-vain.ts'
import { billAfterEnd, listWithLateUsage } from './late-bill.ts'
import { billLone, listLone } from './lone-one-off.ts'
import { getSubscription } from './subscription.ts'

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

/** What a run would bill on no customer's document: it has its own, once. */
export interface DryBeside {
  readonly kind: 'late_usage' | 'one_off'
  readonly customer: { readonly id: string; readonly code: string; readonly name: string }
  /** Whose usage came late. */
  readonly subscriptionId: string | null
  readonly outcome: 'billed' | 'parked'
  readonly reason: string | null
  readonly invoices: readonly DryInvoice[]
}

/**
 * The same for what a run bills after all documents: usage that came after the last bill of its subscription, and one-offs
 * in a currency in which nothing of their customer recurs.
 */
export async function dryRunBeside(db: Db, now: string): Promise<DryBeside[]> {
  const found: DryBeside[] = []
  for (const subscriptionId of await listWithLateUsage(db, null)) {
    const { customer_id } = await getSubscription(db, subscriptionId)
    const made = await tryAlone(db, async (tx) => billAfterEnd(tx, subscriptionId, now))
    found.push({ kind: 'late_usage', customer: await readCustomer(db, customer_id), subscriptionId, ...made })
  }
  for (const lone of await listLone(db, { testClockId: null, now })) {
    const made = await tryAlone(db, async (tx) => billLone(tx, lone, { testClockId: null, now }))
    const customer = await readCustomer(db, lone.customer_id)
    found.push({ kind: 'one_off', customer, subscriptionId: null, ...made })
  }
  return found
}

async function tryAlone(
  db: Db,
  bill: (tx: Tx) => Promise<DryInvoice | null>,
): Promise<Pick<DryBeside, 'outcome' | 'reason' | 'invoices'>> {
  try {
    const invoice = await inVain(db, bill)
    return { outcome: 'billed', reason: null, invoices: invoice === null ? [] : [invoice] }
  } catch (error) {
    return { outcome: 'parked', reason: reasonOf(error), invoices: [] }
  }
}

async function readCustomer(db: Db, id: string): Promise<DryBeside['customer']> {
  return await db
    .selectFrom('customers')
    .select(['id', 'code', 'name'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
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
