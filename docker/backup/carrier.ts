import { randomUUID } from 'node:crypto'
import type Docker from 'dockerode'
import { instanceLabels, type PlannedInstance } from '#domain/build-plan.ts'
import { BusinessError } from '#domain/errors.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { ownership } from '#domain/ownership.ts'
import { ensureBase } from '../base-image.ts'
import { startContainer } from '../start.ts'
import { call, callToEnd, find, pause } from '../engine.ts'
import { labelFilter, nameTaken } from '../identity.ts'

const CARRIER_LABEL = 'io.clouder.carrier'
/** Where a carrier has the volume; the names in an archive begin with it. */
const MOUNTED = '/volume'

export interface Carried {
  readonly instance: PlannedInstance
  /** Name on the server. */
  readonly volume: string
  readonly isReadOnly: boolean
}

/**
 * Gives what a volume is read and written through: a container with it and without a process, for it is never started. It is
 * removed afterwards, and one that an earlier try left before.
 */
export async function withCarrier<T>(
  docker: Docker,
  busyboxPath: string,
  carried: Carried,
  { ctx, use }: { ctx: RunnerContext; use: (carrier: Carrier) => Promise<T> },
): Promise<T> {
  await requireVolume(docker, carried, ctx)
  const image = await ensureBase(docker, busyboxPath, ctx)
  const created = await callToEnd(ctx, `create a carrier of volume ${carried.volume}`, (abortSignal) =>
    docker.createContainer({ ...carrierOptions(image, carried), abortSignal }),
  )
  try {
    return await use(carrierOf(docker, created.id, ctx))
  } finally {
    await removeCarrier(docker, created.id, ctx)
  }
}

/** An archive of the volume's content, and an archive put into it. */
export interface Carrier {
  readonly read: () => Promise<NodeJS.ReadableStream>
  readonly write: (archive: NodeJS.ReadableStream) => Promise<void>
}

function carrierOf(docker: Docker, id: string, ctx: RunnerContext): Carrier {
  const container = docker.getContainer(id)
  // The body outlives any deadline of a call: it ends with the caller's signal, or when nothing comes any more.
  const { abortSignal } = ctx
  return {
    read: async () =>
      await call(ctx, 'read the volume', () => container.getArchive({ path: MOUNTED, abortSignal })),
    write: async (archive) => {
      await container.putArchive(archive, { path: '/', abortSignal })
    },
  }
}

function carrierOptions(image: string, { instance, volume, isReadOnly }: Carried) {
  return {
    name: `clouder-carrier-${randomUUID()}`,
    Image: image,
    Cmd: ['/bin/false'],
    Labels: { ...instanceLabels(instance), [CARRIER_LABEL]: volume },
    NetworkDisabled: true,
    HostConfig: {
      NetworkMode: 'none',
      Mounts: [
        {
          Type: 'volume' as const,
          Source: volume,
          Target: MOUNTED,
          ReadOnly: isReadOnly,
          VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: 'local', Options: {} } },
        },
      ],
    },
  }
}

const ALL_INSIDE = ['/bin/busybox', 'find', MOUNTED, '-mindepth', '1', '-maxdepth', '1']
const EMPTY = [...ALL_INSIDE, '-exec', '/bin/busybox', 'rm', '-rf', '{}', '+']
const EMPTY_DEADLINE_MS = 30 * 60_000
const EMPTY_POLL_MS = 100

/** Removes what a volume holds. This carrier is started: an archive can only add. */
export async function emptyVolume(
  docker: Docker,
  busyboxPath: string,
  { volume, instance }: Omit<Carried, 'isReadOnly'>,
  ctx: RunnerContext,
): Promise<void> {
  const carried = { instance, volume, isReadOnly: false }
  await requireVolume(docker, carried, ctx)
  const image = await ensureBase(docker, busyboxPath, ctx)
  const options = { ...carrierOptions(image, carried), Cmd: EMPTY }
  const { id } = await call(ctx, `create a carrier of volume ${volume}`, (abortSignal) =>
    docker.createContainer({ ...options, abortSignal }),
  )
  try {
    ctx.onProgress(`emptying volume ${volume}`)
    await startContainer(docker, id, ctx)
    const exitCode = await endOf(docker, id, ctx)
    if (exitCode !== 0)
      throw new BusinessError('backup_failed', `volume ${volume} could not be emptied, exit code ${exitCode}`)
  } finally {
    await removeCarrier(docker, id, ctx)
  }
}

/**
 * Looks again and again. The engine's own call that waits begins its answer at once: where it is killed then, the rest is waited for
 * until the deadline.
 */
async function endOf(docker: Docker, id: string, ctx: RunnerContext): Promise<number> {
  const untilMs = performance.now() + EMPTY_DEADLINE_MS
  for (;;) {
    const { State: state } = await call(ctx, `look at carrier ${id}`, (abortSignal) =>
      docker.getContainer(id).inspect({ abortSignal }),
    )
    if (!state.Running) return state.ExitCode
    if (performance.now() > untilMs) throw new Error(`carrier ${id} did not end in time`)
    await pause(ctx, EMPTY_POLL_MS)
  }
}

/** The engine would make a missing one itself, and the copy would be of nothing. */
async function requireVolume(docker: Docker, { instance, volume }: Carried, ctx: RunnerContext) {
  const found = await find(ctx, `look for volume ${volume}`, (abortSignal) =>
    docker.getVolume(volume).inspect({ abortSignal }),
  )
  if (found === undefined)
    throw new BusinessError('backup_failed', `volume ${volume} is not on the server any more`)
  if (Object.values(instance.takenOver?.volumes ?? {}).includes(volume)) return
  if (ownership(found.Labels, instanceLabels(instance)) === 'foreign') throw nameTaken('volume', volume)
}

async function removeCarrier(docker: Docker, id: string, ctx: RunnerContext): Promise<void> {
  await find(ctx, `remove carrier ${id}`, (abortSignal) =>
    docker.getContainer(id).remove({ force: true, abortSignal }),
  )
}

/** What tries that were killed left. */
export async function removeCarriers(
  docker: Docker,
  instance: PlannedInstance,
  ctx: RunnerContext,
): Promise<void> {
  const { label } = labelFilter(instanceLabels(instance))
  const left = await call(ctx, 'list carriers', (abortSignal) =>
    docker.listContainers({ all: true, filters: { label: [...label, CARRIER_LABEL] }, abortSignal }),
  )
  for (const { Id } of left) await removeCarrier(docker, Id, ctx)
}
