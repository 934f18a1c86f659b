import type { PeerQuestionAnswer, PeerQuestionsTable } from './tables/peer.ts'
import type { SignedExchange } from '#domain/peer-question.ts'
import { BusinessError } from '#domain/errors.ts'
import type { Db } from './database.ts'
import { newId } from './identifier.ts'

export interface NewPeerQuestion {
  readonly peerId: string
  /** Asked again under the same key, it is the same question. */
  readonly key: string
  readonly kind: PeerQuestionsTable['kind']
  readonly supplierInvoiceId?: string
  readonly question: object
  readonly askedBy: string
  readonly now: string
}

/** Lays down what is to be asked of a peer, once. @returns its id */
export async function askPeer(db: Db, asked: NewPeerQuestion): Promise<string> {
  const { peerId, key, kind } = asked
  await db
    .insertInto('peer_questions')
    .values({
      id: newId(),
      peer_id: peerId,
      is_asked_here: true,
      key,
      kind,
      supplier_invoice_id: asked.supplierInvoiceId ?? null,
      question: JSON.stringify(asked.question),
      asked_by: asked.askedBy,
      asked_at: asked.now,
    })
    .onConflict((conflict) => conflict.columns(['peer_id', 'is_asked_here', 'key']).doNothing())
    .execute()
  const { id } = await db
    .selectFrom('peer_questions')
    .select('id')
    .where('peer_id', '=', peerId)
    .where('is_asked_here', '=', true)
    .where('key', '=', key)
    .executeTakeFirstOrThrow()
  return id
}

/** Keeps what a peer has asked of us and was told, with its own signed word. Asked again, it is one. */
export async function keepAskedByPeer(
  db: Db,
  of: Omit<NewPeerQuestion, 'askedBy'> & { answer: PeerQuestionAnswer; evidence: SignedExchange },
): Promise<void> {
  await db
    .insertInto('peer_questions')
    .values({
      id: newId(),
      peer_id: of.peerId,
      is_asked_here: false,
      key: of.key.slice(0, 200),
      kind: of.kind,
      supplier_invoice_id: null,
      question: JSON.stringify(of.question),
      answer: JSON.stringify(of.answer),
      evidence: JSON.stringify(of.evidence),
      asked_by: 'peer',
      asked_at: of.now,
      finished_at: of.now,
    })
    .onConflict((conflict) => conflict.columns(['peer_id', 'is_asked_here', 'key']).doNothing())
    .execute()
}

export interface OpenQuestion {
  readonly id: string
  readonly peerId: string
  readonly kind: PeerQuestionsTable['kind']
  readonly question: Record<string, unknown>
  readonly isFinished: boolean
}

export async function readPeerQuestion(db: Db, id: string): Promise<OpenQuestion> {
  const row = await db
    .selectFrom('peer_questions')
    .select(['id', 'peer_id', 'kind', 'question', 'finished_at'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const { peer_id: peerId, finished_at: finishedAt, ...rest } = row
  return { ...rest, peerId, isFinished: finishedAt !== null }
}

/** What was answered stays; who comes later with another answer changes nothing. */
export async function keepPeerAnswer(
  db: Db,
  id: string,
  of: { answer: PeerQuestionAnswer; evidence: SignedExchange; now: string },
): Promise<void> {
  await db
    .updateTable('peer_questions')
    .set({
      answer: JSON.stringify(of.answer),
      evidence: JSON.stringify(of.evidence),
      finished_at: of.now,
    })
    .where('id', '=', id)
    .where('finished_at', 'is', null)
    .execute()
}

export async function refusePeerQuestion(
  db: Db,
  id: string,
  of: { code: string; detail: string; now: string },
): Promise<void> {
  await db
    .updateTable('peer_questions')
    .set({ refusal_code: of.code, refusal_detail: of.detail, finished_at: of.now })
    .where('id', '=', id)
    .where('finished_at', 'is', null)
    .execute()
}

/** Why a question has no answer; null where it has one. */
export async function findRefusal(db: Db, id: string): Promise<{ code: string; detail: string } | null> {
  const { refusal_code: code, refusal_detail: detail } = await db
    .selectFrom('peer_questions')
    .select(['refusal_code', 'refusal_detail'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return code === null ? null : { code, detail: detail ?? '' }
}

/** @throws `action_not_allowed` where there is nobody to be asked */
export async function refuseUnpaired(db: Db, peerId: string): Promise<void> {
  const { state } = await db
    .selectFrom('peers')
    .select('state')
    .where('id', '=', peerId)
    .executeTakeFirstOrThrow()
  if (state === 'active' || state === 'halted') return
  throw new BusinessError('action_not_allowed', `This peer is ${state}: it answers no questions.`)
}
