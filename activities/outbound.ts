import { lookup as lookUp, type LookupAddress } from 'node:dns'
import { once } from 'node:events'
import {
  request as requestPlainly,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { request as requestByTls } from 'node:https'
import type { LookupFunction } from 'node:net'
import { BusinessError } from '#domain/errors.ts'
import { targetOf, refuseOutbound, type OutboundRule } from '#domain/outbound-address.ts'

export type Resolve = (
  hostname: string,
  answer: (error: Error | null, addresses: LookupAddress[]) => void,
) => void

export interface OutboundCall {
  /** Left out: it is posted. */
  readonly method?: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface OutboundAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface OutboundLimits {
  readonly rule: OutboundRule
  /** Ends the call, its answer too. */
  readonly abortSignal: AbortSignal
  readonly largestAnswerBytes: number
  /** Of an answer that is longer the rest is not read; left out, it is none. */
  readonly isRestLeft?: boolean
  /** The system's own, left out. */
  readonly resolve?: Resolve
}

/**
 * Posts to an address that others have told us, or asks it. Its name is resolved once: every answer is checked, and one of those that were checked is
 * connected to. It follows no redirect, uses no proxy, takes nothing compressed, and reads no more than it may.
 * @throws `peer_url_refused`
 */
export async function postOutbound(
  { url, headers, body, method = 'POST' }: OutboundCall,
  { rule, abortSignal, largestAnswerBytes, isRestLeft = false, resolve = resolveAll }: OutboundLimits,
): Promise<OutboundAnswer> {
  const target = new URL(url)
  const { host, port, isAddress } = targetOf(target)
  // What is an address already is not resolved.
  if (isAddress) refuseOutbound(host, rule, port)
  const options: RequestOptions = {
    method,
    headers: { ...headers, 'accept-encoding': 'identity' },
    // A connection that another call left open was made under the rule of that call.
    agent: false,
    lookup: checkedLookup({ rule, port }, resolve),
    signal: abortSignal,
  }
  const call = target.protocol === 'https:' ? requestByTls(target, options) : requestPlainly(target, options)
  // Once it is answered, what ends it is told by the answer; unheard, it would end the process.
  call.on('error', () => undefined)
  call.end(method === 'GET' ? undefined : body)
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  const text = await readBounded(response, url, { largestBytes: largestAnswerBytes, isRestLeft })
  return { status: response.statusCode ?? 0, headers: response.headers, text }
}

function resolveAll(hostname: string, answer: Parameters<Resolve>[1]): void {
  // Its types do not say that there are no addresses where there is an error.
  lookUp(hostname, { all: true }, (error, addresses: LookupAddress[] | undefined) => {
    answer(error, addresses ?? [])
  })
}

interface CheckedTarget {
  readonly rule: OutboundRule
  readonly port: number
}

/** As the system looks a name up for a connection, but that every answer has to pass. */
function checkedLookup(target: CheckedTarget, resolve: Resolve): LookupFunction {
  return (hostname, options, answer) => {
    resolve(hostname, (error, addresses) => {
      const refusal = error ?? refusalOf(hostname, addresses, target)
      const [first] = addresses
      if (refusal !== null || first === undefined) return answer(refusal, '')
      if (options.all === true) answer(null, addresses)
      else answer(null, first.address, first.family)
    })
  }
}

function refusalOf(
  hostname: string,
  addresses: readonly LookupAddress[],
  { rule, port }: CheckedTarget,
): Error | null {
  try {
    for (const { address } of addresses) refuseOutbound(address, rule, port)
    return addresses.length > 0 ? null : new Error(`${hostname} has no address`)
  } catch (error) {
    if (!(error instanceof BusinessError)) throw error
    return new BusinessError('peer_url_refused', `${hostname} is not spoken to: ${error.message}`)
  }
}

/** Counts while it reads: what a stranger sends has no end that is known. */
async function readBounded(
  response: IncomingMessage,
  url: string,
  { largestBytes, isRestLeft }: { largestBytes: number; isRestLeft: boolean },
): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.byteLength
    // Leaving the loop ends the connection.
    if (size > largestBytes && !isRestLeft)
      throw new Error(`${url} answers with more than ${largestBytes} bytes`)
    chunks.push(chunk)
    if (size > largestBytes) break
  }
  return Buffer.concat(chunks).toString('utf8')
}
