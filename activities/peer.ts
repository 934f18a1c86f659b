import { ApplicationFailure, Context } from '@temporalio/activity'
import { z } from 'zod'
import { fallAsleep, noteDelivered, noteUnderstanding } from '#db/peer-queue.ts'
import { endSilence, noteSilence } from '#db/peer-silence.ts'
import { readWaitingMessages, type WaitingMessage } from '#db/peer-outgoing.ts'
import { endRefusals } from '#db/peer-refusal.ts'
import { openNextSigner, openSigner, type Signer } from '#db/peer-key.ts'
import { mostAbove, readAboveFor } from '#db/peer-level.ts'
import { signMessage, type PeerMessage } from '#db/peer-signature.ts'
import { pairPeer, readAcceptedPeer } from '#db/peer-pairing.ts'
import { haltPeer, readPeerStanding, type PeerStanding } from '#db/peer.ts'
import { getInstallation } from '#db/read/installation.ts'
import { openTask } from '#db/task.ts'
import { BusinessError, messageOf } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { firstUnderstanding, ownUnderstanding, peerAbilities, peerPaths } from '#domain/peer-message.ts'
import { adviseOn } from '#domain/peer-refusal.ts'
import type { DatabaseDependencies } from './dependencies.ts'
import { layOutFiles } from './peer-files.ts'
import { createPeerRecall } from './peer-recall.ts'
import { readReception, understandingSchema, writeEnvelope } from './peer-envelope.ts'
import { PassingRefusal, peerRule, postToPeer } from './peer-post.ts'

const messagesAtOnce = 100
/** Then the workflow is told how far it is, and goes on. */
const longestTurnMs = 60_000
/** Waited for within a turn. */
const shortWaitMs = 1_000

/** What one turn of sending came to. */
export interface Turn {
  readonly sent: number
  /** Nothing waits any more; the next message tells its workflow. */
  readonly isEmpty: boolean
}

