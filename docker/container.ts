import type Docker from 'dockerode'
import { BusinessError } from '#domain/errors.ts'
import type { ContainerStep, Labels } from '#domain/build-plan.ts'
import { ContainerStuck, type RemovalOutcome, type RunnerContext, type StepOutcome } from '#domain/runner.ts'
import { differenceText } from '#domain/container-difference.ts'
import { ownership } from '#domain/ownership.ts'
import { isTakenOver, labelsHere } from '#domain/taken-over.ts'
import {
  createOptions,
  differences,
  environmentDifferences,
  limitDifferences,
  limitOptions,
} from './container-options.ts'
import { call, callToEnd, EngineError, find, isStatus, pause } from './engine.ts'
import { containerExited } from './failure.ts'
import { nameTaken } from './identity.ts'
import { findImage } from './image-pull.ts'
import { attachToLinks } from './link.ts'
import { ensureNetwork } from './network.ts'
import { putFiles } from './container-files.ts'
import { findContainer, isJob } from './observation.ts'
import { waitUntil } from './ready.ts'
import { startContainer } from './start.ts'

const STOP_GRACE_S = 10
const STOP_DEADLINE_MS = 40_000
const REMOVAL_POLLS_MAX = 40

/** Finds or makes the container, and starts it. Success means that it was seen running, or a job that ended well. */
export async function ensureContainer(
  docker: Docker,
  step: ContainerStep,
  ctx: RunnerContext,
): Promise<StepOutcome> {
  await ensureNetwork(docker, step.network, ctx)
  await waitForDependencies(docker, step, ctx)
  const { found, isAdopted, change } = await findOrCreate(docker, step, ctx)
  if (!isTakenOver(step, found.Id)) {
    await refuseDifferences(docker, step, found, ctx)
    await settle(docker, step, found, ctx)
  } else if (!found.State.Running) await startContainer(docker, found.Id, ctx)
  const running = await findContainer(docker, step.name, ctx)
  if (running === undefined) throw new Error(`container ${step.name} was started and is not there`)
  if (!running.State.Running && !hasDoneItsJob(running)) throw await containerExited(docker, running, ctx)
  const how = change ?? (isAdopted ? 'was there' : 'made')
  const detail = `container ${step.name} ${how}, runs`
  return { externalId: running.Id, isAdopted, ...(change === undefined ? {} : { change }), detail }
}

/** Gives it what it needs and starts it. One that is stuck makes place for a new one: as one that is gone, it can only be made again. */
async function settle(
  docker: Docker,
  step: ContainerStep,
  found: Docker.ContainerInspectInfo,
  ctx: RunnerContext,
): Promise<void> {
  const start = async (container: Docker.ContainerInspectInfo): Promise<void> => {
    await attachToLinks(docker, step, container, ctx)
    await putFiles(docker, step, ctx)
    if (!container.State.Running && !hasDoneItsJob(container)) await startContainer(docker, step.name, ctx)
  }
  try {
    await start(found)
  } catch (error) {
    if (!(error instanceof ContainerStuck)) throw error
    ctx.onProgress(`${error.message}: it is made anew`)
    await refuseMissingVolumes(docker, step, ctx)
    await deleteContainer(docker, found.Id, ctx)
    await start(await create(docker, step, ctx))
  }
}

/** A job that has not begun has exit code 0 too: its state is `created`. */
function hasDoneItsJob(found: Docker.ContainerInspectInfo): boolean {
  return isJob(found) && found.State.Status === 'exited' && found.State.ExitCode === 0
}

export async function removeContainer(
  docker: Docker,
  step: ContainerStep,
  ctx: RunnerContext,
): Promise<RemovalOutcome> {
  const found = await findContainer(docker, step.name, ctx)
  if (found === undefined) {
    return { isRemoved: false, isAbsent: true, detail: `container ${step.name} was not there` }
  }
  if (ownership(labelsOn(step, found), step.labels) === 'foreign') throw nameTaken('container', step.name)
  await stopContainer(docker, found.Id, ctx)
  await deleteContainer(docker, found.Id, ctx)
  return { isRemoved: true, isAbsent: true, detail: `container ${step.name} stopped and removed` }
}

