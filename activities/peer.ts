import { Context } from '@temporalio/activity'
import { z } from 'zod'
import { fallAsleep, noteDelivered, noteUnderstanding } from '#db/peer-queue.ts'
import { endSilence, noteSilence } from '#db/peer-silence.ts'
import { readWaitingMessages, type WaitingMessage } from '#db/peer-outgoing.ts'
import { openSigner } from '#db/peer-key.ts'
import { signMessage } from '#db/peer-signature.ts'
import { pairPeer, readAcceptedPeer } from '#db/peer-pairing.ts'
import { haltPeer, readPeerStanding } from '#db/peer.ts'
import { getInstallation } from '#db/read/installation.ts'
import { openTask } from '#db/task.ts'
import { BusinessError, messageOf, type ErrorCode } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { OutboundRule } from '#domain/outbound-address.ts'
import { isLoopbackUrl } from '#domain/peer.ts'
import { firstUnderstanding, ownUnderstanding, peerPaths } from '#domain/peer-message.ts'
import type { DatabaseDependencies } from './dependencies.ts'
import { postOutbound } from './outbound.ts'
import { readReception, understandingSchema, writeEnvelope } from './peer-envelope.ts'

const answerWithinMs = 30_000
const messagesAtOnce = 100
/** Then the workflow is told how far it is, and goes on. */
const longestTurnMs = 60_000

/** What one turn of sending came to. */
export interface Turn {
  readonly sent: number
  /** Nothing waits any more; the next message tells its workflow. */
  readonly isEmpty: boolean
}

/** Speaks to other installations: everything that goes out to them goes through here. */
export function createPeerActivities({
  db,
  installationKey,
  consoleUrl,
  peerRanges: allowed = [],
  peerPorts: ports = [],
}: DatabaseDependencies) {
  const rule = { isOnLoopback: isLoopbackUrl(consoleUrl), allowed, ports }
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
      }
      const other = pairingSchema.parse(
        await tellOfRefusal(peerId, async () =>
          post(rule, {
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
        const waiting = await readWaitingMessages(db, peerId, messagesAtOnce)
        if (waiting.length === 0 && (await fallAsleep(db, peerId))) {
          return { sent, isEmpty: true }
        }
        try {
          if (waiting.length > 0) await sendOrTell(input.peerId, peerId, waiting)
        } catch (error) {
          // The turn that got somewhere is over; the next one tries at once, not as late as one that never did.
          if (sent > 0) return { sent, isEmpty: false }
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

  async function sendOrTell(publicId: string, peerId: string, waiting: readonly WaitingMessage[]) {
    try {
      await send(publicId, peerId, waiting)
    } catch (error) {
      if (error instanceof BusinessError) throw error
      // What the activity fails with says in Temporal's UI what waits, since when and why.
      const now = new Date().toISOString()
      throw new Error(await noteSilence(db, { peerId, cause: messageOf(error), now }), { cause: error })
    }
  }

  async function send(publicId: string, peerId: string, waiting: readonly WaitingMessage[]): Promise<void> {
    const peer = await readPeerStanding(db, peerId)
    if (peer.state !== 'active')
      throw new BusinessError('peer_halted', peer.haltedReason ?? `The peer is ${peer.state}.`)
    const { path, body } = writeEnvelope(peer, waiting)
    const url = `${peer.url}${path}`
    const [first] = waiting
    const signer = await openSigner(db, installationKey, peerId)
    const headers = await signMessage(signer, { url, body, key: `${publicId}/${first?.sequence ?? 0}` })
    const answer = readReception(await post(rule, { url, body, headers }), waiting)
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
})

const largestAnswerBytes = 256 * 1024

/**
 * Refusals that are over by themselves: what is missing over there is on its way, somebody between the two has sent it twice, which signed
 * anew it is not, or a clock will be right again.
 */
const passing: ReadonlySet<string> = new Set<ErrorCode>([
  'peer_message_expired',
  'peer_message_repeated',
  'peer_sequence_gap',
])

/** Refusals of the other side that will not change by themselves end the activity; everything else is tried again. */
async function post(
  rule: OutboundRule,
  call: { url: string; body: string; headers: Record<string, string> },
): Promise<unknown> {
  const { status, text } = await postOutbound(call, {
    rule,
    abortSignal: AbortSignal.any([AbortSignal.timeout(answerWithinMs), Context.current().cancellationSignal]),
    largestAnswerBytes,
  })
  if (status >= 200 && status < 300) return JSON.parse(text)
  const problem = problemSchema.safeParse(parseOr(text))
  const said = problem.success ? `${problem.data.code}: ${problem.data.detail}` : `answers ${status}`
  if (status < 400 || status >= 500 || status === 429 || !problem.success || passing.has(problem.data.code))
    throw new Error(`${call.url} ${said}`)
  throw new BusinessError('peer_refuses', `The other side refuses. ${said}`)
}

const problemSchema = z.object({ code: z.string().max(100), detail: z.string().max(1_000) })

function parseOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
