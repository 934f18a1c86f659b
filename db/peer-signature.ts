import { createHash, randomBytes } from 'node:crypto'
import { httpbis, type SignConfig } from 'http-message-signatures'
import { BusinessError } from '#domain/errors.ts'
import type { Tx } from './database.ts'
import { isSignedBy, readSignature, type MessageSignature, type SignedMessage } from './message-signature.ts'
import { useNonce, type PeerKey, type Signer } from './peer-key.ts'

/** What is signed of every message, besides the times, the nonce and the name of the key. */
const fields = ['@method', '@target-uri', 'content-digest', 'content-type', 'idempotency-key']
/** By what a message and an answer to one are signed. */
export const params = ['created', 'expires', 'nonce', 'keyid', 'alg']
export const algorithm = 'ed25519'
const lifetimeMs = 300_000
/** How far two clocks may be apart. */
export const toleranceMs = 300_000
/** However late a message says that it expires: it is refused before its nonce is forgotten. */
const greatestAgeMs = 600_000

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
    'content-digest': digestOf(body),
    'idempotency-key': key,
  }
  const signed = await httpbis.signMessage(signingBy(signer, fields), { method: 'POST', url, headers })
  return signed.headers
}

/** How these fields are signed by a key, from now on for as long as a message holds. */
export function signingBy(signer: Signer, signed: readonly string[]): SignConfig {
  return {
    key: { id: signer.keyId, alg: algorithm, sign: async (data) => signer.sign(data) },
    fields: [...signed],
    params,
    paramValues: {
      nonce: randomBytes(18).toString('base64url'),
      expires: new Date(Date.now() + lifetimeMs),
    },
  }
}

/** By which key a message says that it is signed; undefined where it carries no signature in our form. */
export function readKeyId(headers: SignedMessage['headers']): string | undefined {
  const keyId = readSignature(headers)?.params.get('keyid')
  return typeof keyId === 'string' ? keyId : undefined
}

export interface ReceivedMessage extends SignedMessage {
  readonly bytes: Uint8Array
  /** What time it is here. */
  readonly now: string
}

/**
 * Lets a message pass that is signed by this key: its digest, its signature, its time, its nonce, in this order.
 * @param key that the message names; undefined where nobody who is known has it
 * @throws `peer_signature_refused`, `peer_message_expired`, `peer_message_repeated`
 */
export async function admitMessage(
  tx: Tx,
  key: PeerKey | undefined,
  message: ReceivedMessage,
): Promise<void> {
  const { headers, bytes, now } = message
  const signature = readSignature(headers)
  if (key === undefined || !key.holds || signature === undefined || !isComplete(signature)) throw refused()
  if (headers['content-digest'] !== digestOf(bytes)) throw refused()
  if (!(await isSignedBy(message, key))) throw refused()
  refuseOtherTime(signature, now)
  const nonce = String(signature.params.get('nonce'))
  if (await useNonce(tx, { peerId: key.peerId, nonce, now })) return
  throw new BusinessError(
    'peer_message_repeated',
    'This message was received before. Sign it anew to send it again.',
  )
}

function isComplete({ fields: signed, params: said }: MessageSignature): boolean {
  const nonce = said.get('nonce')
  return (
    fields.every((field) => signed.has(field)) &&
    params.every((param) => said.has(param)) &&
    said.get('alg') === algorithm &&
    typeof nonce === 'string' &&
    nonce.length >= 16 &&
    nonce.length <= 100
  )
}

function refuseOtherTime({ params: said }: MessageSignature, now: string): void {
  const nowMs = Date.parse(now)
  const [createdMs, expiresMs] = ['created', 'expires'].map((name) => Number(said.get(name)) * 1_000)
  const age = nowMs - (createdMs ?? Number.NaN)
  const isOfNow =
    age >= -toleranceMs && age <= greatestAgeMs && nowMs <= (expiresMs ?? Number.NaN) + toleranceMs
  if (isOfNow) return
  throw new BusinessError(
    'peer_message_expired',
    `This message is of another time: it is ${now} here. Both clocks must be right within five minutes.`,
  )
}

/** No more is told to who is not known. */
function refused(): BusinessError {
  return new BusinessError('peer_signature_refused', 'This message is not signed by a key of this peer.')
}

/** The value of `content-digest` (RFC 9530). */
export function digestOf(bytes: Uint8Array | string): string {
  return `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`
}
