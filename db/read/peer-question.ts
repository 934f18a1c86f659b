import { sql } from 'kysely'
import type { Db } from '../database.ts'
import type { UsageAnswer, ProofAnswer } from '../tables/peer.ts'
import { onPage, type PageRequest } from './page.ts'

function questions(db: Db) {
  return db
    .selectFrom('peer_questions as question')
    .innerJoin('peers as peer', 'peer.id', 'question.peer_id')
    .selectAll('question')
    .select('peer.name as peer_name')
}

type QuestionRow = Awaited<ReturnType<typeof listQuestions>>[number]

async function listQuestions(db: Db) {
  return await questions(db).execute()
}

/** A proof: what two sides said of the documents of a range, whoever asked. */
export interface ProofRow extends Omit<QuestionRow, 'question' | 'answer'> {
  readonly question: { readonly from: string; readonly to: string }
  readonly answer: ProofAnswer | null
}

/** What a supplier said of the usage behind a line. */
export interface SuppliedUsageRow extends Omit<QuestionRow, 'question' | 'answer'> {
  readonly question: { readonly line: number; readonly on: string | null }
  readonly answer: UsageAnswer | null
}

export async function listProofs(db: Db, page: PageRequest & { peerId: string | null }): Promise<ProofRow[]> {
  const query = onPage(questions(db).where('question.kind', '=', 'proof'), page, 'question.id')
  const rows = await (
    page.peerId === null ? query : query.where('question.peer_id', '=', page.peerId)
  ).execute()
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of this kind they are written so
  return rows as ProofRow[]
}

export async function getProof(db: Db, id: string): Promise<ProofRow> {
  const row = await questions(db)
    .where('question.kind', '=', 'proof')
    .where('question.id', '=', id)
    .executeTakeFirstOrThrow()
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of this kind they are written so
  return row as ProofRow
}

export async function getSuppliedUsage(db: Db, id: string): Promise<SuppliedUsageRow> {
  const row = await questions(db)
    .where('question.kind', '=', 'usage')
    .where('question.id', '=', id)
    .executeTakeFirstOrThrow()
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of this kind they are written so
  return row as SuppliedUsageRow
}

/** What was told of a line before: a billed window never changes, so neither does what is behind it. */
export async function findSuppliedUsage(
  db: Db,
  of: { supplierInvoiceId: string; line: number; on: string | null },
): Promise<SuppliedUsageRow | null> {
  const row = await questions(db)
    .where('question.supplier_invoice_id', '=', of.supplierInvoiceId)
    .where('question.answer', 'is not', null)
    .where(sql<boolean>`question.question ->> 'line' = ${String(of.line)}`)
    .where(sql<boolean>`question.question ->> 'on' is not distinct from ${of.on}`)
    .orderBy('question.id', 'desc')
    .limit(1)
    .executeTakeFirst()
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of this kind they are written so
  return (row as SuppliedUsageRow | undefined) ?? null
}
