import { z } from '@hono/zod-openapi'
import { describeRefusals } from '../openapi.ts'
import type { Tx } from '#db/database.ts'
import { writeOnce } from '#db/content-hash.ts'
import { haltPeer, readPeerStanding, type PeerStanding } from '#db/peer.ts'
import { findReceived, lockReceived, noteReceived } from '#db/peer-received.ts'
import { isKnown, noteUnderstanding } from '#db/peer-understanding.ts'
import { assert } from '#domain/assert.ts'
import { BusinessError, type ErrorCode } from '#domain/errors.ts'
import type { PeerRole } from '#domain/peer.ts'
import {
  isPeerMessageKind,
  ownUnderstanding,
  peerMessageKinds,
  peerPaths,
  peerVersion,
  type PeerMessageKind,
} from '#domain/peer-message.ts'
import { isKeepable } from '#domain/supplier-invoice.ts'
import type { ApiContext, Frame } from '../frame.ts'
import { admissionRefusals, admitPeer, paceMessages, type AdmittedMessage } from '../peer-admission.ts'
import {
  envelopeHeadSchema,
  envelopeSchema,
  readEnvelope,
  type Envelope,
  type EnvelopedMessage,
} from '../peer-envelope.ts'
import { peerKinds } from '../peer-kinds/index.ts'
import type { Taken } from '../peer-kinds/kind.ts'
import { understandingSchema } from '../schemas/peer.ts'
import { supplierDocumentSchema } from '../schemas/supplier-invoice.ts'
import { parse } from '../validation.ts'

/** What a peer sends, whose message is its login. All of a message is one transaction: taken whole or not at all. */
export function registerPeerMessages(frame: Frame): void {
  describe(frame)
  for (const path of [peerPaths.messages, peerPaths.firstMessages])
    frame.page({ method: 'post', path, permission: 'public', body: 'own' }, async (ctx) => {
      const results = await admitPeer(ctx, frame, async (message) => await receive(ctx, frame, message))
      return ctx.json({ version: peerVersion, understands: ownUnderstanding, results })
    })
}

async function receive(
  ctx: ApiContext,
  frame: Frame,
  { tx, peerId, head, now }: AdmittedMessage,
): Promise<z.input<typeof resultSchema>[]> {
  const last = await lockReceived(tx, peerId)
  const peer = await readPeerStanding(tx, peerId)
  refuseStanding(peer)
  const envelope = readEnvelope(head)
  paceMessages(frame, ctx, { peerId, count: envelope.messages.length })
  if (envelope.after !== null && envelope.after > last)
    throw new BusinessError(
      'peer_sequence_gap',
      `This follows message ${envelope.after}; the last that was taken here is ${last}.`,
    )
  if (envelope.understands !== undefined && !isKnown(peer, envelope.understands))
    await noteUnderstanding(tx, peerId, { ...envelope.understands, now })
  return await takeAll(tx, envelope, { peerId, peer, now })
}

function refuseStanding({ state, haltedReason: reason }: PeerStanding) {
  if (state === 'closed' || state === 'invited' || state === 'accepting')
    throw new BusinessError('peer_unknown', 'This installation has no such peer.')
  if (state === 'halted')
    throw new BusinessError('peer_halted', `Nothing is taken until this is settled: ${reason}`)
}

interface Sender {
  readonly peerId: string
  readonly peer: PeerStanding
  readonly now: string
}

/** In their order, up to one that came before with another content: what follows that belongs behind it. */
async function takeAll(tx: Tx, { messages }: Envelope, sender: Sender) {
  const { peerId, now } = sender
  const sequences = messages.flatMap(({ sequence }) => sequence ?? [])
  const known: ReadonlyMap<number | null, Buffer> = await findReceived(tx, peerId, sequences)
  const results: z.input<typeof resultSchema>[] = []
  const received: { sequence: number; kind: PeerMessageKind; sha256: Buffer }[] = []
  for (const run of runsOf(messages, sender.peer.role)) {
    const hashed = run.messages.map((message) => ({
      ...message,
      ...writeKept(message.content),
      known: known.get(message.sequence),
    }))
    const taken = await takeRun(tx, { kind: run.kind, messages: hashed }, sender)
    for (const [index, { outcome }] of taken.entries()) {
      const message = hashed[index]
      assert(message, 'no more is answered than was asked')
      const { sequence, content, sha256 } = message
      results.push(sequence === null ? { document: documentOf(content), outcome } : { sequence, outcome })
      if (sequence !== null && message.known === undefined && outcome !== 'conflict')
        received.push({ sequence, kind: run.kind, sha256 })
    }
    const last = taken.at(-1)
    if (last?.outcome !== 'conflict') continue
    const subject = 'Messages of a peer are not taken any more'
    await haltPeer(tx, peerId, { subject, reason: last.reason })
    break
  }
  await noteReceived(tx, peerId, received, now)
  return results
}