/** Gives the processes 10 s to end. Stopped, or not there, is a success. */
export async function stopContainer(docker: Docker, nameOrId: string, ctx: RunnerContext): Promise<void> {
  try {
    const stop = (abortSignal: AbortSignal): Promise<unknown> =>
      docker.getContainer(nameOrId).stop({ t: STOP_GRACE_S, abortSignal })
    await call(ctx, `stop container ${nameOrId}`, stop, STOP_DEADLINE_MS)
  } catch (error) {
    if (!isStatus(error, 304, 404)) throw error
  }
}

async function waitForDependencies(docker: Docker, step: ContainerStep, ctx: RunnerContext): Promise<void> {
  for (const condition of ['completed', 'started', 'healthy'] as const) {
    const names = step.dependsOn.filter((on) => on.condition === condition).map((on) => on.service)
    if (names.length > 0) await waitUntil(docker, { names, condition, timeoutS: step.timeoutS }, ctx)
  }
}

interface Found {
  readonly found: Docker.ContainerInspectInfo
  readonly isAdopted: boolean
  readonly change?: StepOutcome['change']
}

/** One that is there is taken as it is, is given other limits while it runs, or makes place for a new one. */
async function findOrCreate(docker: Docker, step: ContainerStep, ctx: RunnerContext): Promise<Found> {
  const there = await findContainer(docker, step.name, ctx)
  if (there === undefined) return { found: await create(docker, step, ctx), isAdopted: false }
  const owner = ownership(labelsOn(step, there), step.labels)
  if (owner === 'foreign') throw nameTaken('container', step.name)
  if (owner === 'newer') throw new Error(`container ${step.name} is of a newer generation than this step`)
  if (owner === 'same' && isTakenOver(step, there.Id)) return await takeOver(docker, step, there, ctx)
  const isOurs = owner === 'same' && (await isMadeOf(docker, step, there, ctx))
  const different = [...differences(step, there), ...environmentDifferences(step, there)]
  if (isOurs && different.length === 0) return { found: there, isAdopted: true }
  if (isOurs && different.length === limitDifferences(step, there).length) {
    const updated = await updateLimits(docker, step, there.Id, ctx)
    if (updated !== undefined) return { found: updated, isAdopted: true, change: 'updated' }
  }
  ctx.onProgress(`replacing container ${step.name}, made by an earlier plan`)
  await refuseMissingVolumes(docker, step, ctx)
  await stopContainer(docker, there.Id, ctx)
  await deleteContainer(docker, there.Id, ctx)
  return { found: await create(docker, step, ctx), isAdopted: false, change: 'replaced' }
}

/** What was there before is taken as it is: only limits that somebody gave it are set, while it runs. */
async function takeOver(
  docker: Docker,
  step: ContainerStep,
  there: Docker.ContainerInspectInfo,
  ctx: RunnerContext,
): Promise<Found> {
  if (step.hasGivenLimits !== true || limitDifferences(step, there).length === 0)
    return { found: there, isAdopted: true }
  const updated = await updateLimits(docker, step, there.Id, ctx)
  if (updated !== undefined) return { found: updated, isAdopted: true, change: 'updated' }
  const detail = `the engine does not give container ${step.name} these limits while it runs`
  throw new BusinessError('limit_not_in_force', detail)
}

/** The labels of a container as they count here. */
function labelsOn(step: ContainerStep, found: Docker.ContainerInspectInfo): Labels {
  return labelsHere(step, { externalId: found.Id, labels: found.Config.Labels })
}

/** An engine may have an image by its id alone, such as one that was loaded from a file. */
async function imageNameHere(docker: Docker, step: ContainerStep, ctx: RunnerContext): Promise<string> {
  if (step.imageId === undefined) return step.image
  return (await findImage(docker, step.image, ctx)) === undefined ? step.imageId : step.image
}

