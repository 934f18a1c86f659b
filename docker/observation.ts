import type Docker from 'dockerode'
import { instanceLabels, JOB_LABEL, type PlannedInstance } from '#domain/build-plan.ts'
import type { ContainerObservation, InstanceObservation, RunnerContext } from '#domain/runner.ts'
import { call, find } from './engine.ts'
import { labelFilter } from './identity.ts'

export async function observe(
  docker: Docker,
  instance: PlannedInstance,
  ctx: RunnerContext,
): Promise<InstanceObservation> {
  const containers = await inspectContainers(docker, instance, ctx)
  return summarize(containers.map((found) => observeContainer(found)))
}

/** All containers of the instance, whatever their state, by name. */
export async function inspectContainers(
  docker: Docker,
  instance: PlannedInstance,
  ctx: RunnerContext,
): Promise<Docker.ContainerInspectInfo[]> {
  const filters = labelFilter(instanceLabels(instance))
  const listed = await call(ctx, 'list containers of the instance', (abortSignal) =>
    docker.listContainers({ all: true, filters, abortSignal }),
  )
  const inspected = await Promise.all(listed.map((one) => findContainer(docker, one.Id, ctx)))
  const taken = await inspectTakenOver(docker, instance, ctx)
  // One that is removed between the two calls is simply not there.
  return [...inspected.filter((one) => one !== undefined), ...taken].sort((a, b) =>
    a.Name.localeCompare(b.Name),
  )
}

/** Containers that were there before the instance, as far as they still are: they have the labels here that they cannot be given. */
export async function inspectTakenOver(
  docker: Docker,
  instance: PlannedInstance,
  ctx: RunnerContext,
): Promise<Docker.ContainerInspectInfo[]> {
  const taken = Object.entries(instance.takenOver?.containers ?? {})
  const found = await Promise.all(
    taken.map(async ([service, { id }]) => {
      const one = await findContainer(docker, id, ctx)
      if (one === undefined) return []
      const labels = { ...one.Config.Labels, ...instanceLabels(instance), 'io.clouder.component': service }
      return [{ ...one, Config: { ...one.Config, Labels: labels } }]
    }),
  )
  return found.flat()
}

export async function findContainer(
  docker: Docker,
  nameOrId: string,
  ctx: RunnerContext,
): Promise<Docker.ContainerInspectInfo | undefined> {
  return await find(ctx, `look at container ${nameOrId}`, (abortSignal) =>
    docker.getContainer(nameOrId).inspect({ abortSignal }),
  )
}

/** Shared with the dry run, so that both answer alike. */
export function summarize(containers: readonly ContainerObservation[]): InstanceObservation {
  const isHealthy = (one: ContainerObservation): boolean => one.health === 'none' || one.health === 'healthy'
  const isDone = (one: ContainerObservation): boolean =>
    one.isJob && one.state === 'exited' && one.exitCode === 0
  const runs = (one: ContainerObservation): boolean => ['running', 'restarting', 'paused'].includes(one.state)
  return {
    containers,
    isRunning:
      containers.length > 0 &&
      containers.every((one) => isDone(one) || (one.state === 'running' && isHealthy(one))),
    isStopped: containers.length > 0 && !containers.some(runs),
  }
}

export function observeContainer(found: Docker.ContainerInspectInfo): ContainerObservation {
  const state = stateOf(found.State.Status)
  return {
    service: found.Config.Labels['io.clouder.component'] ?? '',
    name: found.Name.replace(/^\//, ''),
    externalId: found.Id,
    state,
    health: healthOf(found.State.Health?.Status),
    exitCode: state === 'exited' || state === 'dead' || state === 'restarting' ? found.State.ExitCode : null,
    restartCount: found.RestartCount,
    isJob: isJob(found),
    imageDigest: found.Image,
    hostPort: publishedPort(found),
    startedAt: found.State.StartedAt.startsWith('0001') ? null : found.State.StartedAt,
    differences: [],
  }
}

/** A job is known by its label. */
export function isJob(found: Docker.ContainerInspectInfo): boolean {
  return found.Config.Labels[JOB_LABEL] === 'true'
}

function publishedPort(found: Docker.ContainerInspectInfo): number | null {
  const bindings = Object.values(found.NetworkSettings.Ports ?? {}).flatMap((one) => one ?? [])
  const port = bindings[0]?.HostPort
  return port === undefined ? null : Number(port)
}

function stateOf(status: string): ContainerObservation['state'] {
  const states = ['created', 'running', 'paused', 'restarting', 'exited', 'dead'] as const
  // `removing` is on its way to being gone: it does not run any more.
  return states.find((state) => state === status) ?? 'dead'
}

function healthOf(status: string | undefined): ContainerObservation['health'] {
  const states = ['starting', 'healthy', 'unhealthy'] as const
  return states.find((state) => state === status) ?? 'none'
}
