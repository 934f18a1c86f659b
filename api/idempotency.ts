import { createHash } from 'node:crypto'
import type { Db, Tx } from '#db/database.ts'
import {
  abandonKey,
  claimKey,
  findKeptRequest,
  forgetOldKeys,
  keepAnswer,
  releaseKey,
  type KeyedRequest,
} from '#db/idempotency.ts'
import { forgetDeliveries } from '#db/webhook-delivery.ts'
import { BusinessError } from '#domain/errors.ts'
import type { ApiLog } from './dependencies.ts'

export interface Answer {
  readonly status: number
  readonly body: unknown
  /** It was kept from an earlier request with the same key. */
  readonly isReplayed: boolean
}

/** Longer than any command waits for its workflow: a request that runs longer was lost with its process. */
const lostAfterMs = 90_000

/** @throws `idempotency_key_missing`, `idempotency_key_invalid` */
export function readIdempotencyKey(header: string | undefined): string {
  if (header === undefined || header === '') {
    throw new BusinessError(
      'idempotency_key_missing',
      'Send an Idempotency-Key header with every POST and PATCH.',
    )
  }
  if (!/^[\x21-\x7e]{1,255}$/.test(header)) {
    throw new BusinessError(
      'idempotency_key_invalid',
      'The Idempotency-Key has 1 to 255 visible ASCII characters.',
    )
  }
  return header
}

export function keyedRequest(request: Omit<KeyedRequest, 'bodySha256'> & { body: string }): KeyedRequest {
  const { body, ...rest } = request
  return { ...rest, bodySha256: createHash('sha256').update(body).digest('hex') }
}

/**
 * Does the work once, in one transaction with its key and its answer: a failed one leaves no trace, and of many at once
 * one works while the others wait for its answer.
 * @throws `idempotency_key_reused`, `idempotency_key_in_use`, and what the work throws
 */
export async function answerOnce(
  db: Db,
  request: KeyedRequest,
  work: (tx: Tx) => Promise<{ status: number; body: unknown }>,
): Promise<Answer> {
  return await db.transaction().execute(async (tx) => {
    if (!(await claimPatiently(tx, request))) return await replay(tx, request)
    const answer = await work(tx)
    await keepAnswer(tx, request, answer)
    return { ...answer, isReplayed: false }
  })
}

/**
 * The same for work that lies outside the database, a command to a workflow. The key is taken first and given back when the
 * work is refused. Where nobody knows how it ended, the next request with the key takes it over and is told that it
 * repeats: the command carries the key as its own id, so the workflow carries it out once all the same.
 */
export async function commandOnce(
  db: Db,
  request: KeyedRequest,
  work: (isRepeat: boolean) => Promise<{ status: number; body: unknown }>,
): Promise<Answer> {
  const isRepeat = !(await claimPatiently(db, request))
  if (isRepeat) {
    const kept = await findMatching(db, request)
    const isLost = kept.status === null && Date.now() - Date.parse(kept.createdAt) > lostAfterMs
    if (!isLost) return toAnswer(kept)
  }
  try {
    const answer = await work(isRepeat)
    await keepAnswer(db, request, answer)
    return { ...answer, isReplayed: false }
  } catch (error) {
    await (isRefusal(error) ? releaseKey(db, request) : abandonKey(db, request))
    throw error
  }
}

/** A refusal changed nothing. After anything else the command may have taken effect. */
function isRefusal(error: unknown): boolean {
  return error instanceof BusinessError && error.code !== 'temporal_unreachable'
}

async function claimPatiently(db: Db, request: KeyedRequest): Promise<boolean> {
  try {
    return await claimKey(db, request)
  } catch (error) {
    if (isLockTimeout(error)) throw stillRunning(error)
    throw error
  }
}

async function replay(db: Db, request: KeyedRequest): Promise<Answer> {
  return toAnswer(await findMatching(db, request))
}

type Kept = NonNullable<Awaited<ReturnType<typeof findKeptRequest>>>

async function findMatching(db: Db, request: KeyedRequest): Promise<Kept> {
  const kept = await findKeptRequest(db, request)
  // Given back between our try and our look: the other one was refused.
  if (!kept) throw stillRunning()
  const isSame =
    kept.method === request.method && kept.path === request.path && kept.bodySha256 === request.bodySha256
  if (!isSame) {
    throw new BusinessError(
      'idempotency_key_reused',
      'This Idempotency-Key was sent before with another address or body. Use a fresh key.',
    )
  }
  return kept
}

function toAnswer(kept: Kept): Answer {
  if (kept.status === null) throw stillRunning()
  return { status: kept.status, body: kept.response, isReplayed: true }
}

function stillRunning(cause?: unknown): BusinessError {
  return new BusinessError(
    'idempotency_key_in_use',
    'A request with this Idempotency-Key is still running. Send it again in a moment.',
    { cause },
  )
}

/** PostgreSQL's lock_not_available. */
function isLockTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '55P03'
}

const keptDays = 7
const forgetEveryMs = 60 * 60_000

/** Forgets answers that are older than a week, now and then; gives the way to stop. */
export function runForgetting(db: Db, log: ApiLog): () => void {
  const forget = () => {
    const now = Temporal.Now.instant()
    const before = now.subtract({ hours: keptDays * 24 })
    const work = Promise.all([forgetOldKeys(db, before.toString()), forgetDeliveries(db, now.toString())])
    work.catch((error: unknown) => log.warn({ err: error }, 'what is old could not be forgotten'))
  }
  const timer = setInterval(forget, forgetEveryMs)
  return () => clearInterval(timer)
}
