import type Docker from 'dockerode'
import { z } from 'zod'
import { orderServices } from '#domain/application.ts'
import { unreachable } from '#domain/assert.ts'
import { containerName, installationLabels, type EngineStep, type UndoableStep } from '#domain/build-plan.ts'
import {
  ContainerMissing,
  type InstanceObservation,
  type InstanceRef,
  type RemovalOutcome,
  type Runner,
  type RunnerContext,
  type ServerDescription,
  type StepOutcome,
} from '#domain/runner.ts'
import { removeCarriers } from './backup/carrier.ts'
import { createFolderStorage } from './backup/folder.ts'
import { restoreVolumes, saveVolume, verifyCopy, type Copying } from './backup/volume-copy.ts'
import { ensureContainer, removeContainer, stopContainer } from './container.ts'
import { ask, call, connectEngine, type EngineCertificates } from './engine.ts'
import { watchEngine } from './engine-events.ts'
import { examineServer } from './examination.ts'
import { execute } from './execution.ts'
import { listRanges } from './held-ranges.ts'
import { keepHostRules, type RunOnHost } from './host-rules.ts'
import { ensureImage, type ImageSources } from './image.ts'
import { applyLimit, readLimit, readUse } from './limit.ts'
import { ensureLink } from './link.ts'
import { readLog } from './log.ts'
import { listByLabels, listResources } from './list.ts'
import { createDiskUsage } from './metrics/disk-usage.ts'
import { readMetrics } from './metrics/index.ts'
import { ensureNetwork, removeNetwork } from './network.ts'
import { findContainer, isJob, observe } from './observation.ts'
import { checkReady, ensureReady } from './ready.ts'
import { startContainer } from './start.ts'
import { observeServer } from './server-observation.ts'
import { throttle } from './throttle.ts'
import { ensureVolume, removeVolume } from './volume.ts'

export interface DockerRunnerOptions extends ImageSources {
  /** `unix://…` or `tcp://…`; without it, what `DOCKER_HOST` or the default socket says. */
  readonly dockerHost?: string
  /** For an engine behind TLS. */
  readonly certificates?: EngineCertificates
  /** Where copies of volumes are kept. Without it nothing can be saved, thus nothing that has volumes be unbuilt. */
  readonly backupsFolder?: string
  /** Sets rules on the engine's host. Without it none are wanted. */
  readonly runOnHost?: RunOnHost
  /** Slows down what instances send. Without it that cannot be done. */
  readonly runInNetwork?: RunOnHost
}

/** The runner that makes things for real, on one engine. */
export function createDockerRunner(options: DockerRunnerOptions): Runner {
  const docker = connectEngine(options.dockerHost, options.certificates)
  const diskUsage = createDiskUsage(docker)
  const storage = createFolderStorage(options.backupsFolder ?? '')
  const copying = { docker, storage, busyboxPath: options.busyboxPath }
  return {
    id: 'docker',
    describe: (ctx) => describeServer(docker, ctx),
    examine: async (ctx) => await examineServer(docker, await describeServer(docker, ctx), ctx),
    testConnection: async (ctx) =>
      void (await call(ctx, 'reach the engine', (abortSignal) => ask(docker, 'ping', abortSignal), 5_000)),
    ensure: (step, ctx) => ensureStep(copying, options, step, ctx),
    remove: (step, ctx) => removeStep(docker, step, ctx),
    keepHostRules: (of, ctx) => keepHostRules({ docker, runOnHost: options.runOnHost }, of, ctx),
    list: (instance, ctx) => listResources(docker, instance, ctx),
    listRanges: (ctx) => listRanges(docker, ctx),
    listManaged: (installation, ctx) => listByLabels(docker, installationLabels(installation), ctx),
    isAbsent: async (instance, ctx) => (await listResources(docker, instance, ctx)).length === 0,
    observe: (instance, ctx) => observe(docker, instance, ctx),
    observeServer: (request, ctx) => observeServer(docker, request, ctx),
    watch: (installation, onChange, ctx) => watchEngine(docker, { installation, onChange }, ctx),
    stop: (ref, ctx) => stopInstance(docker, ref, ctx),
    start: (ref, ctx) => startInstance(docker, ref, ctx),
    checkReady: (step, ctx) => checkReady(docker, step, ctx),
    execute: (request, ctx) => execute(docker, request, ctx),
    readLog: (ref, request, ctx) => readLog(docker, ref, request, ctx),
    applyLimit: (ref, limit, ctx) => applyLimit(ref, limit, (request) => execute(docker, request, ctx)),
    readLimit: (ref, code, ctx) => readLimit(ref, code, (request) => execute(docker, request, ctx)),
    readUse: (ref, code, ctx) => readUse(ref, code, (request) => execute(docker, request, ctx)),
    throttle: (ref, ctx) => throttle({ docker, runOnHost: options.runInNetwork }, ref, ctx),
    readMetrics: (ref, ctx, since, earlier, dataSources) =>
      readMetrics(docker, diskUsage(ctx), ref, ctx, { since, earlier, dataSources }),
    saveVolume: (request, ctx) => saveVolume(copying, request, ctx),
    verifyCopy: (copy, ctx) => verifyCopy(copying, copy, ctx),
    deleteCopy: (location) => storage.remove(location),
    clearCopying: (instance, ctx) => removeCarriers(docker, instance, ctx),
  }
}

