import { Context } from '@temporalio/activity'
import { z } from 'zod'
import { BusinessError } from '#domain/errors.ts'
import type { OutboundRule } from '#domain/outbound-address.ts'
import { isLoopbackUrl } from '#domain/peer.ts'
import { sayUnreachablePeer } from '#domain/peer-unreachable.ts'
import { isPassing, readRetryAfter, type RefusalThere } from '#domain/peer-refusal.ts'
import { toStorable } from '#domain/storable-text.ts'
import type { DatabaseDependencies } from './dependencies.ts'
import { postOutbound, type OutboundAnswer, type OutboundCall, type OutboundLimits } from './outbound.ts'

const answerWithinMs = 30_000
/** Of an answer of a peer, to whatever it is but a question for a document. */
export const largestAnswerBytes = 512 * 1024

/** The other side does not take it now, and will. */
export class PassingRefusal extends Error {
  readonly refusal: RefusalThere
  /** How long it wants to be left alone; undefined where it has not said so. */
  readonly retryAfterMs: number | undefined

  constructor(message: string, refusal: RefusalThere, retryAfterMs: number | undefined) {
    super(message)
    this.name = 'PassingRefusal'
    this.refusal = refusal
    this.retryAfterMs = retryAfterMs
  }
}

/** Where peers are spoken to from here. */
export function peerRule({
  consoleUrl,
  peerRanges: allowed = [],
  peerPorts: ports = [],
}: Pick<DatabaseDependencies, 'consoleUrl' | 'peerRanges' | 'peerPorts'>): OutboundRule {
  return { isOnLoopback: isLoopbackUrl(consoleUrl), allowed, ports }
}

/** Posts to another installation. That it is not reached is thrown in words: people read it. */
export async function callPeer(call: OutboundCall, limits: OutboundLimits): Promise<OutboundAnswer> {
  try {
    return await postOutbound(call, limits)
  } catch (error) {
    const said = sayUnreachablePeer(new URL(call.url).origin, error)
    throw said === undefined ? error : new Error(said, { cause: error })
  }
}

/**
 * Posts to another installation, and gives what it answers.
 * @throws `peer_refuses` for what will not change by itself; everything else is tried again, some of it as a `PassingRefusal`
 */
export async function postToPeer(rule: OutboundRule, call: OutboundCall): Promise<unknown> {
  const answer = await callPeer(call, {
    rule,
    abortSignal: AbortSignal.any([AbortSignal.timeout(answerWithinMs), Context.current().cancellationSignal]),
    largestAnswerBytes,
  })
  if (answer.status >= 200 && answer.status < 300) return JSON.parse(answer.text)
  throw refusalBy(call.url, answer)
}

/** What an answer that is none to what was sent is thrown as. What the other side will not answer differently by itself is `peer_refuses`. */
export function refusalBy(url: string, { status, headers, text }: OutboundAnswer): Error {
  const problem = problemOf(text)
  const { code, detail } = problem ?? { code: '', detail: `answers ${status}` }
  const said = `${url} ${code === '' ? detail : `${code}: ${detail}`}`
  if (status === 429 || isPassing(code))
    return new PassingRefusal(
      said,
      { code, detail, thereAt: readDate(headers.date) },
      readRetryAfter(headers['retry-after'], Date.now()),
    )
  if (status < 400 || status >= 500 || problem === undefined) return new Error(said)
  return new BusinessError('peer_refuses', `The other side refuses. ${code}: ${detail}`)
}

/** What is said of it is kept: with a task, or in a row. */
const problemSchema = z.object({
  code: z.string().max(100).transform(toStorable),
  detail: z.string().max(1_000).transform(toStorable),
})

/** What is said to whoever is refused; undefined where it is said otherwise. */
export function problemOf(text: string): z.output<typeof problemSchema> | undefined {
  return problemSchema.safeParse(parseOr(text)).data
}

function readDate(header: string | undefined): string | null {
  const atMs = Date.parse(header ?? '')
  return Number.isNaN(atMs) ? null : new Date(atMs).toISOString()
}

function parseOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
