import type Docker from 'dockerode'
import { environmentLabels, instanceLabels, type Labels, type PlannedInstance } from '#domain/build-plan.ts'
import type { RunnerContext, ServerResource } from '#domain/runner.ts'
import { call } from './engine.ts'
import { labelFilter } from './identity.ts'
import { listAttached, listNetworks } from './network.ts'
import { labelsOf, listVolumes } from './volume.ts'

/** What exists of an instance; the network of its environment counts when no container of others is attached to it. */
export async function listResources(
  docker: Docker,
  instance: PlannedInstance,
  ctx: RunnerContext,
): Promise<ServerResource[]> {
  const [containers, volumes, networks] = await Promise.all([
    listContainers(docker, instanceLabels(instance), ctx),
    listVolumeResources(docker, instanceLabels(instance), ctx),
    listNetworkResources(docker, environmentLabels(instance), ctx),
  ])
  const own = new Set(containers.map((one) => one.externalId))
  const isShared = async (network: ServerResource): Promise<boolean> =>
    (await listAttached(docker, network.externalId, ctx)).some((one) => !own.has(one.Id))
  const shared = await Promise.all(networks.map(isShared))
  return [...containers, ...volumes, ...networks.filter((_network, index) => shared[index] === false)]
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
