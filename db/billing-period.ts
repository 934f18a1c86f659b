import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { addDays, compareDates, dateIn } from '#domain/calendar.ts'
import { DocumentNotReady, writeBills, writeDrafts, type BillOutcome, type BillRequest } from './bill.ts'
import type { Db, Tx } from './database.ts'
import { advance, toBilled, type BilledDocument } from './document-progress.ts'
import { billingKeyOf, holdForReview, readDraftDays, removeDrafts } from './draft.ts'
import type { FinalizedInvoice } from './invoice.ts'
import { dueOn, issuedOn, type DocumentRow } from './subscription-documents.ts'

export interface PeriodKey {
  readonly documentId: string
  readonly periodIndex: number
}

export type PeriodOutcome =
  /** `invoice` is what this call made; null where the work was found done, or there was nothing to bill. */
  | {
      readonly state: 'billed'
      readonly billed: BilledDocument
      readonly invoice: FinalizedInvoice | null
      readonly isFoundDone: boolean
    }
  | Exclude<BillOutcome, { readonly state: 'billed' }>
  /** Somebody else has the document at this moment. */
  | { readonly state: 'held' }

/**
 * Bills one period of each document in the caller's transaction, by a constant number of statements: what is paid in
 * advance for the period, and what is in arrears from those before. Called again, by whomever, it finds the work done and
 * gives the same answer.
 * Lock order, always: documents by id, lines by id, invoices, balances, number series last. Keys stay unlocked, so that a
 * row which only names the document or a line need not wait.
 * @returns in the order given
 */
export async function billPeriodsIn(
  tx: Tx,
  keys: readonly PeriodKey[],
  at: { now: string; isHeldPassedBy: boolean },
): Promise<PeriodOutcome[]> {
  const documents = await lockDocumentsById(tx, keys, at.isHeldPassedBy)
  const due: DocumentRow[] = []
  const done: { document: DocumentRow; periodIndex: number }[] = []
  for (const { documentId, periodIndex } of keys) {
    const document = documents.get(documentId)
    if (!document) continue
    assert(periodIndex <= document.next_period_index, 'periods are billed in order')
    const isNext = periodIndex === document.next_period_index
    if (isNext && isDue(document, at.now)) due.push(document)
    else done.push({ document, periodIndex })
  }
  const made = await billNextPeriods(tx, due, at.now)
  const found = await readBilled(tx, done)
  return keys.map(({ documentId }) => made.get(documentId) ?? found.get(documentId) ?? { state: 'held' })
}

function isDue(document: DocumentRow, now: string): boolean {
  const isBegun = compareDates(dueOn(document), dateIn(document.time_zone, now)) <= 0
  return isBegun && document.closed_at === null
}

async function lockDocumentsById(
  tx: Tx,
  keys: readonly PeriodKey[],
  isHeldPassedBy: boolean,
): Promise<ReadonlyMap<string, DocumentRow>> {
  const ids = keys.map(({ documentId }) => documentId)
  let query = tx
    .selectFrom('subscription_documents')
    .selectAll()
    .where('id', '=', sql<string>`any(${ids}::uuid[])`)
    .orderBy('id')
    .forNoKeyUpdate()
  if (isHeldPassedBy) query = query.skipLocked()
  const rows = await query.execute()
  return new Map(rows.map((row) => [row.id, row]))
}

async function billNextPeriods(
  tx: Tx,
  documents: readonly DocumentRow[],
  now: string,
): Promise<ReadonlyMap<string, PeriodOutcome>> {
  const draftDays = await readDraftDays(tx)
  const finalizeOn = (document: DocumentRow) => addDays(issuedOn(document), draftDays)
  // What was missed for longer than a draft is open is finalized at once.
  const isReviewed = (document: DocumentRow) =>
    document.finalize_on === null && compareDates(finalizeOn(document), dateIn(document.time_zone, now)) > 0
  const toDraft = documents.filter(isReviewed)
  const drafted = await draftPeriods(tx, toDraft, { now, finalizeOn })
  const finalized = await finalizePeriods(
    tx,
    documents.filter((document) => !drafted.has(document.id)),
    now,
  )
  return new Map([...drafted, ...finalized])
}

