import type { z } from '@hono/zod-openapi'
import type { Tx } from '#db/database.ts'
import { findPeerKey, type PeerKey } from '#db/peer-key.ts'
import { endRefusals, noteRefusal } from '#db/peer-refusal.ts'
import { admitMessage, readKeyId } from '#db/peer-signature.ts'
import { getInstallation } from '#db/read/installation.ts'
import { assert } from '#domain/assert.ts'
import { BusinessError, type ErrorCode } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { largestDocumentBytes, peerVersion } from '#domain/peer-message.ts'
import { parseJson, readBytes } from './body.ts'
import type { ApiContext, Frame } from './frame.ts'
import { envelopeHeadSchema } from './peer-envelope.ts'
import { parse } from './validation.ts'

/** The largest document alone, or many that are smaller. */
const largestMessageBytes = largestDocumentBytes + 1024 * 1024

/** Before the body is read and its signature checked, which costs more than a look at its key: of each peer, and of all who are none together. */
const requestPace = { name: 'peer_requests', perSecond: 50, burst: 100 }
const strangersPace = { name: 'peer_strangers', perSecond: 10, burst: 30 }
const usualMessagesPerSecond = 500
/** As many as one request brings. */
const smallestBurst = 100

/** @throws `too_many_requests` */
export function paceMessages(frame: Frame, ctx: ApiContext, of: { peerId: string; count: number }): void {
  const perSecond = frame.deps.peerMessagesPerSecond ?? usualMessagesPerSecond
  const pace = { name: 'peer_messages', perSecond, burst: Math.max(smallestBurst, 2 * perSecond) }
  frame.keepPace(ctx, pace, { who: of.peerId, cost: of.count })
}

/** A message that is known to be the peer's, meant for us, and in a version that is understood. */
export interface AdmittedMessage {
  readonly tx: Tx
  readonly peerId: string
  /** As it was signed. */
  readonly text: string
  /** All that it says; what is not of its head is not read yet. */
  readonly head: z.output<typeof envelopeHeadSchema>
  readonly now: string
}

/** What a message of a peer is refused with before its kind matters, in the order of the checks. */
export const admissionRefusals = [
  'too_many_requests',
  'body_too_large',
  'peer_signature_refused',
  'peer_message_expired',
  'peer_message_repeated',
  'json_malformed',
  'field_invalid',
  'field_required',
  'peer_audience_wrong',
  'peer_version_unknown',
] as const satisfies readonly ErrorCode[]

/**
 * Lets a message of a peer in, whose signature is its login, and carries it out in one transaction. The checks, in this order: its
 * key, which is of one peer, the pace of that one, its size, its digest, its signature, its time, its nonce, whom it is meant for, its
 * version; then those of what it says. The first that fails is counted, and nothing else is changed.
 */
export async function admitPeer<Result>(
  ctx: ApiContext,
  frame: Frame,
  carryOut: (message: AdmittedMessage) => Promise<Result>,
): Promise<Result> {
  const { db, now: present, publicUrl } = frame.deps
  const now = present()
  const headers = Object.fromEntries(ctx.req.raw.headers)
  const keyId = readKeyId(headers)
  const key = keyId === undefined ? undefined : await findPeerKey(db, keyId, now)
  if (key === undefined) frame.keepPace(ctx, strangersPace, { who: 'anybody' })
  else frame.keepPace(ctx, requestPace, { who: key.peerId })
  let bytes: Uint8Array = Buffer.of()
  try {
    bytes = await readBytes(ctx.req.raw, largestMessageBytes)
    const received = { method: 'POST', url: `${publicUrl}${ctx.req.path}`, headers, bytes, now }
    return await db.transaction().execute(async (tx) => {
      await admitMessage(tx, key, received)
      assert(key, 'who is admitted has a key')
      const message = await readMessage(tx, key.peerId, { bytes, now })
      await endRefusals(tx, { peerId: key.peerId, now })
      return await carryOut(message)
    })
  } catch (error) {
    if (error instanceof BusinessError) await note(frame, { key, bytes, error, now })
    // By which the other side sees how far the two clocks are apart.
    ctx.header('Date', new Date(now).toUTCString())
    throw error
  }
}

async function readMessage(
  tx: Tx,
  peerId: string,
  { bytes, now }: { bytes: Uint8Array; now: string },
): Promise<AdmittedMessage> {
  const { text, value } = parseJson(bytes)
  const head = parse(envelopeHeadSchema, value, 'body')
  const { version, peer, audience } = head
  // It is told no more than who is signed for nobody: whether there is such a peer is nobody's to know.
  if (peer !== encodeId('peer', peerId))
    throw new BusinessError('peer_signature_refused', 'This message is not signed by a key of this peer.')
  const { id } = await getInstallation(tx)
  if (audience !== encodeId('installation', id))
    throw new BusinessError('peer_audience_wrong', 'This message is meant for another installation.')
  if (version > peerVersion)
    throw new BusinessError(
      'peer_version_unknown',
      `Messages of version ${version} are not understood here yet: up to ${peerVersion} are.`,
    )
  return { tx, peerId, text, head, now }
}

/** They have a task of their own, or are nothing that anybody has to do something about. */
const notCounted: ReadonlySet<ErrorCode> = new Set([
  'not_found',
  'peer_halted',
  'peer_sequence_gap',
  'too_many_requests',
])

async function note(
  { deps }: Frame,
  of: { key: PeerKey | undefined; bytes: Uint8Array; error: BusinessError; now: string },
): Promise<void> {
  if (notCounted.has(of.error.code)) return
  const peerId = of.key?.peerId ?? claimedPeer(of.bytes)
  await noteRefusal(deps.db, { peerId, error: of.error, now: of.now })
}

const claimWithinBytes = 1_000
const claimForm = /"peer": ?"(?<peer>peer_[0-9a-z]+)"/

/**
 * For whom a message says that it speaks, whom nobody believes; null where it does not begin with that. The rest is not read: anybody can
 * send megabytes.
 */
function claimedPeer(bytes: Uint8Array): string | null {
  const beginning = Buffer.from(bytes.subarray(0, claimWithinBytes)).toString('latin1')
  const { peer = '' } = claimForm.exec(beginning)?.groups ?? {}
  try {
    return decodeId('peer', peer)
  } catch (error) {
    if (error instanceof BusinessError) return null
    throw error
  }
}
