import { Context } from '@temporalio/activity'
import { z } from 'zod'
import {
  fallAsleep,
  noteDelivered,
  readBacklog,
  readWaitingDocuments,
  type Backlog,
  type WaitingDocument,
} from '#db/peer-document.ts'
import { openSigner } from '#db/peer-key.ts'
import { signMessage } from '#db/peer-signature.ts'
import { pairPeer, readAcceptedPeer } from '#db/peer-pairing.ts'
import { haltPeer, readPeerStanding } from '#db/peer.ts'
import { getInstallation } from '#db/read/installation.ts'
import { closeTasks, openTask } from '#db/task.ts'
import { BusinessError, messageOf } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import type { OutboundRule } from '#domain/outbound-address.ts'
import { isLoopbackUrl } from '#domain/peer.ts'
import { peerPaths, peerVersion } from '#domain/peer-message.ts'
import type { DatabaseDependencies } from './dependencies.ts'
import { postOutbound } from './outbound.ts'

const answerWithinMs = 30_000
const documentsPerMessage = 100
/** Then the workflow is told how far it is, and goes on. */
const longestTurnMs = 60_000
/** An operator is told of documents that wait longer. */
const patienceMs = 60 * 60_000

/** What one turn of sending came to. */
export interface Turn {
  readonly sent: number
  /** Nothing waits any more; the next document tells its workflow. */
  readonly isEmpty: boolean
}

/** Speaks to other installations: everything that goes out to them goes through here. */
export function createPeerActivities({
  db,
  installationKey,
  consoleUrl,
  peerRanges: allowed = [],
}: DatabaseDependencies) {
  const rule = { isOnLoopback: isLoopbackUrl(consoleUrl), allowed }
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
          },
          now,
        ),
      )
    },

    /**
     * Sends what waits for a peer, in order, a hundred at a time; each message is one transaction over there. What was taken and
     * whose answer was lost is answered the same way when it comes again.
     */
    async sendPeerDocuments(input: { peerId: string }): Promise<Turn> {
      const peerId = decodeId('peer', input.peerId)
      const endMs = Date.now() + longestTurnMs
      let sent = 0
      while (Date.now() < endMs) {
        const waiting = await readWaitingDocuments(db, peerId, documentsPerMessage)
        if (waiting.length === 0 && (await fallAsleep(db, peerId))) {
          return { sent, isEmpty: true }
        }
        if (waiting.length > 0) await sendOrTell(input.peerId, peerId, waiting)
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
          haltPeer(tx, peerId, { subject: 'Documents are not sent to a peer any more', reason }),
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

  async function sendOrTell(publicId: string, peerId: string, waiting: readonly WaitingDocument[]) {
    try {
      await send(publicId, peerId, waiting)
    } catch (error) {
      if (error instanceof BusinessError) throw error
      throw await tellOfSilence(peerId, await readBacklog(db, peerId), messageOf(error))
    }
  }

  async function send(publicId: string, peerId: string, waiting: readonly WaitingDocument[]): Promise<void> {
    const peer = await readPeerStanding(db, peerId)
    if (peer.state !== 'active')
      throw new BusinessError('peer_halted', peer.haltedReason ?? `The peer is ${peer.state}.`)
    const url = `${peer.url}${peerPaths.documents}`
    const body = JSON.stringify({
      version: peerVersion,
      peer: encodeId('peer', peer.otherPeerId ?? ''),
      audience: encodeId('installation', peer.installationId ?? ''),
      documents: waiting.map((document) => document.body),
    })
    const [first] = waiting
    const signer = await openSigner(db, installationKey, peerId)
    const headers = await signMessage(signer, { url, body, key: `${publicId}/${first?.sequence ?? 0}` })
    const { results } = receptionSchema.parse(await post(rule, { url, body, headers }))
    const taken = new Set(results.filter(({ outcome }) => outcome !== 'conflict').map((one) => one.document))
    const now = new Date().toISOString()
    const delivered = waiting.filter((one) => taken.has(one.body.document))
    if (delivered.length > 0)
      await noteDelivered(
        db,
        peerId,
        delivered.map(({ sequence }) => sequence),
        now,
      )
    await closeTasks(db, { kind: 'peer', id: peerId, reason: 'answers again' }, ['peer_unreachable'])
    const refused = waiting.find((one) => !taken.has(one.body.document))
    if (refused)
      throw new BusinessError(
        'peer_document_conflict',
        `The other side has another document under the id of ${refused.body.number}, and takes neither this nor what follows.`,
      )
  }

  /** What the activity fails with says in Temporal's UI what waits and why; after an hour an operator has a task. */
  async function tellOfSilence(peerId: string, { waiting, since }: Backlog, cause: string): Promise<Error> {
    const detail = `${waiting} documents wait since ${since}: ${cause}`
    if (since !== null && Date.parse(since) + patienceMs < Date.now())
      await openTask(db, {
        kind: 'peer_unreachable',
        subjectKind: 'peer',
        subjectId: peerId,
        subject: 'A peer does not take its documents',
        detail: `${detail}. They are sent by themselves once it answers.`,
      })
    return new Error(detail)
  }
}

const pairingSchema = z.object({
  installation: z.string(),
  name: z.string().min(1).max(200),
  public_key: z.string().length(43),
  currency: z.string().regex(/^[A-Z]{3}$/),
})

const receptionSchema = z.object({
  results: z.array(z.object({ document: z.string(), outcome: z.enum(['stored', 'exists', 'conflict']) })),
})

const largestAnswerBytes = 256 * 1024

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
  if (status < 400 || status >= 500 || status === 429 || !problem.success)
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
