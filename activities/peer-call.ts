import { z } from 'zod'
import { checkAnswer, type AnswerMessage } from '#db/peer-answer.ts'
import { openSigner } from '#db/peer-key.ts'
import { signMessage } from '#db/peer-signature.ts'
import { readPeerStanding } from '#db/peer.ts'
import { getInstallation } from '#db/read/installation.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { isLoopbackUrl } from '#domain/peer.ts'
import { isPassing, readRetryAfter } from '#domain/peer-refusal.ts'
import { peerVersion } from '#domain/peer-message.ts'
import { peerQuestionPath, type PeerQuestion, type SignedExchange } from '#domain/peer-question.ts'
import type { DatabaseDependencies } from './dependencies.ts'
import { postOutbound } from './outbound.ts'
import { PassingRefusal } from './peer-post.ts'

const answerWithinMs = 10_000
const largestAnswerBytes = 256 * 1024

export interface PeerAnswer {
  readonly value: unknown
  readonly exchange: SignedExchange
}

/** Asks a peer one question. @throws `peer_refuses`, `peer_signature_refused`; anything else may be asked again */
export type AskPeer = (of: {
  peerId: string
  key: string
  question: PeerQuestion
  abortSignal?: AbortSignal
}) => Promise<PeerAnswer>

/** How peers are asked: signed by us, answered with their signature, which is checked before anything of it is read. */
export function createPeerCall({
  db,
  installationKey,
  consoleUrl,
  peerRanges: allowed = [],
  peerPorts: ports = [],
}: Pick<
  DatabaseDependencies,
  'db' | 'installationKey' | 'consoleUrl' | 'peerRanges' | 'peerPorts'
>): AskPeer {
  const rule = { isOnLoopback: isLoopbackUrl(consoleUrl), allowed, ports }
  return async ({ peerId, key, question, abortSignal }) => {
    const peer = await readPeerStanding(db, peerId)
    if (peer.otherPeerId === null || peer.installationId === null || peer.state === 'closed')
      throw new BusinessError('action_not_allowed', `This peer is ${peer.state}: it answers no questions.`)
    const url = `${peer.url}${peerQuestionPath}`
    const { id: asking } = await getInstallation(db)
    const body = JSON.stringify({
      version: peerVersion,
      peer: encodeId('peer', peer.otherPeerId),
      audience: encodeId('installation', peer.installationId),
      from: encodeId('installation', asking),
      question,
    })
    const headers = await signMessage(await openSigner(db, installationKey, peerId), { url, body, key })
    const answer = await post({ url, headers, body }, rule, abortSignal)
    await checkAnswer(db, { peerId, question: { url, headers }, answer, now: new Date().toISOString() })
    const { answer: value } = envelopeSchema.parse(JSON.parse(answer.body))
    return { value, exchange: { url, headers, body, answer } }
  }
}

const envelopeSchema = z.object({ answer: z.unknown() })

const kept = new Set(['content-type', 'content-digest', 'signature', 'signature-input'])

/** What the other side will not answer differently by itself ends it; everything else is tried again. */
async function post(
  call: { url: string; headers: Record<string, string>; body: string },
  rule: Parameters<typeof postOutbound>[1]['rule'],
  cancelled: AbortSignal | undefined,
): Promise<AnswerMessage> {
  const timeout = AbortSignal.timeout(answerWithinMs)
  const { status, headers, text } = await postOutbound(call, {
    rule,
    abortSignal: cancelled === undefined ? timeout : AbortSignal.any([timeout, cancelled]),
    largestAnswerBytes,
  })
  if (status === 200) {
    const told = Object.entries(headers).flatMap(([name, value]) =>
      kept.has(name) && typeof value === 'string' ? [[name, value] as const] : [],
    )
    return { status, headers: Object.fromEntries(told), body: text }
  }
  const problem = problemSchema.safeParse(parseOr(text))
  const said = problem.success ? `${problem.data.code}: ${problem.data.detail}` : `answers ${status}`
  if (status === 429) {
    const refusal = { code: problem.data?.code ?? '', detail: said, thereAt: null }
    throw new PassingRefusal(
      `${call.url} ${said}`,
      refusal,
      readRetryAfter(headers['retry-after'], Date.now()),
    )
  }
  if (status < 400 || status >= 500 || !problem.success || isPassing(problem.data.code))
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
