import { httpbis } from 'http-message-signatures'
import { BusinessError } from '#domain/errors.ts'
import type { Db } from './database.ts'
import { findPeerKey, type Signer } from './peer-key.ts'
import { algorithm, digestOf, params, signingBy, toleranceMs } from './peer-signature.ts'

/** What is signed of an answer: what it says, and which question it answers. */
const fields = [
  '"@status"',
  '"content-digest"',
  '"content-type"',
  '"@target-uri";req',
  '"content-digest";req',
  '"idempotency-key";req',
]

/** The question, as it was sent and received. */
export interface AskedMessage {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

export interface AnswerMessage {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Signs an answer to a peer, bound to the question that it answers (RFC 9421, section 2.4). */
export async function signAnswer(
  signer: Signer,
  { body, question }: { body: string; question: AskedMessage },
): Promise<AnswerMessage> {
  const headers = { 'content-type': 'application/json', 'content-digest': digestOf(body) }
  const signed = await httpbis.signMessage(
    signingBy(signer, fields),
    { status: 200, headers },
    requestOf(question),
  )
  return { status: 200, headers: signed.headers, body }
}

/**
 * Whether an answer is the peer's own, and to this question.
 * @throws `peer_signature_refused`
 */
export async function checkAnswer(
  db: Db,
  of: { peerId: string; question: AskedMessage; answer: AnswerMessage; now: string },
): Promise<void> {
  const { answer, question, peerId, now } = of
  const headers = Object.fromEntries(
    Object.entries(answer.headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
  // The library asks for fields by their names only, which does not tell the question's from the answer's.
  const isWhole = headers['signature-input']?.startsWith(`sig=(${fields.join(' ')});`) === true
  if (!isWhole || headers['content-digest'] !== digestOf(answer.body)) throw refused()
  const isRight = await httpbis
    .verifyMessage(
      {
        keyLookup: async (given) => {
          const key = await findPeerKey(db, String(given.keyid), now)
          if (key?.peerId !== peerId || !key.holds || given.alg !== algorithm) return null
          return {
            id: key.id,
            algs: [algorithm],
            verify: async (data, signature) => key.verify(data, signature),
          }
        },
        all: true,
        requiredParams: params,
        tolerance: toleranceMs / 1_000,
      },
      { status: answer.status, headers },
      requestOf(question),
    )
    .catch((error: unknown) => {
      throw refused(error)
    })
  if (isRight !== true) throw refused()
}

function requestOf({ url, headers }: AskedMessage) {
  return { method: 'POST', url, headers: { ...headers } }
}

function refused(cause?: unknown): BusinessError {
  return new BusinessError('peer_signature_refused', 'The answer is not signed by a key of this peer.', {
    cause,
  })
}
