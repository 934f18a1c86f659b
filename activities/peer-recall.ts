import { z } from 'zod'
import { hashOf } from '#db/content-hash.ts'
import type { Db } from '#db/database.ts'
import { findOwnDocuments, keepLostDocuments, type LostDocument } from '#db/lost-document.ts'
import { readLastReceived } from '#db/peer-received.ts'
import { sendAgain } from '#db/peer-resend.ts'
import {
  haltPeer,
  isAnotherMessage,
  listRecalledPeers,
  readLastSequence,
  readPeerStanding,
} from '#db/peer.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import type { PeerDependencies } from './dependencies.ts'
import { createPeerCall, type AskPeer } from './peer-call.ts'

/** Pages of what a peer has received last: more than any backup is behind. */
const mostPages = 200

/**
 * Whether a peer has more of ours than we know of: then this installation was restored from an older backup, and would give its numbers
 * again; or less than it had: then that one was restored, and what it lacks is sent again. It is told the same of what we have of it.
 * Asked before anything is sent, and before a worker finalizes anything.
 */
export function createPeerRecall(deps: PeerDependencies) {
  const { db } = deps
  const ask = createPeerCall(deps)
  return {
    /**
     * @returns whether it has lost what is sent again now
     * @throws `peer_halted` once the peer is, because it has what is not here
     */
    async recallPeer(peerId: string): Promise<boolean> {
      const found = await recall(db, ask, peerId)
      if (found.reason !== null) throw new BusinessError('peer_halted', found.reason)
      return found.isBehind
    },

    /** The same, for who goes on: what is lost is kept, and the peer halted. */
    async noteLost(peerId: string): Promise<void> {
      await recall(db, ask, peerId)
    },

    /** Asks all that answer, side by side; one that is away is asked before anything is sent to it. */
    async recallAll(onError: (error: unknown) => void): Promise<void> {
      const peerIds = await listRecalledPeers(db)
      await Promise.all(
        peerIds.map(async (peerId) => {
          await recall(db, ask, peerId).catch(onError)
        }),
      )
    },
  }
}

interface Recalled {
  /** What to tell a person, who has a task then; null where nothing of ours is lost here. */
  readonly reason: string | null
  /** Whether something is lost over there. */
  readonly isBehind: boolean
}

async function recall(db: Db, ask: AskPeer, peerId: string): Promise<Recalled> {
  // Read before it is asked: what it had taken by then, it has, unless it was restored.
  const { sentSequence } = await readPeerStanding(db, peerId)
  const { lost, toldSequence, toldSha256 } = await listLost(db, ask, peerId)
  // Read after it was told: what another worker has sent while it was asked is known here, and not lost.
  const own = await readLastSequence(db, peerId)
  const told = toldSha256 == null ? null : { sequence: toldSequence, sha256: toldSha256 }
  const isAhead = toldSequence > own || (told !== null && (await isAnotherMessage(db, peerId, told)))
  if (lost.length === 0 && !isAhead) {
    const isBehind = toldSequence < sentSequence
    const again = { peerId, taken: toldSequence, now: new Date().toISOString() }
    if (isBehind) await db.transaction().execute(async (tx) => sendAgain(tx, again))
    return { reason: null, isBehind }
  }
  const reason = await db.transaction().execute(async (tx) => {
    const reason = await keepLostDocuments(tx, peerId, {
      lost,
      toldSequence: isAhead ? toldSequence : null,
      now: new Date().toISOString(),
    })
    await haltPeer(tx, peerId, { subject: 'A peer has documents of ours that are not here', reason })
    return reason
  })
  if (isAhead) await sayWhatIsKnown(ask, { peerId, own: Math.min(own, sentSequence) })
  return { reason, isBehind: false }
}

/** By which the other side halts, too. Once we are halted nothing is sent, so what we know of is not more by now. */
async function sayWhatIsKnown(ask: AskPeer, { peerId, own }: { peerId: string; own: number }): Promise<void> {
  const question = { kind: 'received', last_sequence: own, taken_sequence: null, before: null } as const
  await ask({ peerId, key: `recall/${peerId}/known`, question })
}

/** Newest first, up to a page of which we know all. */
async function listLost(db: Db, ask: AskPeer, peerId: string) {
  const lost: LostDocument[] = []
  let toldSequence = 0
  let toldSha256: string | null | undefined
  let before: string | null = null
  const taken = await readLastReceived(db, peerId)
  for (let page = 0; page < mostPages; page += 1) {
    const taken_sequence = page === 0 ? taken : null
    const question = { kind: 'received', last_sequence: null, taken_sequence, before } as const
    const key = `recall/${peerId}/${page}`
    const answer: z.output<typeof pageSchema> = pageSchema.parse((await ask({ peerId, key, question })).value)
    // What is taken between two pages is ours.
    toldSha256 = page === 0 ? answer.last_sha256 : toldSha256
    toldSequence = page === 0 ? answer.last_sequence : toldSequence
    const ids = answer.documents.map(({ document }) => decodeId('invoice', document))
    const known = await findOwnDocuments(db, peerId, ids)
    const unknown = answer.documents.filter((_, index) => !known.has(ids[index] ?? ''))
    for (const { document, sha256 } of unknown) lost.push(await fetchLost(ask, { peerId, document, sha256 }))
    if (unknown.length === 0 || answer.next === null) break
    before = answer.next
  }
  return { lost, toldSequence, toldSha256 }
}

async function fetchLost(
  ask: AskPeer,
  { peerId, document, sha256 }: { peerId: string; document: string; sha256: string },
): Promise<LostDocument> {
  const question = { kind: 'document', document } as const
  const { value } = await ask({ peerId, key: `recall/${peerId}/${document}`, question })
  const { content } = z.object({ content: contentSchema }).parse(value)
  if (hashOf(content).toString('hex') !== sha256)
    throw new Error(`${document} is told with another content than its hash says`)
  return {
    documentId: decodeId('invoice', document),
    kind: content.kind,
    number: content.number,
    currency: content.currency,
    issuedOn: content.issued_on,
    totalMinor: content.total_minor,
    sha256,
    content,
  }
}

const pageSchema = z.object({
  documents: z.array(z.object({ document: z.string().max(40), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
  next: z.string().max(40).nullable(),
  last_sequence: z.number().int().min(0),
  /** Who was built before it was told tells none. */
  last_sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullish(),
})
const contentSchema = z.looseObject({
  kind: z.enum(['invoice', 'credit_note']),
  number: z.string().min(1).max(100),
  currency: z.string().regex(/^[A-Z]{3}$/),
  issued_on: z.iso.date(),
  total_minor: z.number().int(),
})
