import type Docker from 'dockerode'
import { environmentLabels, instanceLabels, type Labels, type PlannedInstance } from '#domain/build-plan.ts'
import type { RunnerContext, ServerResource } from '#domain/runner.ts'
import { call } from './engine.ts'
import { labelFilter } from './identity.ts'
import { listAttached, listNetworks } from './network.ts'
import { inspectTakenOver } from './observation.ts'
import { labelsOf, listVolumes } from './volume.ts'

/** What exists of an instance; the network of its environment counts when no container of others is attached to it. */
export async function listResources(
  docker: Docker,
  instance: PlannedInstance,
  ctx: RunnerContext,
): Promise<ServerResource[]> {
  const [labelled, volumes, networks, taken] = await Promise.all([
    listContainers(docker, instanceLabels(instance), ctx),
    listVolumeResources(docker, instanceLabels(instance), ctx),
    listNetworkResources(docker, environmentLabels(instance), ctx),
    listTakenOver(docker, instance, ctx),
  ])
  const containers = [...labelled, ...taken.filter(({ kind }) => kind === 'container')]
  const own = new Set(containers.map((one) => one.externalId))
  const isShared = async (network: ServerResource): Promise<boolean> =>
    (await listAttached(docker, network.externalId, ctx)).some((one) => !own.has(one.Id))
  const shared = await Promise.all(networks.map(isShared))
  const takenVolumes = taken.filter(({ kind }) => kind === 'volume')
  return [
    ...containers,
    ...volumes,
    ...takenVolumes,
    ...networks.filter((_network, index) => shared[index] === false),
  ]
}

/** What was there before the instance and still is, by exact id. */
async function listTakenOver(
  docker: Docker,
  instance: PlannedInstance,
  ctx: RunnerContext,
): Promise<ServerResource[]> {
  const containers = (await inspectTakenOver(docker, instance, ctx)).map((one) => ({
    kind: 'container' as const,
    externalId: one.Id,
    name: one.Name.replace(/^\//, ''),
    labels: one.Config.Labels,
  }))
  const names = new Set(Object.values(instance.takenOver?.volumes ?? {}))
  if (names.size === 0) return containers
  const volumes = (await listVolumeResources(docker, {}, ctx)).filter(({ name }) => names.has(name))
  return [...containers, ...volumes]
}

export async function listByLabels(
  docker: Docker,
  labels: Labels,
  ctx: RunnerContext,
): Promise<ServerResource[]> {
  const listed = await Promise.all([
    listContainers(docker, labels, ctx),
    listVolumeResources(docker, labels, ctx),
    listNetworkResources(docker, labels, ctx),
  ])
  return listed.flat()
}

async function listContainers(docker: Docker, labels: Labels, ctx: RunnerContext): Promise<ServerResource[]> {
  const filters = labelFilter(labels)
  const listed = await call(ctx, 'list containers', (abortSignal) =>
    docker.listContainers({ all: true, filters, abortSignal }),
  )
  return listed.map((one) => {
    const name = (one.Names[0] ?? '').replace(/^\//, '')
    return { kind: 'container', externalId: one.Id, name, labels: one.Labels }
  })
}

async function listVolumeResources(
  docker: Docker,
  labels: Labels,
  ctx: RunnerContext,
): Promise<ServerResource[]> {
  const listed = await listVolumes(docker, labels, ctx)
  return listed.map((one) => ({
    kind: 'volume',
    externalId: one.Name,
    name: one.Name,
    labels: labelsOf(one),
  }))
}

async function listNetworkResources(
  docker: Docker,
  labels: Labels,
  ctx: RunnerContext,
): Promise<ServerResource[]> {
  const listed = await listNetworks(docker, labels, ctx)
  return listed.map((one) => ({
    kind: 'network',
    externalId: one.Id,
    name: one.Name,
    labels: one.Labels ?? {},
  }))
}
