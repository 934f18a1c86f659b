import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import type { ContainerStep } from '#domain/build-plan.ts'
import type { BenchContext } from './support/benchmark.ts'
import type { BenchInstallation } from './support/installation.ts'
import type { Measurement } from './support/measurement.ts'
import { removePeerSite, timePeerSites, untilAnswers } from './support/peer-site.ts'
import {
  addCustomer,
  addressOf,
  cancelNow,
  orderSites,
  readContainerStep,
  startDeploying,
  untilPhase,
} from './support/static-site.ts'

/** How many instances are made at once; with `--size` only so many. */
const counts = [1, 10, 50]
const patienceMs = 10 * 60_000
const looks = { patienceMs, pollMs: 100 } as const

/** So many instances built and unbuilt at once, against the same containers made and removed by hand, all at once too. */
export async function measureBuilds(ctx: BenchContext): Promise<Measurement[]> {
  const { docker, installation } = await startDeploying(ctx, 'builds')
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
  const customer = `builds-${count}-${Date.now()}`
  await addCustomer(installation, customer)
  const { ids, acceptedMs } = await orderSites(installation, { customer, count })
  const addresses: string[] = []
  for (const id of ids) addresses.push(await addressOf(installation, id))
  await Promise.all(addresses.map(async (address) => await untilAnswers(address, { patienceMs, count })))
  const buildMs = performance.now() - acceptedMs
  for (const id of ids) await untilPhase(installation, id, { phase: 'active', ...looks })
  const cancelledMs = performance.now()
  await Promise.all(ids.map(async (id) => await cancelNow(installation, id)))
  await untilNothingLeft(docker, installation.installationId)
  const unbuildMs = performance.now() - cancelledMs
  for (const id of ids) await untilPhase(installation, id, { phase: 'ended', ...looks })
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
