import { limitCommand, orderServices } from '#domain/application.ts'
import {
  containerName,
  environmentLabels,
  installationLabels,
  instanceLabels,
  volumeName,
  type EngineStep,
  type ContainerStep,
  type LinkStep,
  type NetworkIdentity,
  type PlannedInstance,
  type SavedCopy,
  type UndoableStep,
} from '#domain/build-plan.ts'
import { BusinessError } from '#domain/errors.ts'
import type {
  ContainerObservation,
  ExecuteResult,
  InstanceObservation,
  InstanceRef,
  LimitObservation,
  MetricReading,
  MetricsRead,
  ObservedObject,
  ReadyObservation,
  RemovalOutcome,
  Runner,
  RunnerContext,
  ServerDescription,
  ServerObservationRequest,
  ServerResource,
  StepOutcome,
} from '#domain/runner.ts'
import { ownership } from '#domain/ownership.ts'
import { overlaps, type HeldRange } from '#domain/subnet.ts'
import { type DryRunOptions, type ImaginedObject, ImaginedServer, isOf } from './dry-run-server.ts'
import { nameTaken } from './identity.ts'
import { findLimit } from './limit.ts'
import { summarize } from './observation.ts'
import { sources } from './metrics/sources.ts'

/** A runner that also tells which calls it would have made. */
export interface DryRunRunner extends Runner {
  readonly calls: () => readonly string[]
}

/**
 * Follows the contract of a runner without a server, where there is none: nothing is built, nothing answers, readings are zero.
 * Whoever chooses it must say so where it cannot be overlooked.
 */
export function createDryRunRunner(options: DryRunOptions = {}): DryRunRunner {
  const server = new ImaginedServer(options)
  return {
    id: 'dry-run',
    calls: () => [...server.calls],
    describe: async () => describeServer(server),
    examine: async () => ({
      ...describeServer(server),
      rights: { canList: true, canCreate: true },
      free: { cpus: 0, memoryMib: 0 },
      unlimitedContainers: 0,
    }),
    testConnection: async () => undefined,
    ensure: async (step, ctx) => ensureStep(server, step, ctx),
    remove: async (step, ctx) => removeStep(server, step, ctx),
    keepHostRules: async () => ({ state: 'not_possible', detail: 'there is no host' }),
    list: async (instance) => listResources(server, instance),
    listRanges: async () => heldRanges(server),
    listManaged: async (installation) =>
      server.state.objects.filter((one) => isOf(one, installationLabels(installation))).map(toResource),
    isAbsent: async (instance) => listResources(server, instance).length === 0,
    observe: async (instance) => observe(server, instance),
    observeServer: async (request) => observeServer(server, request),
    // Nothing happens by itself on a server that is not there.
    watch: async (_installation, _onChange, { abortSignal }) => await untilAborted(abortSignal),
    stop: async (ref) => setRunning(server, ref, false),
    start: async (ref) => setRunning(server, ref, true),
    checkReady: async (step) => checkRunning(server, step.containers),
    execute: async ({ container, argv }) => answer(server, container, argv, ''),
    readLog: async () => [],
    applyLimit: async (ref, { code, value }) => setLimit(server, ref, code, value),
    readLimit: async (ref, code) => observeLimit(server, ref, code, []),
    readUse: async (ref, code) => observeLimit(server, ref, code, []).inUse,
    throttle: async ({ instance }) => {
      const held = (instance.holds ?? []).find(({ way }) => way === 'throttle_network')
      server.record(`throttle ${instance.instance} ${held ? JSON.stringify(held) : 'no more'}`)
    },
    readMetrics: async (ref) => readMetrics(server, ref),
    saveVolume: async ({ volume, key }) => saveNothing(server, volume, key),
    verifyCopy: async () => ({ entries: 0 }),
    deleteCopy: async (location) => server.record(`delete copy ${location}`),
    clearCopying: async () => undefined,
  }
}

function describeServer(server: ImaginedServer): ServerDescription {
  return {
    runner: 'dry-run',
    engineVersion: 'none',
    apiVersion: 'none',
    cpus: 0,
    memoryMib: 0,
    cgroupVersion: 'none',
    storageDriver: 'none',
    containers: server.state.objects.filter((one) => one.kind === 'container').length,
  }
}

function ensureStep(server: ImaginedServer, step: EngineStep, ctx: RunnerContext): StepOutcome {
  ctx.abortSignal.throwIfAborted()
  server.record(`ensure ${step.kind} ${step.name}`)
  const detail = `dry run: ${step.title}`
  if (step.kind === 'image')
    return { externalId: step.pin?.imageId ?? `dry-run:${step.name}`, isAdopted: false, detail }
  if (step.kind === 'restore') return { externalId: step.name, isAdopted: false, detail }
  if (step.kind === 'link') return ensureLink(server, step)
  if (step.kind === 'ready')
    return ensureReady(server, step.containers, step.labels['io.clouder.instance'] ?? '')
  const externalId = `dry-run:${step.kind}:${step.name}`
  const found = server.find(step.kind, step.name)
  const owner = found === undefined ? 'absent' : ownership(found.labels, step.labels)
  if (owner === 'foreign') throw nameTaken(step.kind, step.name)
  if (owner === 'newer') throw new Error(`${step.kind} ${step.name} is of a newer generation than this step`)
  if (step.kind === 'container') refuseImpossible(server, step)
  const subnet = step.kind === 'network' && found === undefined ? takeAddresses(server, step) : found?.subnet
  const object = {
    kind: step.kind,
    externalId,
    name: step.name,
    labels: step.labels,
    ...(subnet === undefined ? {} : { subnet }),
  }
  server.put(step.kind === 'container' ? { ...object, step, isRunning: true } : object)
  return { externalId, isAdopted: owner === 'same', detail }
}

