import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '#db/database.ts'
import { CannotMeasure, type BenchContext } from './support/benchmark.ts'
import { startInstallation, type BenchInstallation } from './support/installation.ts'
import { measureUsage, type Usage } from './support/process-usage.ts'
import type { Measurement } from './support/measurement.ts'

const subscriptions = 1_000
const subscriptionsPerCustomer = 10
/** More at once would not fit the worker's cache, and every step of each would begin with its whole history. */
const awakeAtMost = 100
/** Reconciliation comes each minute and the sampler each half: every window holds the same of both. */
const windowMs = 60_000
const windowsEmpty = 2
const windowsAsleep = 3
/** After the last bill a workflow still reads when its next one is due, and then sleeps. */
const calmMs = 15_000
/** For the next few of them to be billed; a machine with much else to do is slow. */
const billingTimeoutMs = 5 * 60_000

const parts = ['API', 'worker', 'Temporal'] as const

/** One window: the usage of each part, in their order. */
type Window = readonly Usage[]

/**
 * What the processes use while nothing happens, with a thousand subscriptions asleep, beside the same processes before
 * the first was sold. The subscriptions are sold through the API and live in real time; their workflows run and sleep.
 */
export async function measureIdle(ctx: BenchContext): Promise<Measurement[]> {
  if (!existsSync('/proc/self/stat')) throw new CannotMeasure('This system has no /proc to read usage from.')
  const installation = await startInstallation(ctx.platform, { ...ctx, name: 'idle', hasWorker: true })
  const pids = [installation.apiPid, installation.workerPid ?? 0, ctx.platform.temporalPid]
  const measure = async (windows: number, what: string) => {
    ctx.note(`${what}: measuring ${windows} windows of ${windowMs / 1_000} s`)
    await sleep(calmMs)
    const usages: Window[] = []
    for (let window = 0; window < windows; window += 1) usages.push(await measureUsage(pids, windowMs))
    return usages
  }
  const empty = await measure(windowsEmpty, 'no subscription')
  await sellSleepers(installation, ctx)
  const asleep = await measure(windowsAsleep, `${subscriptions} asleep`)
  return parts.flatMap((part, index) => [
    toMeasurement(
      `${part}: processor`,
      'ms/s',
      empty,
      asleep,
      (window) => window[index]?.cpuMsPerSecond ?? NaN,
    ),
    toMeasurement(`${part}: memory`, 'MiB', empty, asleep, (window) => window[index]?.memoryMib ?? NaN),
  ])
}

function toMeasurement(
  what: string,
  unit: Measurement['unit'],
  empty: readonly Window[],
  asleep: readonly Window[],
  read: (window: Window) => number,
): Measurement {
  return {
    measure: `${what}, ${subscriptions} asleep`,
    unit,
    values: asleep.map(read),
    against: { kind: 'peer', title: 'with none', values: empty.map(read) },
    aim: {},
  }
}

/** A monthly product that builds nothing: it is billed once, and then sleeps until its next period. */
async function sellSleepers(installation: BenchInstallation, ctx: BenchContext): Promise<void> {
  const { db, post } = installation
  ctx.note(`selling ${subscriptions} subscriptions, and waiting until all sleep`)
  await post('/v1/products', {
    code: 'sleeper',
    name: 'Sleeper',
    billing_type: 'flat',
    billing_timing: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'month',
    base_price: '1',
    currency: 'USD',
  })
  for (let sold = 0; sold < subscriptions; sold += subscriptionsPerCustomer) {
    if (sold > 0 && sold % 200 === 0) ctx.note(`${sold} sold`)
    await untilBilled(db, sold - awakeAtMost, ctx)
    await sellToOne(installation, `sleepy-${sold}`)
  }
  await untilBilled(db, subscriptions, ctx)
}

async function sellToOne({ post }: BenchInstallation, customer: string): Promise<void> {
  await post('/v1/customers', { code: customer, name: customer, currency: 'USD', time_zone: 'UTC' })
  const lines = Array.from({ length: subscriptionsPerCustomer }, () => ({
    product: 'sleeper',
    quantity: '1',
  }))
  await post('/v1/orders', { customer, lines })
}

/** The first bill is the last thing that a new subscription does before it sleeps. */
async function untilBilled(db: Db, wanted: number, ctx: BenchContext): Promise<void> {
  const untilMs = Date.now() + billingTimeoutMs
  let toldMs = Date.now()
  for (;;) {
    const { billed } = await db
      .selectFrom('invoice_lines')
      .select(({ fn }) => fn.count<number>('subscription_id').distinct().as('billed'))
      .executeTakeFirstOrThrow()
    if (billed >= wanted) return
    if (Date.now() > untilMs)
      throw new Error(`${billed} of ${subscriptions} subscriptions were billed in time`)
    if (Date.now() - toldMs > 15_000) {
      ctx.note(`${billed} of ${subscriptions} were billed and go to sleep`)
      toldMs = Date.now()
    }
    await sleep(200)
  }
}