/** Speaks to other installations: everything that goes out to them goes through here. */
export function createPeerActivities(deps: DatabaseDependencies) {
  const { db, installationKey, consoleUrl } = deps
  const rule = peerRule(deps)
  const recall = createPeerRecall(deps)
  return {
    /** Has an invitation that was accepted here redeemed over there. Done before, or closed meanwhile, it does nothing. */
    async redeemInvitation(input: { peerId: string }): Promise<void> {
      const peerId = decodeId('peer', input.peerId)
      const peer = await readAcceptedPeer(db, installationKey, peerId)
      if (peer.code === null) return
      const { id, sellerName: name } = await getInstallation(db)
      const body = {
        peer: encodeId('peer', peer.otherPeerId),
        own_peer: input.peerId,
        code: peer.code,
        installation: encodeId('installation', id),
        name,
        url: consoleUrl,
        public_key: peer.publicKey.toString('base64url'),
        currency: peer.currency,
        understands: ownUnderstanding,
        above: await readAboveFor(db, peerId),
      }
      const other = pairingSchema.parse(
        await tellOfRefusal(peerId, async () =>
          postToPeer(rule, {
            url: `${peer.url}${peerPaths.redemption}`,
            body: JSON.stringify(body),
            headers: { 'content-type': 'application/json' },
          }),
        ),
      )
      const now = new Date().toISOString()
      await db.transaction().execute(async (tx) =>
        pairPeer(
          tx,
          peerId,
          {
            installationId: decodeId('installation', other.installation),
            otherPeerId: peer.otherPeerId,
            name: other.name,
            url: peer.url,
            publicKey: Buffer.from(other.public_key, 'base64url'),
            currency: other.currency,
            understands: other.understands ?? firstUnderstanding,
            above: other.above ?? [],
          },
          now,
        ),
      )
    },

    /**
     * Sends what waits for a peer, in order, a hundred at a time, which are one transaction over there. What was taken and
     * whose answer was lost is answered the same way when it comes again. Named when there was nothing but documents.
     */
    async sendPeerDocuments(input: { peerId: string }): Promise<Turn> {
      const peerId = decodeId('peer', input.peerId)
      const endMs = Date.now() + longestTurnMs
      let sent = 0
      while (Date.now() < endMs) {
        const peer = await readPeerStanding(db, peerId)
        const waiting = await readWaitingMessages(db, peerId, messagesAtOnce)
        // What nobody waits for comes after all that was finalized.
        if (waiting.length === 0 && (await layOutFiles(db, peerId)) > 0) continue
        if (waiting.length === 0 && (await fallAsleep(db, peerId))) {
          await endRefusals(db, { peerId, now: new Date().toISOString() })
          return { sent, isEmpty: true }
        }
        try {
          if (
            waiting.length > 0 &&
            !(await sendOrTell(input.peerId, peerId, { peer, waiting, isFirst: sent === 0 }))
          )
            continue
        } catch (error) {
          // The turn that got somewhere is over; the next one tries at once, not as late as one that never did; but when the
          // other side has said when to come again.
          const isWaitedFor = error instanceof BusinessError || error instanceof ApplicationFailure
          if (sent > 0 && !isWaitedFor) return { sent, isEmpty: false }
          throw error
        }
        sent += waiting.length
        Context.current().heartbeat(`${sent} sent`)
      }
      return { sent, isEmpty: false }
    },

    /** Nothing goes on with a peer that answered what cannot be; a person settles it. */
    async haltPeer(input: { peerId: string; code: string; detail: string }): Promise<void> {
      const peerId = decodeId('peer', input.peerId)
      const reason = `${input.code}: ${input.detail}`
      await db
        .transaction()
        .execute(async (tx) =>
          haltPeer(tx, peerId, { subject: 'Messages are not sent to a peer any more', reason }),
        )
    },
  }

  /** Refused, an invitation is worth nothing any more: an operator closes the peer and accepts another one. */
  async function tellOfRefusal<T>(peerId: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      if (error instanceof BusinessError)
        await openTask(db, {
          kind: 'peer_halted',
          subjectKind: 'peer',
          subjectId: peerId,
          subject: 'An invitation that was accepted here is refused over there',
          detail: `${error.message} Close the peer, and accept another invitation.`,
        })
      throw error
    }
  }

  /** @returns whether it was sent; not where the other side has lost what goes before it */
  async function sendOrTell(
    publicId: string,
    peerId: string,
    { isFirst, ...of }: { peer: PeerStanding; waiting: readonly WaitingMessage[]; isFirst: boolean },
  ): Promise<boolean> {
    try {
      if (isFirst && (await isBehind(peerId, of.peer))) return false
      await send(publicId, peerId, of)
      return true
    } catch (error) {
      if (error instanceof BusinessError) throw error
      // What the activity fails with says in Temporal's UI what waits, since when and why.
      const now = new Date().toISOString()
      const passing = error instanceof PassingRefusal ? error : undefined
      const advice = passing && adviseOn(passing.refusal, now)
      const said = await noteSilence(db, { peerId, cause: messageOf(error), advice, now })
      if (passing?.retryAfterMs === undefined) throw new Error(said, { cause: error })
      throw ApplicationFailure.create({ message: said, nextRetryDelay: passing.retryAfterMs })
    }
  }

  /**
   * Signed anew each time. A pace that is over in a moment is waited for here, which costs less than another turn. The key that was told
   * may have been taken, its answer lost, and the one before it be over by now.
   */
  async function postSigned(peerId: string, message: PeerMessage): Promise<unknown> {
    const post = async (signer: Signer) =>
      await postToPeer(rule, {
        url: message.url,
        body: message.body,
        headers: await signMessage(signer, message),
      })
    const signer = await openSigner(db, installationKey, peerId)
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

  /**
   * Numbers that went back, here or there, are noticed before any of them goes out again. Who is of version 1 knows none, and not every
   * supplier answers its customers.
   */
  async function isBehind(
    peerId: string,
    { role, state, otherVersion, otherKinds }: PeerStanding,
  ): Promise<boolean> {
    if (state !== 'active' || otherVersion === 1) return false
    if (role === 'supplier' && !otherKinds.includes(peerAbilities.again)) return false
    try {
      return await recall.recallPeer(peerId)
    } catch (error) {
      // What else stands in the way of a question stands in the way of what is sent next, and is told with all that is known of it.
      if (error instanceof BusinessError && error.code === 'peer_document_conflict') throw error
      // Told to wait, we send nothing meanwhile either.
      if (error instanceof PassingRefusal && error.retryAfterMs !== undefined) throw error
      return false
    }
  }

  async function send(
    publicId: string,
    peerId: string,
    { peer, waiting }: { peer: PeerStanding; waiting: readonly WaitingMessage[] },
  ): Promise<void> {
    const { state, haltedReason } = await readPeerStanding(db, peerId)
    if (state !== 'active') throw new BusinessError('peer_halted', haltedReason ?? `The peer is ${state}.`)
    const { path, body } = writeEnvelope(peer, waiting)
    const url = `${peer.url}${path}`
    const [first] = waiting
    const message = { url, body, key: `${publicId}/${first?.sequence ?? 0}` }
    const answer = readReception(await postSigned(peerId, message), waiting)
    const now = new Date().toISOString()
    await noteDelivered(db, peerId, { ...answer, now })
    const { understands } = answer
    if (understands !== undefined)
      await db.transaction().execute(async (tx) => noteUnderstanding(tx, peerId, { ...understands, now }))
    if (peer.isSilent) await endSilence(db, peerId)
    const { refused } = answer
    if (refused)
      throw new BusinessError(
        'peer_document_conflict',
        `The other side has another content of message ${refused.sequence}, a ${refused.kind}, and takes neither this nor what follows.`,
      )
  }
}

const pairingSchema = z.object({
  installation: z.string(),
  name: z.string().min(1).max(200),
  public_key: z.string().length(43),
  currency: z.string().regex(/^[A-Z]{3}$/),
  understands: understandingSchema.optional(),
  above: z.array(z.string().length(43)).max(mostAbove).optional(),
})
