import { z } from '@hono/zod-openapi'
import { describeRefusals } from '../openapi.ts'
import type { Tx } from '#db/database.ts'
import { haltPeer, readPeerStanding, type PeerStanding } from '#db/peer.ts'
import { admitMessage } from '#db/peer-signature.ts'
import { getInstallation } from '#db/read/installation.ts'
import { receiveSupplierInvoice, type Reception } from '#db/supplier-invoice.ts'
import { assert } from '#domain/assert.ts'
import { BusinessError, type ErrorCode } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { peerPaths, peerVersion } from '#domain/peer-message.ts'
import { isKeepable } from '#domain/supplier-invoice.ts'
import { parseJson, readBytes } from '../body.ts'
import type { ApiContext, Frame } from '../frame.ts'
import { supplierDocumentSchema } from '../schemas/supplier-invoice.ts'
import { parse } from '../validation.ts'

const largestMessageBytes = 10 * 1024 * 1024
const largestDocumentBytes = 2 * 1024 * 1024
const mostDocuments = 100

const envelopeSchema = z.object({
  version: z.number().int().min(1),
  peer: z.string().max(40),
  audience: z.string().max(40),
  documents: z.array(z.unknown()).min(1).max(mostDocuments),
})

interface Result {
  readonly document: string
  readonly outcome: Reception
}

/**
 * What a supplier sends, whose message is its login. All of a message is one transaction: taken whole or not at all. Told in the
 * order of the checks; the first that fails changes nothing.
 */
export function registerPeerDocuments(frame: Frame): void {
  describe(frame)
  frame.page(
    { method: 'post', path: peerPaths.documents, permission: 'public', body: 'own' },
    async (ctx) => {
      const bytes = await readBytes(ctx.req.raw, largestMessageBytes)
      const { value } = parseJson(bytes)
      const message = parse(envelopeSchema, value, 'body')
      const results = await frame.deps.db
        .transaction()
        .execute(async (tx) => await receive(ctx, frame, tx, { bytes, message }))
      return ctx.json({ results })
    },
  )
}

interface Received {
  readonly bytes: Uint8Array
  readonly message: z.output<typeof envelopeSchema>
}

async function receive(
  ctx: ApiContext,
  frame: Frame,
  tx: Tx,
  { bytes, message }: Received,
): Promise<Result[]> {
  const now = frame.deps.now()
  const peerId = decodeId('peer', message.peer)
  const headers = Object.fromEntries(ctx.req.raw.headers)
  const url = `${frame.deps.publicUrl}${peerPaths.documents}`
  // A peer that is not known has no key: its message is refused as one that is signed wrongly, and tells nobody which peers there are.
  await admitMessage(tx, { peerId, url, headers, bytes, now })
  const peer = await readPeerStanding(tx, peerId)
  const { id } = await getInstallation(tx)
  if (message.audience !== encodeId('installation', id))
    throw new BusinessError('peer_audience_wrong', 'This message is meant for another installation.')
  refuseStanding(peer)
  if (message.version > peerVersion)
    throw new BusinessError(
      'peer_version_unknown',
      `Messages of version ${message.version} are not understood here yet.`,
    )
  const { currency } = peer
  assert(currency, 'who is paired with has said in which currency it bills')
  const results: Result[] = []
  for (const raw of message.documents) {
    const result = await receiveOne(tx, { peerId, currency, raw, now })
    results.push(result)
    // What follows belongs behind it.
    if (result.outcome === 'conflict') return results
  }
  return results
}

function refuseStanding({ role, state, haltedReason: reason }: PeerStanding) {
  if (role !== 'supplier' || state === 'closed' || state === 'invited' || state === 'accepting')
    throw unknownPeer()
  if (state === 'halted')
    throw new BusinessError('peer_halted', `Nothing is taken until this is settled: ${reason}`)
}

function unknownPeer(): BusinessError {
  return new BusinessError('peer_unknown', 'This installation is billed by no such peer.')
}

async function receiveOne(
  tx: Tx,
  { peerId, currency, raw, now }: { peerId: string; currency: string; raw: unknown; now: string },
): Promise<Result> {
  if (!isKeepable(raw))
    throw new BusinessError(
      'field_invalid',
      'A document holds well-formed text, safe integers, and no more than twenty levels.',
    )
  if (JSON.stringify(raw).length > largestDocumentBytes)
    throw new BusinessError('body_too_large', `A document is larger than ${largestDocumentBytes} bytes.`)
  const document = parse(supplierDocumentSchema, raw, 'body')
  const outcome = await receiveSupplierInvoice(tx, { peerId, currency, document, raw, now })
  if (outcome === 'conflict') {
    await haltPeer(tx, peerId, {
      subject: 'Documents of a supplier are not taken any more',
      reason: `${document.number} came again under its id with another content`,
    })
  }
  return { document: document.document, outcome }
}

const resultsSchema = z.object({
  results: z.array(z.object({ document: z.string(), outcome: z.enum(['stored', 'exists', 'conflict']) })),
})

const refusals: ReadonlySet<ErrorCode> = new Set([
  'json_malformed',
  'id_kind_mismatch',
  'peer_signature_refused',
  'peer_message_expired',
  'peer_message_repeated',
  'peer_unknown',
  'peer_halted',
  'body_too_large',
  'peer_audience_wrong',
  'peer_version_unknown',
  'field_invalid',
  'field_required',
  'internal_error',
  'database_unreachable',
])

function describe(frame: Frame): void {
  frame.app.openAPIRegistry.registerPath({
    method: 'post',
    path: peerPaths.documents,
    tags: ['Peers'],
    summary: 'Receive documents of a supplier: for installations, not for people',
    description: [
      'Signed by the peer’s key: HTTP Message Signatures (RFC 9421) with ed25519 over `@method`, `@target-uri`, `content-digest`, `content-type` and `idempotency-key`, with `created`, `expires`, `nonce`, `keyid` and `alg`. A message is taken whole or not at all.',
      'A document that came before is answered with `exists`, for ever. One with another content under a known id is a `conflict`: it is not taken, nor what follows it, until people have settled it.',
    ].join('\n\n'),
    security: [],
    request: {
      body: {
        required: true,
        content: { 'application/json': { schema: messageSchema.openapi('PeerMessage') } },
      },
    },
    responses: {
      200: { description: 'Taken', content: { 'application/json': { schema: resultsSchema } } },
      ...describeRefusals(refusals),
    },
  })
}

/** As it is written down; each document is read by itself, once its message is known to be the peer's. */
const messageSchema = envelopeSchema.extend({
  documents: z.array(supplierDocumentSchema).min(1).max(mostDocuments),
})
