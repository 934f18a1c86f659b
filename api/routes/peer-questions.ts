import { z } from '@hono/zod-openapi'
import { signAnswer, type AnswerMessage } from '#db/peer-answer.ts'
import { openSigner } from '#db/peer-key.ts'
import { readPeerStanding } from '#db/peer.ts'
import { BusinessError, type ErrorCode } from '#domain/errors.ts'
import { peerQuestionPath } from '#domain/peer-question.ts'
import type { ApiContext, Frame } from '../frame.ts'
import { describeRefusals } from '../openapi.ts'
import { admissionRefusals, admitPeer, type AdmittedMessage } from '../peer-admission.ts'
import { answerPeer } from '../peer-answers.ts'
import { envelopeHeadSchema } from '../peer-envelope.ts'
import { peerQuestionSchema } from '../schemas/peer-question.ts'
import { parse } from '../validation.ts'

const envelopeSchema = envelopeHeadSchema.extend({ question: peerQuestionSchema }).openapi('PeerQuestion')

/**
 * What another installation asks and is told at once, whose message is its login. The answer is signed as well, bound to its question,
 * so that what was said can be shown later.
 */
export function registerPeerQuestions(frame: Frame): void {
  describe(frame)
  frame.page({ method: 'post', path: peerQuestionPath, permission: 'public', body: 'own' }, async (ctx) => {
    const { headers, body } = await admitPeer(
      ctx,
      frame,
      async (message) => await answer(ctx, frame, message),
    )
    return ctx.body(body, 200, { ...headers })
  })
}

async function answer(
  ctx: ApiContext,
  frame: Frame,
  { tx, peerId, head, text, now }: AdmittedMessage,
): Promise<AnswerMessage> {
  const { publicUrl, installationKey } = frame.deps
  const { role, state } = await readPeerStanding(tx, peerId)
  // Of a halted peer too: what halted it is settled by what both say.
  if (state !== 'active' && state !== 'halted')
    throw new BusinessError('peer_unknown', 'This installation has no such peer.')
  const { question } = parse(envelopeSchema, head, 'body')
  const headers = signedHeaders(Object.fromEntries(ctx.req.raw.headers))
  const asked = { url: `${publicUrl}${peerQuestionPath}`, headers, body: text }
  const key = headers['idempotency-key'] ?? ''
  const told = await answerPeer(tx, { peerId, role, question, asked, key, now })
  if (installationKey === null)
    throw new Error('answers are signed with a key of the key file, which was not given')
  const signer = await openSigner(tx, installationKey, peerId)
  return await signAnswer(signer, { body: JSON.stringify({ answer: told }), question: asked })
}

const kept = ['content-type', 'content-digest', 'idempotency-key', 'signature', 'signature-input']

/** What of a message is signed, and by whom: the rest of its headers is of its way here. */
function signedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    kept.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  )
}

const refusals: ReadonlySet<ErrorCode> = new Set([
  ...admissionRefusals,
  'id_kind_mismatch',
  'not_found',
  'peer_unknown',
  'internal_error',
  'database_unreachable',
])

function describe(frame: Frame): void {
  frame.app.openAPIRegistry.registerPath({
    method: 'post',
    path: peerQuestionPath,
    tags: ['Peers'],
    summary: 'Answer another installation: for installations, not for people',
    description: [
      'Signed by the peer’s key as the messages with documents are. The answer is signed with HTTP Message Signatures (RFC 9421) over `@status`, `content-digest`, `content-type` and, of its question, `@target-uri`, `content-digest` and `idempotency-key`.',
      '`digest`, `listing` and `received` are answered to both sides; `document` by who is billed; `usage` by who bills, of documents of this peer alone.',
    ].join('\n\n'),
    security: [],
    request: {
      body: {
        required: true,
        content: {
          'application/json': { schema: envelopeSchema },
        },
      },
    },
    responses: {
      200: {
        description: 'Answered',
        content: {
          'application/json': { schema: z.object({ answer: z.record(z.string(), z.unknown()) }) },
        },
      },
      ...describeRefusals(refusals),
    },
  })
}
