import { sql } from 'kysely'
import {
  TaxAnswerMissing,
  type KeptTaxAnswer,
  type TaxFacts,
  type TaxServiceAnswer,
} from '#domain/tax-service.ts'
import { waitAfterFailuresMs } from '#domain/tax-id.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import { closeTasks, openTask } from './task.ts'

/** What a tax service answered for whoever pays for these customers, oldest answer first; one query for all. */
export async function readTaxAnswers(
  db: Db,
  sellerCountry: string,
  customerIds: readonly string[],
): Promise<KeptTaxAnswer[]> {
  const rows = await db
    .selectFrom('tax_answers as answer')
    .selectAll('answer')
    .select(sql<string | null>`lower(valid_in)`.as('starts_on'))
    .select(sql<string | null>`upper(valid_in)`.as('ends_on'))
    .where('seller_country', '=', sellerCountry)
    .where(
      sql<boolean>`exists (
        select from customers customer join customers payer on payer.id = coalesce(customer.payer_id, customer.id)
        where customer.id = any(${customerIds}::uuid[])
          and answer.buyer_country = coalesce(payer.country, ${sellerCountry})
          and answer.buyer_region is not distinct from payer.region
          and answer.is_business = payer.is_business)`,
    )
    .orderBy('answered_at')
    .orderBy('id')
    .execute()
  return rows.map((row) => ({
    facts: toFacts(row),
    decision: row.decision,
    source: row.source,
    startsOn: row.starts_on,
    endsOn: row.ends_on,
  }))
}

/** Writes down what an error says has to be asked, if it says so. Called once everything that was refused is rolled back. */
export async function noteTaxQuestion(db: Db, error: unknown): Promise<void> {
  if (!(error instanceof TaxAnswerMissing)) return
  const now = new Date().toISOString()
  await db
    .insertInto('tax_questions')
    .values({
      id: newId(),
      ...fromFacts(error.facts),
      on_date: error.on,
      asked_since: now,
      next_try_at: now,
      last_error: null,
    })
    .onConflict((conflict) => conflict.constraint('one_tax_question').doNothing())
    .execute()
}

export interface WaitingTaxQuestion {
  readonly id: string
  readonly facts: TaxFacts
  readonly on: string
  readonly attempts: number
}

/** Those whose turn it is, longest waiting first. */
export async function listTaxQuestions(db: Db, now: string, limit: number): Promise<WaitingTaxQuestion[]> {
  const rows = await db
    .selectFrom('tax_questions')
    .selectAll()
    .where('next_try_at', '<=', now)
    .orderBy('next_try_at')
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map((row) => ({ id: row.id, facts: toFacts(row), on: row.on_date, attempts: row.attempts }))
}

/** Keeps an answer: the next bill or preview finds it. The task is closed once no question is left that was asked in vain. */
export async function recordTaxAnswer(
  tx: Tx,
  question: WaitingTaxQuestion,
  answer: TaxServiceAnswer,
  now: string,
): Promise<void> {
  await tx
    .insertInto('tax_answers')
    .values({
      id: newId(),
      ...fromFacts(question.facts),
      valid_in: `[${answer.startsOn ?? ''},${answer.endsOn ?? ''})`,
      decision: JSON.stringify(answer.decision),
      source: answer.source,
      answered_at: now,
    })
    .execute()
  await tx.deleteFrom('tax_questions').where('id', '=', question.id).execute()
  const inVain = await tx
    .selectFrom('tax_questions')
    .select('id')
    .where('attempts', '>', 0)
    .limit(1)
    .execute()
  if (inVain.length > 0) return
  const { id } = await tx.selectFrom('installation').select('id').executeTakeFirstOrThrow()
  await closeTasks(tx, { kind: 'installation', id, reason: 'the tax service answered' }, ['tax_service_away'])
}

/** Asked again later each time; however many questions wait, there is one task. */
export async function recordTaxFailure(
  tx: Tx,
  question: WaitingTaxQuestion,
  failure: string,
  now: string,
): Promise<void> {
  const attempts = question.attempts + 1
  const nextTryAt = new Date(Date.parse(now) + waitAfterFailuresMs(attempts)).toISOString()
  await tx
    .updateTable('tax_questions')
    .set({ attempts, next_try_at: nextTryAt, last_error: failure })
    .where('id', '=', question.id)
    .execute()
  const { id } = await tx.selectFrom('installation').select('id').executeTakeFirstOrThrow()
  await openTask(tx, {
    kind: 'tax_service_away',
    subjectKind: 'installation',
    subjectId: id,
    subject: 'The tax service does not answer',
    detail: `It said of ${question.facts.productCategory} in ${question.facts.buyerCountry} on ${question.on}: ${failure}. What needs its answer is not billed until then; it is asked again by itself.`,
  })
}

interface FactsRow {
  readonly seller_country: string
  readonly buyer_country: string
  readonly buyer_region: string | null
  readonly is_business: boolean
  readonly is_tax_id_verified: boolean
  readonly product_category: string
}

function toFacts(row: FactsRow): TaxFacts {
  return {
    sellerCountry: row.seller_country,
    buyerCountry: row.buyer_country,
    buyerRegion: row.buyer_region,
    isBusiness: row.is_business,
    isTaxIdVerified: row.is_tax_id_verified,
    productCategory: row.product_category,
  }
}

function fromFacts(facts: TaxFacts): FactsRow {
  return {
    seller_country: facts.sellerCountry,
    buyer_country: facts.buyerCountry,
    buyer_region: facts.buyerRegion,
    is_business: facts.isBusiness,
    is_tax_id_verified: facts.isTaxIdVerified,
    product_category: facts.productCategory,
  }
}