/** Bills next periods for good; drafts of them are taken away and computed anew. The documents are locked. */
export async function finalizePeriods(
  tx: Tx,
  documents: readonly DocumentRow[],
  now: string,
): Promise<ReadonlyMap<string, PeriodOutcome>> {
  const draftIds = await removeDrafts(tx, documents)
  const outcomes = await writeBills(
    tx,
    documents.map((document) => ({ ...requestOf(document, now), draftId: draftIds.get(document.id) })),
  )
  for (const [index, document] of documents.entries()) {
    const outcome = outcomes[index]
    // The draft must not be lost: all of the transaction is taken back.
    if (outcome?.state === 'failed' && draftIds.has(document.id)) throw outcome.error
    if (outcome?.state === 'waiting' && draftIds.has(document.id)) throw new DocumentNotReady(document.id)
  }
  const bills = documents.flatMap((document, index) => {
    const outcome = outcomes[index]
    if (outcome?.state !== 'billed') return []
    return [{ document, invoice: outcome.invoice, skippedId: outcome.skippedId }]
  })
  const billed = await advance(tx, bills, now)
  return new Map(
    documents.map((document, index): [string, PeriodOutcome] => {
      const outcome = outcomes[index]
      assert(outcome, 'every bill has an outcome')
      if (outcome.state !== 'billed') return [document.id, outcome]
      const after = billed.get(document.id)
      assert(after, 'every billed document moves on')
      return [document.id, { state: 'billed', billed: after, invoice: outcome.invoice, isFoundDone: false }]
    }),
  )
}

interface DraftedOn {
  readonly now: string
  readonly finalizeOn: (document: DocumentRow) => string
  /** Of drafts that were taken away to be made anew. */
  readonly draftIds?: ReadonlyMap<string, string>
}

/**
 * Makes drafts of next periods: until they are finalized the documents stay at that period. Nothing that is due makes no
 * draft: such a period is billed like any other, and is not among what this returns.
 */
export async function draftPeriods(
  tx: Tx,
  documents: readonly DocumentRow[],
  { now, finalizeOn, draftIds }: DraftedOn,
): Promise<ReadonlyMap<string, PeriodOutcome>> {
  const outcomes = await writeDrafts(
    tx,
    documents.map((document) => ({
      ...requestOf(document, now),
      finalizeOn: finalizeOn(document),
      draftId: draftIds?.get(document.id),
    })),
  )
  const found = documents.flatMap((document, index): [string, PeriodOutcome][] => {
    const outcome = outcomes[index]
    assert(outcome, 'every bill has an outcome')
    if (outcome.state === 'billed') return []
    if (outcome.state !== 'drafted') return [[document.id, outcome]]
    const after = { ...document, finalize_on: finalizeOn(document) }
    return [
      [document.id, { state: 'billed', billed: toBilled(after, null, 0), invoice: null, isFoundDone: false }],
    ]
  })
  const drafted = documents.filter((_, index) => outcomes[index]?.state === 'drafted')
  await holdForReview(tx, drafted, finalizeOn)
  return new Map(found)
}

function requestOf(document: DocumentRow, now: string): BillRequest {
  return {
    billingKey: billingKeyOf(document),
    reason: 'period',
    document,
    subscriptionIds: null,
    asOf: document.next_invoice_on,
    arrearsUntil: issuedOn(document),
    now,
  }
}

async function readBilled(
  db: Db,
  done: readonly { readonly document: DocumentRow; readonly periodIndex: number }[],
): Promise<ReadonlyMap<string, PeriodOutcome>> {
  if (done.length === 0) return new Map()
  const keys = done.map(({ document, periodIndex }) => ({ id: document.id, index: periodIndex }))
  const { rows } = await sql<{ id: string; number: string | null; total_minor: number }>`
    select done.id, invoices.number, invoices.total_minor
    from json_to_recordset(${JSON.stringify(keys)}::json) as done (id uuid, index integer)
    join billing_periods period on period.document_id = done.id and period.period_index = done.index
    join invoices on invoices.id = period.invoice_id`.execute(db)
  const invoices = new Map(rows.map((row) => [row.id, row]))
  return new Map(
    done.map(({ document }) => {
      const found = invoices.get(document.id)
      const billed = toBilled(document, found?.number ?? null, found?.total_minor ?? 0)
      return [document.id, { state: 'billed', billed, invoice: null, isFoundDone: true }]
    }),
  )
}
