import { Context } from '@temporalio/activity'
import { openDeployer, type OpenedDeployer } from '#db/deployer.ts'
import { BusinessError } from '#domain/errors.ts'
import type { PeerDependencies } from './dependencies.ts'
import { postOutbound, type OutboundAnswer } from './outbound.ts'
import { peerRule, problemOf, refusalBy } from './peer-post.ts'

const answerWithinMs = 30_000
const largestAnswerBytes = 16 * 1024 * 1024

export interface DeployerRequest {
  readonly method: 'GET' | 'POST'
  /** With its query. */
  readonly path: string
  readonly body?: unknown
  /** Of a POST: the same for every attempt at one thing. */
  readonly idempotencyKey?: string
}

/** One deployer, as it is spoken to. */
export interface DeployerCall {
  readonly deployer: OpenedDeployer
  /** @throws `deployer_refuses` for what will not change by itself; everything else is tried again */
  readonly ask: (request: DeployerRequest) => Promise<unknown>
  /** The same of what may not be there: undefined. */
  readonly find: (path: string) => Promise<unknown>
}

/** Undefined once the deployer was removed. */
export async function callDeployer(
  deps: PeerDependencies,
  deployerId: string,
): Promise<DeployerCall | undefined> {
  const deployer = await openDeployer(deps.db, deps.installationKey, deployerId)
  if (deployer === undefined) return undefined
  const rule = peerRule(deps)
  const send = async ({ method, path, body, idempotencyKey }: DeployerRequest): Promise<OutboundAnswer> =>
    await postOutbound(
      {
        method,
        url: `${deployer.url}${path}`,
        headers: {
          authorization: `Bearer ${deployer.key}`,
          accept: 'application/json',
          ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        },
        body: body === undefined ? '' : JSON.stringify(body),
      },
      {
        rule,
        abortSignal: AbortSignal.any([
          AbortSignal.timeout(answerWithinMs),
          Context.current().cancellationSignal,
        ]),
        largestAnswerBytes,
      },
    )
  return {
    deployer,
    ask: async (request) => read(deployer, await send(request)),
    find: async (path) => {
      const answer = await send({ method: 'GET', path })
      return isNotThere(answer) ? undefined : read(deployer, answer)
    },
  }
}

/** Not what any other software would answer at this address, or a proxy before it. */
function isNotThere({ status, text }: OutboundAnswer): boolean {
  return status === 404 && problemOf(text)?.code === 'not_found'
}

function read({ code, url }: OpenedDeployer, answer: OutboundAnswer): unknown {
  if (answer.status >= 200 && answer.status < 300) return JSON.parse(answer.text)
  const refusal = refusalBy(url, answer)
  if (!(refusal instanceof BusinessError)) throw refusal
  // Two attempts met: the first is still at work.
  if (/\bidempotency_key_in_use\b/.test(refusal.message)) throw new Error(refusal.message)
  throw new BusinessError('deployer_refuses', refusal.message.replace('The other side', `Deployer ${code}`), {
    cause: refusal,
  })
}