/** Messages of one kind that come one behind the other; each run is looked at when its turn comes. */
function* runsOf(messages: readonly EnvelopedMessage[], role: PeerRole) {
  let from = 0
  while (from < messages.length) {
    const name = messages[from]?.kind ?? ''
    const end = messages.findIndex((message, index) => index > from && message.kind !== name)
    const to = end < 0 ? messages.length : end
    yield { kind: refuseKind(name, role), messages: messages.slice(from, to) }
    from = to
  }
}

type Hashed = EnvelopedMessage & ReturnType<typeof writeOnce> & { readonly known: Buffer | undefined }

/** What became of each, up to a conflict. What came before under its number is known by its hash, and not looked into again. */
async function takeRun(
  tx: Tx,
  { kind, messages }: { kind: PeerMessageKind; messages: readonly Hashed[] },
  { peerId, peer: { currency }, now }: Sender,
): Promise<readonly Taken[]> {
  assert(currency, 'who is paired with has said in which currency it bills')
  const differing = messages.findIndex(({ known, sha256 }) => known !== undefined && !known.equals(sha256))
  const same = differing < 0 ? messages : messages.slice(0, differing)
  const fresh = same.filter(({ known }) => known === undefined)
  const takings = fresh.map(({ content: raw, text, sha256 }) => ({
    peerId,
    currency,
    raw,
    text,
    sha256,
    now,
  }))
  const ofFresh = (await peerKinds[kind](tx, takings)).values()
  const taken: Taken[] = []
  for (const { known } of same) {
    const one = known === undefined ? ofFresh.next().value : { outcome: 'exists' as const }
    assert(one, 'every message is answered')
    taken.push(one)
    if (one.outcome === 'conflict') return taken
  }
  const { sequence } = messages[differing] ?? {}
  if (sequence !== undefined) {
    const reason = `message ${sequence}, a ${kind}, came again with another content`
    taken.push({ outcome: 'conflict', reason })
  }
  return taken
}

/** @param role what the sender is to us */
function refuseKind(kind: string, role: PeerRole): PeerMessageKind {
  if (!isPeerMessageKind(kind))
    throw new BusinessError('peer_kind_refused', `Messages of kind ${kind} are not understood here.`)
  const { from } = peerMessageKinds[kind]
  if (from !== 'either' && from !== role)
    throw new BusinessError('peer_kind_refused', `A ${kind} is taken of a ${from} only.`)
  return kind
}

function writeKept(content: unknown): ReturnType<typeof writeOnce> {
  if (!isKeepable(content))
    throw new BusinessError(
      'field_invalid',
      'A message holds well-formed text, safe integers, and no more than twenty levels.',
    )
  return writeOnce(content)
}

/** By which version 1 is answered. */
function documentOf(content: unknown): string {
  return parse(z.looseObject({ document: z.string() }), content, 'body').document
}

const outcomeField = z.enum(['stored', 'exists', 'conflict'])
const resultSchema = z.union([
  z.object({ sequence: z.number().int(), outcome: outcomeField }),
  z.object({ document: z.string(), outcome: outcomeField }).openapi({ description: 'Of version 1.' }),
])

const resultsSchema = z.object({
  version: z.number().int(),
  understands: understandingSchema,
  results: z.array(resultSchema),
})

const refusals: ReadonlySet<ErrorCode> = new Set([
  ...admissionRefusals,
  'id_kind_mismatch',
  'peer_unknown',
  'peer_halted',
  'peer_kind_refused',
  'peer_sequence_gap',
  'internal_error',
  'database_unreachable',
])

const described = [
  'Signed by the peer’s key: HTTP Message Signatures (RFC 9421) with ed25519 over `@method`, `@target-uri`, `content-digest`, `content-type` and `idempotency-key`, with `created`, `expires`, `nonce`, `keyid` and `alg`. All that comes at once is taken whole or not at all.',
  'Messages are numbered by who sends them, without a gap: what skips one is refused with `peer_sequence_gap`. What came before is answered with `exists`, for ever. What came before with another content is a `conflict`: it is not taken, nor what follows it, until people have settled it.',
]

function describe(frame: Frame): void {
  const said = { tags: ['Peers'], security: [], method: 'post' as const }
  const responses = {
    200: { description: 'Taken', content: { 'application/json': { schema: resultsSchema } } },
    ...describeRefusals(refusals),
  }
  frame.app.openAPIRegistry.registerPath({
    ...said,
    path: peerPaths.messages,
    summary: 'Receive messages of a peer: for installations, not for people',
    description: described.join('\n\n'),
    request: { body: { required: true, content: { 'application/json': { schema: envelopeSchema } } } },
    responses,
  })
  frame.app.openAPIRegistry.registerPath({
    ...said,
    path: peerPaths.firstMessages,
    deprecated: true,
    summary: 'Receive documents of a supplier that sends messages of version 1',
    description: `It takes what ${peerPaths.messages} takes, and is where version 1 went.`,
    request: { body: { required: true, content: { 'application/json': { schema: firstMessageSchema } } } },
    responses,
  })
}

/** As it is written down; each document is read by itself, once its message is known to be the peer's. */
const firstMessageSchema = envelopeHeadSchema
  .extend({ documents: z.array(supplierDocumentSchema).min(1).max(100) })
  .openapi('PeerMessage')
