import { once } from 'node:events'
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

const repetitions = 10
const startTimeoutMs = 60_000
const looks = { patienceMs: 60_000, pollMs: 20 } as const
const aim = { ratioAtMost: 1.5, moreAtMost: 1_500 }

/**
 * From the 201 of an order to the 200 of what was ordered, against the same containers made by hand. Both sides take
 * turns, so that whatever else the machine does meets both; each time a new customer, so that both make a network.
 */
export async function measureOrderToReady(ctx: BenchContext): Promise<Measurement[]> {
  const { docker, installation } = await startDeploying(ctx, 'order_to_ready')
  const peerName = `clouder-bench-${process.pid}`
  ctx.defer(async () => removePeerSite(docker, peerName))

  ctx.note('warming up: the image is built, both sides run once')
  await timeSale(docker, installation, 'warm-up')
  const step = await readContainerStep(installation)
  await timePeer(docker, step, peerName)

  const sales: Sale[] = []
  const peers: number[] = []
  for (let index = 0; index < repetitions; index += 1) {
    const turns = [
      async () => void sales.push(await timeSale(docker, installation, `customer-${index}`)),
      async () => void peers.push(await timePeer(docker, step, peerName)),
    ]
    for (const turn of index % 2 === 0 ? turns : turns.toReversed()) await turn()
    ctx.note(`${index + 1} of ${repetitions}: ${describeTurn(sales.at(-1), peers.at(-1))}`)
  }
  const against = { kind: 'peer', title: 'by hand', values: peers } as const
  return [
    {
      measure: 'order accepted to application ready',
      unit: 'ms',
      values: sales.map((sale) => sale.readyMs),
      against,
      aim,
    },
    {
      measure: 'order accepted to subscription active',
      unit: 'ms',
      values: sales.map((sale) => sale.activeMs),
      against,
      aim: {},
    },
  ]
}

interface Sale {
  /** The address answers 200. */
  readonly readyMs: number
  /** Clouder says so, and its first bill is under way. */
  readonly activeMs: number
}

function describeTurn(sale: Sale | undefined, peerMs: number | undefined): string {
  return `order ${sale?.readyMs.toFixed(0)} ms, by hand ${peerMs?.toFixed(0)} ms`
}

/** Sells one static site to a new customer, and takes it down again before anything else is measured. */
async function timeSale(docker: Docker, installation: BenchInstallation, customer: string): Promise<Sale> {
  await addCustomer(installation, customer)
  const watch = await watchStart(docker, installation.installationId)
  const { ids, acceptedMs } = await orderSites(installation, { customer, count: 1 })
  const [id = ''] = ids
  const address = await addressOf(installation, id)
  await watch.started
  watch.stop()
  await untilAnswers(address)
  const readyMs = performance.now() - acceptedMs
  await untilPhase(installation, id, { phase: 'active', ...looks })
  const activeMs = performance.now() - acceptedMs
  await cancelNow(installation, id)
  await untilPhase(installation, id, { phase: 'ended', ...looks })
  return { readyMs, activeMs }
}

/**
 * The address is asked only once its container has started, as by hand. Asked from the order on, Clouder's own ready step
 * was measured at 625 ms, against 112 ms without: who measures must not slow down what is measured.
 */
async function watchStart(docker: Docker, installationId: string) {
  const ending = new AbortController()
  const events = await docker.getEvents({
    filters: { type: ['container'], event: ['start'], label: [`io.clouder.installation=${installationId}`] },
    abortSignal: AbortSignal.any([ending.signal, AbortSignal.timeout(startTimeoutMs)]),
  })
  const started = once(events, 'data')
  // Where an order fails, nobody waits for its container any more; the order's own error is told.
  started.catch(() => undefined)
  // Ending a stream is an error to it.
  events.on('error', () => undefined)
  return { started, stop: () => ending.abort() }
}

async function timePeer(docker: Docker, step: ContainerStep, name: string): Promise<number> {
  const tookMs = await timePeerSites(docker, step, { name, count: 1 })
  await removePeerSite(docker, name)
  return tookMs
}
