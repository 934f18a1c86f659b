import { randomUUID } from 'node:crypto'
import type Docker from 'dockerode'
import { z } from 'zod'
import type { Labels } from '#domain/build-plan.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { call } from './engine.ts'

const PORT = 8080
const PATIENCE_S = 2
const ATTEMPTS_MAX = 5

export interface IsolationObservation {
  readonly isIsolated: boolean
  readonly detail: string
}

/**
 * Tries it: a container is asked from its own network, where it must answer, and from another one, where it must not. What an
 * engine says of itself does not tell: one whose packet filter is off makes the same networks. Nothing of it stays.
 * @param means an image with busybox in it, and what everything that is made carries until it is removed
 */
export async function tryIsolation(
  docker: Docker,
  { image, labels }: { image: string; labels: Labels },
  ctx: RunnerContext,
): Promise<IsolationObservation> {
  const made: (() => Promise<unknown>)[] = []
  try {
    const [own, other] = await Promise.all([
      makeNetwork(docker, labels, { made, ctx }),
      makeNetwork(docker, labels, { made, ctx }),
    ])
    const server = await startProbe(
      docker,
      { image, labels, network: own, argv: ['httpd', '-f', '-p', String(PORT), '-h', '/'] },
      { made, ctx },
    )
    const address = await addressOf(server, own, ctx)
    const asks = async (network: string): Promise<boolean> => {
      const argv = ['nc', '-w', String(PATIENCE_S), address, String(PORT), '-e', '/bin/true']
      return (
        (await exitCodeOf(await startProbe(docker, { image, labels, network, argv }, { made, ctx }), ctx)) ===
        0
      )
    }
    let isReachedFromOwn = false
    // It listens a moment after it was started.
    for (let attempt = 0; attempt < ATTEMPTS_MAX && !isReachedFromOwn; attempt += 1)
      isReachedFromOwn = await asks(own)
    return judge({ isReachedFromOwn, isReachedFromOther: await asks(other) })
  } finally {
    for (const remove of made.toReversed()) await remove().catch(() => undefined)
  }
}

/** What is reached from nowhere proves nothing. */
export function judge(seen: {
  isReachedFromOwn: boolean
  isReachedFromOther: boolean
}): IsolationObservation {
  if (seen.isReachedFromOther)
    return { isIsolated: false, detail: 'a container was reached from another network' }
  if (!seen.isReachedFromOwn)
    throw new Error('a container was not reached from its own network: nothing is told')
  return { isIsolated: true, detail: 'a container is reached from its own network, and not from another one' }
}

async function makeNetwork(docker: Docker, labels: Labels, { made, ctx }: Making): Promise<string> {
  const name = `clouder-probe-${randomUUID()}`
  const network = await call(ctx, 'create a network to try', (abortSignal) =>
    docker.createNetwork({ Name: name, Driver: 'bridge', Labels: { ...labels }, abortSignal }),
  )
  made.push(async () => await network.remove())
  return name
}

interface Making {
  /** How what was made is removed. */
  readonly made: (() => Promise<unknown>)[]
  readonly ctx: RunnerContext
}

interface Probe {
  readonly image: string
  readonly labels: Labels
  readonly network: string
  readonly argv: readonly string[]
}

async function startProbe(
  docker: Docker,
  { image, labels, network, argv }: Probe,
  { made, ctx }: Making,
): Promise<Docker.Container> {
  const container = await call(ctx, 'create a container to try', (abortSignal) =>
    docker.createContainer({
      name: `clouder-probe-${randomUUID()}`,
      Image: image,
      Entrypoint: ['/bin/busybox'],
      Cmd: [...argv],
      User: '1000:1000',
      Labels: { ...labels },
      HostConfig: {
        NetworkMode: network,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        ReadonlyRootfs: true,
        Memory: 32 * 1024 * 1024,
        PidsLimit: 16,
      },
      abortSignal,
    }),
  )
  // Also when there is no time left for anything else.
  made.push(async () => await container.remove({ force: true }))
  await call(ctx, 'start a container to try', (abortSignal) => container.start({ abortSignal }))
  return container
}

async function addressOf(container: Docker.Container, network: string, ctx: RunnerContext): Promise<string> {
  const found = await call(ctx, 'look at what was made', (abortSignal) => container.inspect({ abortSignal }))
  const address = found.NetworkSettings.Networks[network]?.IPAddress ?? ''
  if (address === '') throw new Error('a container that was to be tried has no address')
  return address
}

const endSchema = z.object({ StatusCode: z.number() })

async function exitCodeOf(container: Docker.Container, ctx: RunnerContext): Promise<number> {
  const end: unknown = await call(ctx, 'wait for an answer', () => container.wait())
  return endSchema.parse(end).StatusCode
}
