import type Docker from 'dockerode'
import type { Labels, NetworkStep } from '#domain/build-plan.ts'
import type { RemovalOutcome, RunnerContext, StepOutcome } from '#domain/runner.ts'
import { ownership } from '#domain/ownership.ts'
import { call, callToEnd, find, isStatus } from './engine.ts'
import { labelFilter, nameTaken } from './identity.ts'

type NetworkIdentity = Pick<NetworkStep, 'name' | 'labels'>

export async function ensureNetwork(
  docker: Docker,
  network: NetworkIdentity,
  ctx: RunnerContext,
): Promise<StepOutcome> {
  const found = await findNetwork(docker, network, ctx)
  if (found !== undefined) {
    return { externalId: found.Id, isAdopted: true, detail: `network ${network.name} was there` }
  }
  await createNetwork(docker, network, ctx)
  const made = await findNetwork(docker, network, ctx)
  if (made === undefined) throw new Error(`network ${network.name} was made and is not there`)
  return { externalId: made.Id, isAdopted: false, detail: `network ${network.name} made` }
}

/** Kept while any container, also a stopped one, is attached: other instances of the environment may need it. */
export async function removeNetwork(
  docker: Docker,
  step: NetworkStep,
  ctx: RunnerContext,
): Promise<RemovalOutcome> {
  const found = await findNetwork(docker, step, ctx)
  if (found === undefined) {
    return { isRemoved: false, isAbsent: true, detail: `network ${step.name} was not there` }
  }
  const attached = await listAttached(docker, found.Id, ctx)
  if (attached.length > 0 && step.isOfLink === true) await detachAll(docker, found.Id, attached, ctx)
  else if (attached.length > 0) {
    const detail = `network ${step.name} is kept: ${attached.length} container(s) of the environment use it`
    return { isRemoved: false, isAbsent: false, detail }
  }
  await find(ctx, `remove network ${step.name}`, (abortSignal) =>
    docker.getNetwork(found.Id).remove({ abortSignal }),
  )
  if ((await findNetwork(docker, step, ctx)) !== undefined)
    throw new Error(`network ${step.name} is still there`)
  return { isRemoved: true, isAbsent: true, detail: `network ${step.name} removed` }
}

/** Names of the containers attached to a network, running or not. */
export async function listAttached(docker: Docker, networkId: string, ctx: RunnerContext) {
  const filters = { network: [networkId] }
  return await call(ctx, 'list attached containers', (abortSignal) =>
    docker.listContainers({ all: true, filters, abortSignal }),
  )
}

/** Takes every container off a network, so that it can be removed. */
async function detachAll(
  docker: Docker,
  networkId: string,
  attached: readonly { readonly Id: string }[],
  ctx: RunnerContext,
): Promise<void> {
  for (const { Id: container } of attached) {
    await find(ctx, `detach container ${container}`, (abortSignal) =>
      docker.getNetwork(networkId).disconnect({ Container: container, Force: true, abortSignal }),
    )
  }
}

async function createNetwork(docker: Docker, network: NetworkIdentity, ctx: RunnerContext): Promise<void> {
  try {
    await callToEnd(ctx, `create network ${network.name}`, (abortSignal) =>
      docker.createNetwork({
        Name: network.name,
        Driver: 'bridge',
        CheckDuplicate: true,
        Labels: { ...network.labels },
        abortSignal,
      }),
    )
  } catch (error) {
    // Another step of the environment was faster: what it made is looked at next.
    if (!isStatus(error, 409)) throw error
  }
}

/**
 * The network of this name if it is ours. Engines allow two networks of one name when both are made at once; the older one is
 * everybody's choice, and the younger is removed by whoever sees both while nobody uses it.
 */
async function findNetwork(docker: Docker, network: NetworkIdentity, ctx: RunnerContext) {
  const filters = { name: [network.name] }
  const listed = await call(ctx, `look for network ${network.name}`, (abortSignal) =>
    docker.listNetworks({ filters, abortSignal }),
  )
  const named = listed
    .filter((one) => one.Name === network.name)
    .sort((a, b) => a.Created.localeCompare(b.Created) || a.Id.localeCompare(b.Id))
  if (named.some((one) => ownership(one.Labels, network.labels) === 'foreign')) {
    throw nameTaken('network', network.name)
  }
  for (const double of named.slice(1)) await removeDouble(docker, double.Id, ctx)
  return named[0]
}

async function removeDouble(docker: Docker, networkId: string, ctx: RunnerContext): Promise<void> {
  try {
    await find(ctx, 'remove doubled network', (abortSignal) =>
      docker.getNetwork(networkId).remove({ abortSignal }),
    )
  } catch (error) {
    if (!isStatus(error, 403, 409)) throw error
    throw new Error('two networks of one name, both in use', { cause: error })
  }
}

/** Networks of an environment, by label. */
export async function listNetworks(docker: Docker, labels: Labels, ctx: RunnerContext) {
  return await call(ctx, 'list networks', (abortSignal) =>
    docker.listNetworks({ filters: labelFilter(labels), abortSignal }),
  )
}
