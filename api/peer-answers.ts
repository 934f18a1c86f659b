import type { z } from '@hono/zod-openapi'
import type { Tx } from '#db/database.ts'
import { digestMonths, listKnownDocuments } from '#db/peer-proof.ts'
import { keepAskedByPeer } from '#db/peer-question.ts'
import { lockNewestReceived } from '#db/peer-received.ts'
import { haltPeer } from '#db/peer.ts'
import { sendAgain } from '#db/peer-resend.ts'
import { openBilledUsage, readUsageDay } from '#db/peer-usage.ts'
import { findReceivedDocument, listNewestReceived } from '#db/read/received-document.ts'
import { listWindowDays } from '#db/read/usage-window.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import type { PeerRole } from '#domain/peer.ts'
import { documentsPerAnswer, type PeerQuestionKind, type SignedExchange } from '#domain/peer-question.ts'
import { differingMonths } from '#domain/proof.ts'
import { toKnownJson, type peerQuestionSchema } from './schemas/peer-question.ts'
import { toUsageWindowJson, toWindowEventJson, toWindowReadingJson } from './schemas/usage-window.ts'

type Question = z.output<typeof peerQuestionSchema>
type QuestionOf<Kind extends PeerQuestionKind> = Extract<Question, { kind: Kind }>

interface Asked<Kind extends PeerQuestionKind = PeerQuestionKind> {
  readonly peerId: string
  /** What the one who asks is to us. */
  readonly role: PeerRole
  readonly question: QuestionOf<Kind>
  readonly asked: SignedExchange
  readonly key: string
  readonly now: string
}

/** One entry for each kind of question: who may ask it, and what is said. */
const kinds: {
  readonly [Kind in PeerQuestionKind]: {
    readonly of: PeerRole | 'either'
    readonly answer: (tx: Tx, asked: Asked<Kind>) => Promise<object>
  }
} = {
  digest: { of: 'either', answer: answerDigest },
  listing: { of: 'either', answer: answerListing },
  received: { of: 'either', answer: answerReceived },
  document: { of: 'supplier', answer: answerDocument },
  usage: { of: 'customer', answer: answerUsage },
}

/** What a peer is told. @throws `peer_unknown` where it is not its to ask, `not_found` */
export async function answerPeer(tx: Tx, asked: Asked): Promise<object> {
  const { of, answer } = kinds[asked.question.kind]
  if (of !== 'either' && of !== asked.role)
    throw new BusinessError('peer_unknown', 'This is answered to who is on the other side of the bills.')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table is read by the kind of the question
  return await (answer as (tx: Tx, asked: Asked) => Promise<object>)(tx, asked)
}

/** What it says itself is kept with its signature: each side holds the other's word. */
async function answerDigest(tx: Tx, { peerId, question, asked, key, now }: Asked<'digest'>): Promise<object> {
  const { from, to, months: theirs } = question
  const ours = digestMonths(await listKnownDocuments(tx, peerId, { from, to }))
  const isEqual = differingMonths(ours, theirs).length === 0
  await keepAskedByPeer(tx, {
    peerId,
    key,
    kind: 'proof',
    question: { from, to },
    answer: { isEqual, ours, theirs, differences: null },
    evidence: asked,
    now,
  })
  return { months: ours }
}

async function answerListing(tx: Tx, { peerId, question }: Asked<'listing'>): Promise<object> {
  const { after } = question
  const all = await listKnownDocuments(tx, peerId, question)
  const rest = all
    .filter(({ document }) => after === null || document > after)
    .toSorted((one, other) => (one.document < other.document ? -1 : 1))
  const documents = rest.slice(0, documentsPerAnswer)
  const next = rest.length > documents.length ? (documents.at(-1)?.document ?? null) : null
  return { documents: documents.map(toKnownJson), next }
}

async function answerReceived(tx: Tx, { peerId, role, question, now }: Asked<'received'>): Promise<object> {
  const { sequence: last, sha256 } = await lockNewestReceived(tx, peerId)
  // It speaks the truth about itself: numbers that went back would come again with another content.
  if (question.last_sequence !== null && question.last_sequence < last)
    await haltPeer(tx, peerId, {
      subject: `A ${role} has lost what it has sent`,
      reason: `It knows of ${question.last_sequence} messages of its own, and ${last} came from it: it seems to be restored from an older backup`,
    })
  const { taken_sequence: taken } = question
  if (taken !== null) await sendAgain(tx, { peerId, taken, now })
  const before = question.before === null ? null : decodeId('supplierInvoice', question.before)
  const newest = { last_sequence: last, last_sha256: sha256?.toString('hex') ?? null }
  return { ...(await listNewestReceived(tx, { peerId, before })), ...newest }
}

async function answerDocument(tx: Tx, { peerId, question }: Asked<'document'>): Promise<object> {
  const found = await findReceivedDocument(tx, { peerId, documentId: decodeId('invoice', question.document) })
  if (found === null) throw new BusinessError('not_found', `No document ${question.document} was received.`)
  return found
}

async function answerUsage(tx: Tx, { peerId, question }: Asked<'usage'>): Promise<object> {
  const window = await openBilledUsage(tx, peerId, question)
  const { on, skip } = question
  if (on === null) return toUsageWindowJson(window, await listWindowDays(tx, window))
  const { readings, events, next } = await readUsageDay(tx, window, { on, skip })
  return { readings: readings.map(toWindowReadingJson), events: events.map(toWindowEventJson), next }
}