async function ensureStep(
  copying: Copying,
  sources: ImageSources,
  step: EngineStep,
  ctx: RunnerContext,
): Promise<StepOutcome> {
  const { docker } = copying
  switch (step.kind) {
    case 'network':
      return await ensureNetwork(docker, step, ctx)
    case 'volume':
      return await ensureVolume(docker, step, ctx)
    case 'restore':
      return await restoreVolumes(copying, step, ctx)
    case 'image':
      return await ensureImage(docker, sources, step, ctx)
    case 'link':
      return await ensureLink(docker, step, ctx)
    case 'container':
      return await ensureContainer(docker, step, ctx)
    case 'ready':
      return await ensureReady(docker, step, ctx)
    default:
      return unreachable(step)
  }
}

async function removeStep(docker: Docker, step: UndoableStep, ctx: RunnerContext): Promise<RemovalOutcome> {
  switch (step.kind) {
    case 'container':
      return await removeContainer(docker, step, ctx)
    case 'volume':
      return await removeVolume(docker, step, ctx)
    case 'network':
      return await removeNetwork(docker, step, ctx)
    default:
      return unreachable(step)
  }
}

async function stopInstance(
  docker: Docker,
  ref: InstanceRef,
  ctx: RunnerContext,
): Promise<InstanceObservation> {
  for (const name of containerNames(ref).toReversed()) {
    ctx.onProgress(`stopping container ${name}`)
    await stopContainer(docker, name, ctx)
  }
  const observed = await observe(docker, ref.instance, ctx)
  if (observed.containers.length > 0 && !observed.isStopped)
    throw new Error('a container still runs after its stop')
  return observed
}

async function startInstance(
  docker: Docker,
  ref: InstanceRef,
  ctx: RunnerContext,
): Promise<InstanceObservation> {
  for (const name of containerNames(ref)) {
    ctx.onProgress(`starting container ${name}`)
    const found = await findContainer(docker, name, ctx)
    if (found === undefined) throw new ContainerMissing(name)
    // A job has been done once: it is not done again because its instance was away for a while.
    if (isJob(found) && found.State.ExitCode === 0) continue
    await startContainer(docker, name, ctx)
  }
  return await observe(docker, ref.instance, ctx)
}

function containerNames({ definition, instance }: InstanceRef): string[] {
  return orderServices(definition.services).map((service) => containerName(instance, service.name))
}

const engineInfo = z.object({
  NCPU: z.number(),
  MemTotal: z.number(),
  Driver: z.string(),
  Containers: z.number(),
  CgroupVersion: z.string().default('1'),
})

const engineVersions = z.object({ Version: z.string(), ApiVersion: z.string() })

async function describeServer(docker: Docker, ctx: RunnerContext): Promise<ServerDescription> {
  const [answer, version] = await Promise.all([
    call(ctx, 'describe the engine', (abortSignal) => ask(docker, 'info', abortSignal)),
    call(ctx, 'ask the engine its version', (abortSignal) => ask(docker, 'version', abortSignal)),
  ])
  const info = engineInfo.parse(answer)
  const { Version: engineVersion, ApiVersion: apiVersion } = engineVersions.parse(version)
  return {
    runner: 'docker',
    engineVersion,
    apiVersion,
    cpus: info.NCPU,
    memoryMib: Math.floor(info.MemTotal / 1024 / 1024),
    cgroupVersion: info.CgroupVersion,
    storageDriver: info.Driver,
    containers: info.Containers,
  }
}