function ensureLink(server: ImaginedServer, step: LinkStep): StepOutcome {
  if (server.find('container', step.offer.container)?.isRunning !== true)
    throw new Error(`waits for ${step.offer.container}, which does not run yet`)
  return { externalId: step.link, isAdopted: false, detail: `dry run: ${step.title}` }
}

function takeAddresses(server: ImaginedServer, { subnet }: NetworkIdentity): string | undefined {
  if (subnet === undefined) return undefined
  const held = heldRanges(server).find(({ range }) => overlaps(range, subnet))
  if (held === undefined) return subnet
  const detail = `the addresses ${subnet} are taken on the server: ${held.holder} has ${held.range}`
  throw new BusinessError('subnet_taken_on_server', detail)
}

function heldRanges(server: ImaginedServer): HeldRange[] {
  return server.state.objects.flatMap(({ kind, name, subnet }) =>
    kind === 'network' && subnet !== undefined ? [{ range: subnet, holder: `network ${name}` }] : [],
  )
}

function ensureReady(server: ImaginedServer, containers: readonly string[], instanceId: string): StepOutcome {
  const { isReady, detail } = checkRunning(server, containers)
  if (!isReady) throw new BusinessError('not_ready_in_time', detail)
  return { externalId: instanceId, isAdopted: false, detail }
}

/** What a real engine would refuse, as far as it can be known without one. */
function refuseImpossible(server: ImaginedServer, step: ContainerStep): void {
  const missing = step.mounts.find((mount) => server.find('volume', mount.volume) === undefined)
  if (missing !== undefined) throw new Error(`volume ${missing.volume} is not there`)
  if (step.publish === null) return
  const { hostPort } = step.publish
  const holder = server.state.objects.find(
    (one) => one.name !== step.name && one.step?.publish?.hostPort === hostPort,
  )
  if (holder === undefined) return
  throw new BusinessError('port_taken_on_server', `port ${hostPort} is held by ${holder.name}`)
}

function removeStep(server: ImaginedServer, step: UndoableStep, ctx: RunnerContext): RemovalOutcome {
  ctx.abortSignal.throwIfAborted()
  server.record(`remove ${step.kind} ${step.name}`)
  const found = server.find(step.kind, step.name)
  if (found === undefined) return { isRemoved: false, isAbsent: true, detail: `${step.name} was not there` }
  if (ownership(found.labels, step.labels) === 'foreign') throw nameTaken(step.kind, step.name)
  const users = server.state.objects.filter((one) => uses(one, step))
  if (users.length > 0 && step.kind === 'volume') throw new Error(`volume ${step.name} is in use`)
  if (users.length > 0)
    return { isRemoved: false, isAbsent: false, detail: `${step.name} is kept: others use it` }
  server.drop(step)
  return { isRemoved: true, isAbsent: true, detail: `dry run: ${step.name} removed` }
}

function uses({ step: container }: ImaginedObject, step: UndoableStep): boolean {
  if (container === undefined) return false
  if (step.kind === 'network') return container.network.name === step.name
  return step.kind === 'volume' && container.mounts.some((mount) => mount.volume === step.name)
}

/** An archive of nothing: two blocks of zeros. */
const EMPTY_ARCHIVE_BYTES = 1024
const EMPTY_ARCHIVE_SHA256 = '5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef'

function saveNothing(
  server: ImaginedServer,
  { volume, name }: { volume: string; name: string },
  key: string,
): SavedCopy {
  server.record(`save volume ${name} as ${key}`)
  if (server.find('volume', name) === undefined)
    throw new BusinessError('backup_failed', `volume ${name} is not on the server any more`)
  return { volume, location: `dry-run:${key}`, bytes: EMPTY_ARCHIVE_BYTES, sha256: EMPTY_ARCHIVE_SHA256 }
}

function listResources(server: ImaginedServer, instance: PlannedInstance): ServerResource[] {
  const own = server.state.objects.filter((one) => isOf(one, instanceLabels(instance)))
  const networks = server.state.objects.filter(
    (one) => one.kind === 'network' && isOf(one, environmentLabels(instance)),
  )
  const isShared = (network: ImaginedObject): boolean =>
    server.state.objects.some((one) => one.step?.network.name === network.name && !own.includes(one))
  return [...own, ...networks.filter((network) => !isShared(network))].map(toResource)
}

function toResource({ kind, externalId, name, labels }: ImaginedObject): ServerResource {
  return { kind, externalId, name, labels }
}