/** A name may mean another image by now. Of one that the engine has no more, what it was called is all that can be compared. */
async function isMadeOf(
  docker: Docker,
  step: ContainerStep,
  there: Docker.ContainerInspectInfo,
  ctx: RunnerContext,
): Promise<boolean> {
  if (step.imageId !== undefined) return there.Image === step.imageId
  const image = await findImage(docker, step.image, ctx)
  return image === undefined ? there.Config.Image === step.image : there.Image === image.Id
}

/** Undefined where the engine does not do so, such as less memory than is in use: then only a new container has them. */
async function updateLimits(
  docker: Docker,
  step: ContainerStep,
  id: string,
  ctx: RunnerContext,
): Promise<Docker.ContainerInspectInfo | undefined> {
  try {
    await call(ctx, `update the limits of container ${step.name}`, (abortSignal) =>
      docker.getContainer(id).update({ ...limitOptions(step), abortSignal }),
    )
  } catch (error) {
    if (error instanceof EngineError && error.status !== undefined) return undefined
    throw error
  }
  const found = await findContainer(docker, id, ctx)
  return found !== undefined && limitDifferences(step, found).length === 0 ? found : undefined
}

async function create(
  docker: Docker,
  step: ContainerStep,
  ctx: RunnerContext,
): Promise<Docker.ContainerInspectInfo> {
  await refuseMissingVolumes(docker, step, ctx)
  // A name taken in the meantime is a 409, thus a retry, which will look at the labels of what is there.
  const options = { ...createOptions(step, ctx.secrets), Image: await imageNameHere(docker, step, ctx) }
  await callToEnd(ctx, `create container ${step.name}`, (abortSignal) =>
    docker.createContainer({ ...options, abortSignal }),
  )
  const made = await findContainer(docker, step.name, ctx)
  if (made === undefined) throw new Error(`container ${step.name} was made and is not there`)
  return made
}

/** The engine would make a missing volume itself, without our labels, and nothing would ever remove it. */
async function refuseMissingVolumes(docker: Docker, step: ContainerStep, ctx: RunnerContext): Promise<void> {
  for (const mount of step.mounts) {
    const found = await find(ctx, `look for volume ${mount.volume}`, (abortSignal) =>
      docker.getVolume(mount.volume).inspect({ abortSignal }),
    )
    if (found === undefined) throw new Error(`volume ${mount.volume} is not there`)
    if (step.takenOverVolumes?.includes(mount.volume) === true) continue
    if (found.Labels?.['io.clouder.instance'] !== step.labels['io.clouder.instance']) {
      throw nameTaken('volume', mount.volume)
    }
  }
}

async function refuseDifferences(
  docker: Docker,
  step: ContainerStep,
  found: Docker.ContainerInspectInfo,
  ctx: RunnerContext,
): Promise<void> {
  const different = differences(step, found)
  if (different.length === 0) return
  await deleteContainer(docker, found.Id, ctx)
  throw new BusinessError(
    'limit_not_in_force',
    `the engine did not make container ${step.name} as asked, so it was removed again: ${different.map(differenceText).join('; ')}`,
  )
}

/** Anonymous volumes, which an image may ask for, go with their container; named ones are steps of their own. */
async function deleteContainer(docker: Docker, id: string, ctx: RunnerContext): Promise<void> {
  try {
    await find(ctx, `remove container ${id}`, (abortSignal) =>
      docker.getContainer(id).remove({ force: true, v: true, abortSignal }),
    )
  } catch (error) {
    // 409: its removal is under way already, by an earlier try.
    if (!isStatus(error, 409)) throw error
  }
  for (let poll = 0; poll < REMOVAL_POLLS_MAX; poll++) {
    if ((await findContainer(docker, id, ctx)) === undefined) return
    await pause(ctx, 250)
  }
  throw new Error(`container ${id} is still there after its removal`)
}
