import { z } from 'zod'
import { mostAbove, readAboveFor } from '#db/peer-level.ts'
import { pairPeer, readAcceptedPeer } from '#db/peer-pairing.ts'
import { haltPeer } from '#db/peer.ts'
import { getInstallation } from '#db/read/installation.ts'
import { noteUnanswered } from '#db/peer-silence.ts'
import { openPeerTask } from '#db/peer-task.ts'
import { BusinessError, messageOf } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { firstUnderstanding, ownUnderstanding, peerPaths } from '#domain/peer-message.ts'
import type { DatabaseDependencies } from './dependencies.ts'
import { understandingSchema } from './peer-envelope.ts'
import { peerRule, postToPeer } from './peer-post.ts'
import { createPeerTurn, type Turn } from './peer-turn.ts'

/** A turn, and where people look at its peer; turns of older histories do not say. */
export interface SeenTurn extends Turn {
  readonly consoleUrl?: string
}

/** Speaks to other installations: invitations are redeemed, and what waits is sent. What is asked of them is in `peer-question.ts`. */
export function createPeerActivities(deps: DatabaseDependencies) {
  const { db, installationKey, consoleUrl } = deps
  const rule = peerRule(deps)
  const sendTurn = createPeerTurn(deps)
  return {
    /** Has an invitation that was accepted here redeemed over there. Done before, or closed meanwhile, it does nothing. */
    async redeemInvitation(input: { peerId: string }): Promise<void> {
      const peerId = decodeId('peer', input.peerId)
      try {
        await redeem(peerId)
      } catch (error) {
        await tellOfFailure(peerId, error)
        throw error
      }
    },

    /** Sends what waits for a peer, in order. Named when there was nothing but documents. */
    async sendPeerDocuments(input: { peerId: string }): Promise<SeenTurn> {
      return { ...(await sendTurn(decodeId('peer', input.peerId))), consoleUrl }
    },

    /**
     * Nothing goes on with a peer that answered what cannot be; a person settles it. One that was halted before this was called may be
     * settled by now, and stays as it is.
     */
    async haltPeer(input: { peerId: string; code: string; detail: string }): Promise<void> {
      if (input.code === 'peer_halted') return
      const peerId = decodeId('peer', input.peerId)
      const reason = `${input.code}: ${input.detail}`
      await db
        .transaction()
        .execute(async (tx) =>
          haltPeer(tx, peerId, { subject: 'Messages are not sent to a peer any more', reason }),
        )
    },
  }

  async function redeem(peerId: string): Promise<void> {
    const peer = await readAcceptedPeer(db, installationKey, peerId)
    if (peer.code === null) return
    const { id, sellerName: name } = await getInstallation(db)
    const body = {
      peer: encodeId('peer', peer.otherPeerId),
      own_peer: encodeId('peer', peerId),
      code: peer.code,
      installation: encodeId('installation', id),
      name,
      url: consoleUrl,
      public_key: peer.publicKey.toString('base64url'),
      currency: peer.currency,
      customer: peer.customer,
      understands: ownUnderstanding,
      above: await readAboveFor(db, peerId),
    }
    const other = pairingSchema.parse(
      await postToPeer(rule, {
        url: `${peer.url}${peerPaths.redemption}`,
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
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
          customer: other.customer ?? null,
          understands: other.understands ?? firstUnderstanding,
          above: other.above ?? [],
        },
        now,
      ),
    )
  }

  /** Refused, an invitation is worth nothing any more: an operator closes the peer and accepts another one. All else is tried again. */
  async function tellOfFailure(peerId: string, error: unknown): Promise<void> {
    if (!(error instanceof BusinessError)) {
      await noteUnanswered(
        db,
        peerId,
        `${messageOf(error).replace(/\.?$/, '.')} It is tried again by itself.`,
      )
      return
    }
    const isThere = error.code === 'peer_refuses'
    const where = isThere ? 'the peer' : 'the peer here and over there'
    const detail = `${error.message} Close ${where}, and accept another invitation.`
    await noteUnanswered(db, peerId, detail)
    await openPeerTask(db, peerId, {
      kind: 'peer_halted',
      subject: `An invitation that was accepted here is refused ${isThere ? 'over there' : 'here'}`,
      detail,
    })
  }
}

const nameField = (longest: number) =>
  z
    .string()
    .max(longest)
    .regex(/^[^\p{Cc}\p{Cs}]+$/u, 'is no name')

const pairingSchema = z.object({
  installation: z.string(),
  name: nameField(200),
  public_key: z.string().length(43),
  currency: z.string().regex(/^[A-Z]{3}$/),
  customer: nameField(60).nullish(),
  understands: understandingSchema.optional(),
  above: z.array(z.string().length(43)).max(mostAbove).optional(),
})