function observe(server: ImaginedServer, instance: PlannedInstance): InstanceObservation {
  return summarize(server.findContainers(instance).map(observeContainer))
}

function observeServer(
  server: ImaginedServer,
  { installation, steps, instances }: ServerObservationRequest,
): ObservedObject[] {
  const names = new Set(steps.map((step) => `${step.kind}/${step.name}`))
  const asked = instances === null ? null : new Set(instances)
  return server.state.objects
    .filter((one) => {
      if (names.has(`${one.kind}/${one.name}`)) return true
      const instance = one.labels['io.clouder.instance'] ?? ''
      return isOf(one, installationLabels(installation)) && (asked === null || asked.has(instance))
    })
    .map((one) => {
      const container = one.kind === 'container' && one.step !== undefined ? observeContainer(one) : null
      return { ...toResource(one), container }
    })
}

async function untilAborted(abortSignal: AbortSignal): Promise<void> {
  abortSignal.throwIfAborted()
  await new Promise<void>((resolve) => {
    abortSignal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function observeContainer({ name, externalId, step, isRunning }: ImaginedObject): ContainerObservation {
  return {
    service: step?.service ?? '',
    name,
    externalId,
    state: isRunning === true ? 'running' : 'exited',
    health: 'none',
    exitCode: isRunning === true ? null : 0,
    isJob: step?.kind === 'container' && step.special?.isJob === true,
    restartCount: 0,
    imageDigest: step?.imageId ?? `dry-run:${step?.image ?? ''}`,
    hostPort: step?.publish?.hostPort ?? null,
    startedAt: null,
    differences: [],
  }
}

function setRunning(
  server: ImaginedServer,
  { definition, instance }: InstanceRef,
  isRunning: boolean,
): InstanceObservation {
  for (const service of orderServices(definition.services)) {
    const found = server.find('container', containerName(instance, service.name))
    server.record(`${isRunning ? 'start' : 'stop'} container ${containerName(instance, service.name)}`)
    if (found !== undefined) server.put({ ...found, isRunning })
    else if (isRunning) throw new Error(`container ${containerName(instance, service.name)} is not there`)
  }
  return observe(server, instance)
}

function checkRunning(server: ImaginedServer, names: readonly string[]): ReadyObservation {
  const missing = names.find((name) => server.find('container', name)?.isRunning !== true)
  if (missing !== undefined) return { isReady: false, detail: `container ${missing} does not run` }
  return { isReady: true, detail: `dry run: ${names.length} container(s) would run` }
}

function answer(
  server: ImaginedServer,
  container: string,
  argv: readonly string[],
  stdout: string,
): ExecuteResult {
  server.record(`execute ${JSON.stringify(argv)} in ${container}`)
  if (server.find('container', container)?.isRunning !== true)
    throw new Error(`container ${container} does not run`)
  return { argv: [...argv], exitCode: 0, stdout, stderr: '', durationMs: 0 }
}

function setLimit(server: ImaginedServer, ref: InstanceRef, code: string, value: number): LimitObservation {
  const limit = findLimit(ref, code)
  const argv = limitCommand(limit, value)
  const result = answer(server, containerName(ref.instance, limit.service), argv, '')
  server.state.limits[`${ref.instance.instance}/${code}`] = value
  server.save()
  return observeLimit(server, ref, code, [result])
}

function observeLimit(
  server: ImaginedServer,
  ref: InstanceRef,
  code: string,
  before: readonly ExecuteResult[],
): LimitObservation {
  const limit = findLimit(ref, code)
  const container = containerName(ref.instance, limit.service)
  const inForce = server.state.limits[`${ref.instance.instance}/${code}`] ?? 0
  const read = answer(server, container, limit.read, `${inForce}\n`)
  const use = answer(server, container, limit.use, '0\n')
  return { limit: code, inForce, inUse: 0, commands: [...before, read, use] }
}

/** One value of 0 for everything that a source reads of what runs. */
function readMetrics(server: ImaginedServer, { definition, instance }: InstanceRef): MetricsRead {
  const readAt = new Date().toISOString()
  const readings = definition.metrics.flatMap(({ code, unit, source }): MetricReading[] => {
    const reading = { metric: code, value: '0', source: source.type, readAt }
    const running = server.findContainers(instance).filter((one) => one.isRunning)
    const imagined = sources.find(({ type }) => type === source.type)?.imagined
    if (imagined === 'each container') {
      return running.map((one) => ({ ...reading, series: `container:${one.externalId}`, unit: 'B' }))
    }
    if (imagined === 'volume') {
      const volume = server.find('volume', volumeName(instance, source.volume ?? ''))
      return volume === undefined ? [] : [{ ...reading, series: `volume:${volume.name}`, unit: 'B' }]
    }
    if (imagined === 'elsewhere') return [{ ...reading, series: `external:${source.data_source}`, unit }]
    const container = running.find((one) => one.name === containerName(instance, source.service ?? ''))
    return container === undefined ? [] : [{ ...reading, series: `command:${container.externalId}`, unit }]
  })
  return { readings, failures: [] }
}
