import { createHash, randomBytes } from 'node:crypto'
import { ExpiredError, httpbis } from 'http-message-signatures'
import { BusinessError } from '#domain/errors.ts'
import type { Tx } from './database.ts'
import { findPinnedKey, useNonce, type Signer } from './peer-key.ts'

/** What is signed of every message, besides the times, the nonce and the name of the key. */
const fields = ['@method', '@target-uri', 'content-digest', 'content-type', 'idempotency-key']
const params = ['created', 'expires', 'nonce', 'keyid', 'alg']
const algorithm = 'ed25519'
const lifetimeMs = 300_000
const toleranceS = 300
/**
 * However late a message says that it expires: it is refused before its nonce is forgotten. The library counts from the tolerance
 * before it was made.
 */
const greatestAgeS = 600 + toleranceS

export interface PeerMessage {
  readonly url: string
  readonly body: string
  /** Steady over repetitions of one message; its signature is new each time. */
  readonly key: string
}

/** The headers of a message to a peer: an HTTP message signature (RFC 9421) over what is sent and where to (RFC 9530). */
export async function signMessage(
  signer: Signer,
  { url, body, key }: PeerMessage,
): Promise<Record<string, string>> {
  const headers = {
    'content-type': 'application/json',
    'content-digest': digestOf(Buffer.from(body)),
    'idempotency-key': key,
  }
  const signed = await httpbis.signMessage(
    {
      key: { id: signer.keyId, alg: algorithm, sign: async (data) => signer.sign(data) },
      fields,
      params,
      paramValues: {
        nonce: randomBytes(18).toString('base64url'),
        expires: new Date(Date.now() + lifetimeMs),
      },
    },
    { method: 'POST', url, headers },
  )
  return signed.headers
}

export interface ReceivedMessage {
  readonly peerId: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Uint8Array
  readonly now: string
}

/**
 * Lets a message of a peer pass: its key, its digest, its signature, its time, its nonce, in this order.
 * @throws `peer_signature_refused`, `peer_message_expired`, `peer_message_repeated`
 */
export async function admitMessage(tx: Tx, message: ReceivedMessage): Promise<void> {
  const { headers, peerId, now } = message
  if (headers['content-digest'] !== digestOf(message.bytes)) throw refused()
  let nonce: unknown
  let signatures = 0
  const isRight = await verify(message, async (given) => {
    signatures += 1
    nonce = given.nonce
    const key = await findPinnedKey(tx, { peerId, keyId: String(given.keyid), now })
    if (key === undefined || given.alg !== algorithm) return null
    return { id: key.id, algs: [algorithm], verify: async (data, signature) => key.verify(data, signature) }
  })
  if (isRight !== true || signatures !== 1 || typeof nonce !== 'string' || nonce.length < 16) throw refused()
  if (await useNonce(tx, { peerId, nonce: nonce.slice(0, 100), now })) return
  throw new BusinessError(
    'peer_message_repeated',
    'This message was received before. Sign it anew to send it again.',
  )
}

type KeyLookup = Parameters<typeof httpbis.verifyMessage>[0]['keyLookup']

async function verify({ url, headers }: ReceivedMessage, keyLookup: KeyLookup): Promise<boolean | null> {
  try {
    return await httpbis.verifyMessage(
      {
        keyLookup,
        requiredFields: fields,
        requiredParams: params,
        tolerance: toleranceS,
        maxAge: greatestAgeS,
      },
      { method: 'POST', url, headers },
    )
  } catch (error) {
    if (error instanceof ExpiredError)
      throw new BusinessError(
        'peer_message_expired',
        'This message is of another time. Both clocks must be right within five minutes.',
      )
    throw refused()
  }
}

/** No more is told to who is not known. */
function refused(): BusinessError {
  return new BusinessError('peer_signature_refused', 'This message is not signed by a key of this peer.')
}

function digestOf(bytes: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`
}
