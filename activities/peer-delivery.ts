import { Context } from '@temporalio/activity'
import { openNextSigner, openSigner, type Signer } from '#db/peer-key.ts'
import type { WaitingMessage } from '#db/peer-outgoing.ts'
import { noteDelivered } from '#db/peer-queue.ts'
import { signMessage, type PeerMessage } from '#db/peer-signature.ts'
import { endSilence } from '#db/peer-silence.ts'
import { isKnown, noteUnderstanding } from '#db/peer-understanding.ts'
import { readPeerStanding } from '#db/peer.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { PeerDependencies } from './dependencies.ts'
import { readReception, writeEnvelope } from './peer-envelope.ts'
import { PassingRefusal, peerRule, postToPeer } from './peer-post.ts'

/** Waited for within a turn. */
const shortWaitMs = 1_000

export interface Delivering {
  readonly peerId: string
  readonly waiting: readonly WaitingMessage[]
  /** The last number that was taken over there, known before it was read what waits. */
  readonly taken: number
}

export interface Delivered {
  /** The other side says that it understands something else than before. */
  readonly isChanged: boolean
  /**
   * Until it is known here what was taken. What follows may go out before that: if it is lost, what was taken is sent again. It is
   * heard of by who waits for it only.
   */
  readonly noted: Promise<void>
}

/**
 * Posts what is sent at once, which is one transaction over there, and notes what was taken. What was taken and whose answer was lost is
 * answered the same way when it comes again.
 * @throws `peer_halted`, `peer_refuses`, `peer_document_conflict`; anything else is tried again
 */
export function createPeerDelivery(deps: PeerDependencies): (of: Delivering) => Promise<Delivered> {
  const { db, installationKey } = deps
  const rule = peerRule(deps)
  return async ({ peerId, waiting, taken }) => {
    const opening = openSigner(db, installationKey, peerId)
    // A peer that was closed has none: that it is closed is what is told.
    opening.catch(() => undefined)
    const peer = await readPeerStanding(db, peerId)
    if (peer.state !== 'active')
      throw new BusinessError('peer_halted', peer.haltedReason ?? `The peer is ${peer.state}.`)
    const signer = await opening
    const { path, body } = writeEnvelope(peer, waiting, taken)
    const key = `${encodeId('peer', peerId)}/${waiting[0]?.sequence ?? 0}`
    const answered = await postSigned(peerId, signer, { url: `${peer.url}${path}`, body, key })
    const answer = readReception(answered, waiting)
    const now = new Date().toISOString()
    const noted = noteDelivered(db, peerId, { ...answer, now })
    noted.catch(() => undefined)
    // What follows is signed by it.
    if (answer.messages.some(({ kind }) => kind === 'key')) await noted
    const { understands, refused } = answer
    const isChanged = understands !== undefined && !isKnown(peer, understands)
    if (isChanged)
      await db.transaction().execute(async (tx) => noteUnderstanding(tx, peerId, { ...understands, now }))
    if (peer.isSilent) await endSilence(db, peerId)
    if (!refused) return { isChanged, noted }
    await noted
    throw new BusinessError(
      'peer_document_conflict',
      `The other side has another content of message ${refused.sequence}, a ${refused.kind}, and takes neither this nor what follows.`,
    )
  }

  /**
   * Signed anew each time. A pace that is over in a moment is waited for here, which costs less than another turn. The key that was told
   * may have been taken, its answer lost, and the one before it be over by now.
   */
  async function postSigned(peerId: string, signer: Signer, message: PeerMessage): Promise<unknown> {
    const post = async (by: Signer) =>
      await postToPeer(rule, {
        url: message.url,
        body: message.body,
        headers: await signMessage(by, message),
      })
    try {
      return await post(signer)
    } catch (error) {
      if (!(error instanceof PassingRefusal)) throw error
      const { refusal, retryAfterMs } = error
      if (retryAfterMs !== undefined && retryAfterMs <= shortWaitMs) {
        await Context.current().sleep(retryAfterMs)
        Context.current().heartbeat('keeps the pace of the other side')
        return await post(signer)
      }
      const next =
        refusal.code === 'peer_signature_refused'
          ? await openNextSigner(db, installationKey, peerId)
          : undefined
      if (next === undefined) throw error
      return await post(next)
    }
  }
}
