import type Docker from 'dockerode'
import type { Labels, VolumeStep } from '#domain/build-plan.ts'
import type { RemovalOutcome, RunnerContext, StepOutcome } from '#domain/runner.ts'
import { ownership } from '#domain/ownership.ts'
import { labelsHere } from '#domain/taken-over.ts'
import { call, callToEnd, find } from './engine.ts'
import { labelFilter, nameTaken } from './identity.ts'
import { createDiskUsage } from './metrics/disk-usage.ts'

export async function ensureVolume(
  docker: Docker,
  step: VolumeStep,
  ctx: RunnerContext,
): Promise<StepOutcome> {
  if (await hasVolume(docker, step, ctx)) {
    return { externalId: step.name, isAdopted: true, detail: `volume ${step.name} was there` }
  }
  // The engine answers with the volume that is there when one of this name was made meanwhile, so the labels are looked at again.
  await callToEnd(ctx, `create volume ${step.name}`, (abortSignal) =>
    docker.createVolume({ Name: step.name, Driver: 'local', Labels: { ...step.labels }, abortSignal }),
  )
  if (!(await hasVolume(docker, step, ctx))) throw new Error(`volume ${step.name} was made and is not there`)
  return { externalId: step.name, isAdopted: false, detail: `volume ${step.name} made` }
}

export async function removeVolume(
  docker: Docker,
  step: VolumeStep,
  ctx: RunnerContext,
): Promise<RemovalOutcome> {
  if (!(await hasVolume(docker, step, ctx))) {
    return { isRemoved: false, isAbsent: true, detail: `volume ${step.name} was not there` }
  }
  await find(ctx, `remove volume ${step.name}`, (abortSignal) =>
    docker.getVolume(step.name).remove({ abortSignal }),
  )
  if (await hasVolume(docker, step, ctx)) throw new Error(`volume ${step.name} is still there`)
  return { isRemoved: true, isAbsent: true, detail: `volume ${step.name} removed with what it held` }
}

export async function listVolumes(docker: Docker, labels: Labels, ctx: RunnerContext) {
  const listed = await call(ctx, 'list volumes', (abortSignal) =>
    docker.listVolumes({ filters: labelFilter(labels), abortSignal }),
  )
  return listed.Volumes
}

/** Of one that its engine had not made to the end there are none. */
export function labelsOf({ Labels: labels }: { Labels: Labels | null }): Labels {
  return labels ?? {}
}

async function hasVolume(docker: Docker, step: VolumeStep, ctx: RunnerContext): Promise<boolean> {
  const found = await find(ctx, `look for volume ${step.name}`, (abortSignal) =>
    docker.getVolume(step.name).inspect({ abortSignal }),
  )
  if (found === undefined) return false
  const labels = labelsHere(step, { externalId: found.Name, labels: found.Labels })
  if (ownership(labels, step.labels) !== 'foreign') return true
  if (!(await isHalfMade(docker, found, ctx))) throw nameTaken('volume', step.name)
  ctx.onProgress(`removing volume ${step.name}, which its engine had not made to the end when it was killed`)
  await find(ctx, `remove volume ${step.name}`, (abortSignal) =>
    docker.getVolume(step.name).remove({ abortSignal }),
  )
  return false
}

/**
 * An engine makes the folder of a volume first, and writes down its labels then: killed in between, it has one without any, not even
 * none. Such a one of our name is taken away only where nothing uses it and nothing is in it: whosever it is, nobody loses anything.
 */
async function isHalfMade(
  docker: Docker,
  { Name: name, Labels: labels }: { Name: string; Labels: Labels | null },
  ctx: RunnerContext,
): Promise<boolean> {
  if (labels !== null) return false
  const users = await call(ctx, `list what uses volume ${name}`, (abortSignal) =>
    docker.listContainers({ all: true, filters: { volume: [name] }, abortSignal }),
  )
  return users.length === 0 && (await createDiskUsage(docker)(ctx)()).get(name) === 0
}
