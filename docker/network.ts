import type Docker from 'dockerode'
import type { Labels, NetworkIdentity, NetworkStep } from '#domain/build-plan.ts'
import { BusinessError } from '#domain/errors.ts'
import type { RemovalOutcome, RunnerContext, StepOutcome } from '#domain/runner.ts'
import { ownership } from '#domain/ownership.ts'
import { overlaps } from '#domain/subnet.ts'
import { call, callToEnd, EngineError, find, isStatus, pause } from './engine.ts'
import { listNetworkRanges, listRanges } from './held-ranges.ts'
import { labelFilter, nameTaken } from './identity.ts'

const LISTED_POLLS_MAX = 10
const LISTED_POLL_MS = 100

/**
 * Finds or makes the network. One that is there keeps its addresses, whatever is planned.
 * @throws `subnet_taken_on_server`, `subnets_exhausted` where the engine was to choose and has no addresses left
 */
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
    await refuseHeld(docker, network, ctx)
    await callToEnd(ctx, `create network ${network.name}`, (abortSignal) =>
      docker.createNetwork({
        Name: network.name,
        Driver: 'bridge',
        CheckDuplicate: true,
        Labels: { ...network.labels },
        ...(network.subnet === undefined ? {} : { IPAM: { Config: [{ Subnet: network.subnet }] } }),
        abortSignal,
      }),
    )
  } catch (error) {
    // Another step of the environment was faster: what it made is looked at next.
    if (isStatus(error, 409)) return
    const refusal = addressError(network, error)
    if (refusal instanceof BusinessError && (await isMadeByOther(docker, network, ctx))) return
    throw refusal
  }
}

/** One that is being made has its addresses, and its host a route to them, before it is listed. */
async function isMadeByOther(docker: Docker, network: NetworkIdentity, ctx: RunnerContext): Promise<boolean> {
  for (let poll = 0; poll < LISTED_POLLS_MAX; poll += 1) {
    if ((await findNetwork(docker, network, ctx)) !== undefined) return true
    const held = await listNetworkRanges(docker, ctx)
    if (held.some(({ range }) => overlaps(range, network.subnet ?? ''))) break
    await pause(ctx, LISTED_POLL_MS)
  }
  return (await findNetwork(docker, network, ctx)) !== undefined
}

/** An engine refuses what its own networks have. What its host has besides, it would take over, and cut off. */
async function refuseHeld(docker: Docker, { subnet }: NetworkIdentity, ctx: RunnerContext): Promise<void> {
  if (subnet === undefined) return
  const held = (await listRanges(docker, ctx)).find(({ range }) => overlaps(range, subnet))
  if (held !== undefined) throw subnetTaken(subnet, `${held.holder} has ${held.range}`)
}

const OVERLAPS = /pool overlaps|overlapping ipv4|conflicts with network/i
const NONE_LEFT = /non-overlapping ipv4 address pool|predefined address pools/i

function addressError({ name, subnet }: NetworkIdentity, error: unknown): unknown {
  if (!(error instanceof EngineError)) return error
  if (subnet !== undefined && OVERLAPS.test(error.message)) return subnetTaken(subnet, error.message)
  if (!NONE_LEFT.test(error.message)) return error
  const detail = `the engine has no addresses left for network ${name}: ${error.message}`
  return new BusinessError('subnets_exhausted', detail, { cause: error })
}

function subnetTaken(subnet: string, why: string): BusinessError {
  return new BusinessError(
    'subnet_taken_on_server',
    `the addresses ${subnet} are taken on the server: ${why}`,
  )
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
