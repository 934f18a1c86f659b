import { z } from 'zod'
import { checkAnswer, type AnswerMessage } from '#db/peer-answer.ts'
import { openSigner } from '#db/peer-key.ts'
import { signMessage } from '#db/peer-signature.ts'
import { readPeerStanding } from '#db/peer.ts'
import { getInstallation } from '#db/read/installation.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { OutboundRule } from '#domain/outbound-address.ts'
import { largestDocumentBytes, peerVersion } from '#domain/peer-message.ts'
import { peerQuestionPath, type PeerQuestion, type SignedExchange } from '#domain/peer-question.ts'
import type { PeerDependencies } from './dependencies.ts'
import type { OutboundCall } from './outbound.ts'
import { callPeer, largestAnswerBytes, peerRule, refusalBy } from './peer-post.ts'

const answerWithinMs = 10_000

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
export function createPeerCall(deps: PeerDependencies): AskPeer {
  const { db, installationKey } = deps
  const rule = peerRule(deps)
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
    // A document is told whole, as large as it came.
    const most = largestAnswerBytes + (question.kind === 'document' ? largestDocumentBytes : 0)
    const answer = await post({ url, headers, body }, { rule, cancelled: abortSignal, most })
    await checkAnswer(db, { peerId, question: { url, headers }, answer, now: new Date().toISOString() })
    const { answer: value } = envelopeSchema.parse(JSON.parse(answer.body))
    return { value, exchange: { url, headers, body, answer } }
  }
}

const envelopeSchema = z.object({ answer: z.unknown() })

const kept = new Set(['content-type', 'content-digest', 'signature', 'signature-input'])

async function post(
  call: OutboundCall,
  { rule, cancelled, most }: { rule: OutboundRule; cancelled: AbortSignal | undefined; most: number },
): Promise<AnswerMessage> {
  const timeout = AbortSignal.timeout(answerWithinMs)
  const answer = await callPeer(call, {
    rule,
    abortSignal: cancelled === undefined ? timeout : AbortSignal.any([timeout, cancelled]),
    largestAnswerBytes: most,
  })
  if (answer.status !== 200) throw refusalBy(call.url, answer)
  const told = Object.entries(answer.headers).flatMap(([name, value]) =>
    kept.has(name) && typeof value === 'string' ? [[name, value] as const] : [],
  )
  return { status: answer.status, headers: Object.fromEntries(told), body: answer.text }
}
