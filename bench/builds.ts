import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import { z } from 'zod'
import { connectEngine } from '#docker/engine.ts'
import type { ContainerStep } from '#domain/build-plan.ts'
import { CannotMeasure, type BenchContext } from './support/benchmark.ts'
import { startInstallation, type BenchInstallation } from './support/installation.ts'
import type { Measurement } from './support/measurement.ts'
import { removeLabelled, removePeerSite, timePeerSites, untilAnswers } from './support/peer-site.ts'

/** How many instances are made at once; with `--size` only so many. */
const counts = [1, 10, 50]
const patienceMs = 10 * 60_000
const orderSchema = z.object({ subscriptions: z.array(z.object({ id: z.string() })) })
const subscriptionSchema = z.object({
  phase: z.string(),
  parked_reason: z.string().nullable(),
  instances: z.array(z.object({ address: z.string() })).length(1),
})

/** So many instances built and unbuilt at once, against the same containers made and removed by hand, all at once too. */
export async function measureBuilds(ctx: BenchContext): Promise<Measurement[]> {
  const { dockerHost } = ctx.platform
  if (dockerHost === undefined)
    throw new CannotMeasure('There is no Docker engine, and none can be had here.')
  const docker = connectEngine(dockerHost)
  // Deferred first, thus done last: nothing makes a container any more then.
  let installationId: string | undefined
  ctx.defer(async () => {
    if (installationId !== undefined)
      await removeLabelled(docker, `io.clouder.installation=${installationId}`)
  })
  const installation = await startInstallation(ctx.platform, { ...ctx, name: 'builds', hasWorker: true })
  installationId = installation.installationId
  const peerName = `clouder-bench-builds-${process.pid}`
  ctx.defer(async () => removePeerSite(docker, peerName))
  ctx.note('warming up: the image is built')
  await timeOrder(docker, installation, 1)
  const step = await readContainerStep(installation)
  const measurements: Measurement[] = []
  for (const count of ctx.size === undefined ? counts : [ctx.size]) {
    const peer = await timePeers(docker, step, { name: peerName, count })
    const own = await timeOrder(docker, installation, count)
    ctx.note(
      `${count}: built in ${own.buildMs.toFixed(0)} ms, by hand ${peer.buildMs.toFixed(0)} ms; ` +
        `unbuilt in ${own.unbuildMs.toFixed(0)} ms, by hand ${peer.unbuildMs.toFixed(0)} ms`,
    )
    measurements.push(...toMeasurements(count, own, peer))
  }
  return measurements
}

interface Times {
  readonly buildMs: number
  readonly unbuildMs: number
}

function toMeasurements(count: number, own: Times, peer: Times): Measurement[] {
  const what = count === 1 ? '1 instance' : `${count} instances at once`
  const compare = (verb: string, key: keyof Times): Measurement => ({
    measure: `${what} ${verb}`,
    unit: 'ms',
    values: [own[key]],
    against: { kind: 'peer', title: 'by hand', values: [peer[key]] },
    aim: count >= 10 ? { ratioAtMost: 1.3 } : {},
  })
  return [compare('built, from the order to all ready', 'buildMs'), compare('unbuilt', 'unbuildMs')]
}

/**
 * One order of a new customer with so many sites, from its 201 to their 200, and from their cancellation until nothing of them is
 * on the engine. What is billed at the end is no part of either, as by hand.
 */
async function timeOrder(docker: Docker, installation: BenchInstallation, count: number): Promise<Times> {
  const { get, post } = installation
  const customer = `builds-${count}-${Date.now()}`
  await post('/v1/customers', { code: customer, name: customer, currency: 'USD', time_zone: 'UTC' })
  const lines = Array.from({ length: count }, () => ({ product: 'static-site', quantity: '1' }))
  const ordered = await post('/v1/orders', { customer, lines })
  const acceptedMs = performance.now()
  const ids = orderSchema.parse(ordered).subscriptions.map(({ id }) => id)
  const addresses: string[] = []
  for (const id of ids)
    addresses.push(subscriptionSchema.parse(await get(`/v1/subscriptions/${id}`)).instances[0]?.address ?? '')
  await Promise.all(addresses.map(async (address) => await untilAnswers(address, patienceMs)))
  const buildMs = performance.now() - acceptedMs
  for (const id of ids) await untilPhase(installation, id, 'active')
  const cancelledMs = performance.now()
  await Promise.all(
    ids.map(async (id) => post(`/v1/subscriptions/${id}/cancel`, { when: 'now', reason: 'it was measured' })),
  )
  await untilNothingLeft(docker, installation.installationId)
  const unbuildMs = performance.now() - cancelledMs
  for (const id of ids) await untilPhase(installation, id, 'ended')
  return { buildMs, unbuildMs }
}

async function untilNothingLeft(docker: Docker, installationId: string): Promise<void> {
  const filters = { label: [`io.clouder.installation=${installationId}`] }
  const untilMs = performance.now() + patienceMs
  for (;;) {
    const [containers, networks] = await Promise.all([
      docker.listContainers({ all: true, filters }),
      docker.listNetworks({ filters }),
    ])
    if (containers.length + networks.length === 0) return
    if (performance.now() > untilMs) throw new Error('the engine still has what was unbuilt')
    await sleep(50)
  }
}

async function untilPhase({ get }: BenchInstallation, id: string, wanted: string): Promise<void> {
  const untilMs = performance.now() + patienceMs
  for (;;) {
    const { phase, parked_reason: reason } = subscriptionSchema.parse(await get(`/v1/subscriptions/${id}`))
    if (phase === wanted) return
    if (reason !== null || performance.now() > untilMs)
      throw new Error(`${id} should be ${wanted} and is ${phase}, parked: ${reason}`)
    await sleep(100)
  }
}

async function readContainerStep({ db }: BenchInstallation): Promise<ContainerStep> {
  const { plan } = await db
    .selectFrom('build_steps')
    .select('plan')
    .where('kind', '=', 'container')
    .orderBy('id')
    .executeTakeFirstOrThrow()
  if (plan.kind !== 'container') throw new Error(`a step of kind container holds a plan of ${plan.kind}`)
  return plan
}

async function timePeers(
  docker: Docker,
  step: ContainerStep,
  { name, count }: { name: string; count: number },
): Promise<Times> {
  const buildMs = await timePeerSites(docker, step, { name, count, patienceMs })
  const removedMs = performance.now()
  await removePeerSite(docker, name)
  return { buildMs, unbuildMs: performance.now() - removedMs }
}
