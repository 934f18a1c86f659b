import { randomUUID } from 'node:crypto'
import type Docker from 'dockerode'
import type { RunnerContext, ServerDescription, ServerExamination } from '#domain/runner.ts'
import { call, isStatus } from './engine.ts'
import { inTurns } from './turn.ts'

/** So many containers are looked at side by side. */
const inspectedAtOnce = 25
const mibBytes = 1_024 * 1_024

/** What can be done on an engine, found by doing it, and what of it is promised to nobody yet. Nothing of it is left. */
export async function examineServer(
  docker: Docker,
  description: ServerDescription,
  ctx: RunnerContext,
): Promise<ServerExamination> {
  const [canList, canCreate] = await Promise.all([mayList(docker, ctx), mayCreate(docker, ctx)])
  const promised = canList ? await readPromised(docker, ctx) : { memoryMib: 0, cpus: 0, unlimited: 0 }
  return {
    ...description,
    rights: { canList, canCreate },
    free: {
      memoryMib: Math.max(0, description.memoryMib - promised.memoryMib),
      cpus: Math.max(0, Math.round((description.cpus - promised.cpus) * 100) / 100),
    },
    unlimitedContainers: promised.unlimited,
  }
}

async function mayList(docker: Docker, ctx: RunnerContext): Promise<boolean> {
  return await allowed(
    call(ctx, 'list containers', (abortSignal) => docker.listContainers({ limit: 1, abortSignal })),
  )
}

/** A volume is made and removed; a container is asked for of an image that there is not, which an engine says only to whom it lets. */
async function mayCreate(docker: Docker, ctx: RunnerContext): Promise<boolean> {
  const name = `clouder-test-${randomUUID()}`
  const isVolumeMade = await allowed(call(ctx, 'create a volume', () => docker.createVolume({ Name: name })))
  if (!isVolumeMade) return false
  await call(ctx, 'remove the volume', () => docker.getVolume(name).remove())
  const image = `${name}:none`
  const asked = call(ctx, 'create a container', () => docker.createContainer({ Image: image }))
  return await allowed(asked.catch((error: unknown) => forgiveMissing(error)))
}

function forgiveMissing(error: unknown): undefined {
  if (isStatus(error, 404)) return undefined
  throw error
}

/** An engine, or a proxy before it, that forbids a call answers so. Anything else is no answer to the question. */
async function allowed(work: Promise<unknown>): Promise<boolean> {
  try {
    await work
    return true
  } catch (error) {
    if (isStatus(error, 401, 403, 405)) return false
    throw error
  }
}

async function readPromised(docker: Docker, ctx: RunnerContext) {
  const running = await call(ctx, 'list containers', (abortSignal) => docker.listContainers({ abortSignal }))
  const limits = await inTurns(
    running,
    inspectedAtOnce,
    async ({ Id: id }) => await readLimits(docker, id, ctx),
  )
  let memoryMib = 0
  let cpus = 0
  let unlimited = 0
  for (const limit of limits) {
    memoryMib += limit.memoryMib
    cpus += limit.cpus
    if (limit.memoryMib === 0) unlimited += 1
  }
  return { memoryMib: Math.ceil(memoryMib), cpus, unlimited }
}

/** One that has ended meanwhile takes nothing. */
async function readLimits(docker: Docker, id: string, ctx: RunnerContext) {
  try {
    const { HostConfig: host } = await call(ctx, 'look at a container', () =>
      docker.getContainer(id).inspect(),
    )
    const quota = (host.CpuQuota ?? 0) > 0 ? (host.CpuQuota ?? 0) / (host.CpuPeriod || 100_000) : 0
    return { memoryMib: (host.Memory ?? 0) / mibBytes, cpus: host.NanoCpus ? host.NanoCpus / 1e9 : quota }
  } catch (error) {
    if (isStatus(error, 404)) return { memoryMib: 0, cpus: 0 }
    throw error
  }
}
