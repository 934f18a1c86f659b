import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'

export type DemoSaleOptions = {
  apiUrl: string
  apiKey: string
  customer: string
  product: string
  write: (line: string) => void
}

export type DemoSale = z.infer<typeof subscriptionSchema>

const pageSchema = z.object({ data: z.array(z.object({ id: z.string() })) })
const orderSchema = z.object({ subscriptions: z.array(z.object({ id: z.string() })).min(1) })
const subscriptionSchema = z.object({
  id: z.string(),
  phase: z.string(),
  parked_reason: z.string().nullable(),
  instances: z.array(z.object({ address: z.string().nullable() })),
  builds: z.array(z.object({ id: z.string(), kind: z.string(), number: z.number() })),
})
const stepSchema = z.object({
  position: z.number(),
  title: z.string(),
  state: z.string(),
  progress: z.string().nullable(),
  failure: z.object({ code: z.string(), detail: z.string() }).nullable(),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable(),
})
const buildSchema = z.object({ steps: z.array(stepSchema) })

type Step = z.infer<typeof stepSchema>

const buildTimeoutMs = 10 * 60_000
const pollMs = 250
/** No other name for the request of an interrupted start, so that it sells the same subscription, never a second. */
const idempotencyKey = 'demo-sale'

/** Sells one subscription through the public API, as any client would, and prints the steps of its build. */
export async function sellDemo(options: DemoSaleOptions): Promise<DemoSale> {
  // Newest first: the demo's own is the oldest of its kind.
  const query = `limit=100&customer=${options.customer}&product=${options.product}`
  const sold = pageSchema.parse(await call(options, 'GET', `/v1/subscriptions?${query}`)).data.at(-1)
  const id = sold?.id ?? (await placeOrder(options))
  const subscription = await readSubscription(options, id)
  return isSettled(subscription) ? subscription : followBuild(options, id)
}

/** Where the sold application answers. */
export function addressOf(sale: DemoSale | undefined): string | undefined {
  return sale?.instances.find(({ address }) => address !== null)?.address ?? undefined
}

async function placeOrder(options: DemoSaleOptions): Promise<string> {
  const body = { customer: options.customer, lines: [{ product: options.product, quantity: '1' }] }
  const { subscriptions } = orderSchema.parse(await call(options, 'POST', '/v1/orders', body))
  return subscriptions[0]?.id ?? ''
}

async function followBuild(options: DemoSaleOptions, id: string): Promise<DemoSale> {
  const until = Date.now() + buildTimeoutMs
  const told = new Map<number, string>()
  for (;;) {
    const subscription = await readSubscription(options, id)
    await tellSteps(options, subscription, told)
    if (isSettled(subscription) || Date.now() > until) return subscription
    await sleep(pollMs)
  }
}

async function tellSteps(options: DemoSaleOptions, sale: DemoSale, told: Map<number, string>): Promise<void> {
  const newest = sale.builds.filter(({ kind }) => kind === 'build').sort((a, b) => b.number - a.number)[0]
  if (newest === undefined) return
  const { steps } = buildSchema.parse(await call(options, 'GET', `/v1/builds/${newest.id}`))
  for (const step of steps) {
    const line = describeStep(step)
    if (line === undefined || told.get(step.position) === line) continue
    told.set(step.position, line)
    options.write(`        ${line}`)
  }
}

function describeStep(step: Step): string | undefined {
  const { title, state, progress, failure } = step
  if (state === 'planned') return undefined
  if (state === 'running') return progress === null ? undefined : `… ${title}: ${progress}`
  const seconds = `${secondsOf(step)} s`.padStart(7)
  if (state === 'done') return `✓ ${title.padEnd(60)} ${seconds}`
  return `✗ ${title.padEnd(60)} ${seconds}   ${state}${failure === null ? '' : `: ${failure.detail}`}`
}

function secondsOf({ started_at: startedAt, finished_at: finishedAt }: Step): string {
  if (startedAt === null || finishedAt === null) return '–'
  return ((Date.parse(finishedAt) - Date.parse(startedAt)) / 1_000).toFixed(1)
}

/** Nothing will happen to it without a person. */
function isSettled({ phase, parked_reason: parkedReason }: DemoSale): boolean {
  return parkedReason !== null || !['ordered', 'building'].includes(phase)
}

async function readSubscription(options: DemoSaleOptions, id: string): Promise<DemoSale> {
  return subscriptionSchema.parse(await call(options, 'GET', `/v1/subscriptions/${id}`))
}

async function call(
  options: DemoSaleOptions,
  method: string,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const headers: Record<string, string> = { authorization: `Bearer ${options.apiKey}` }
  if (body !== undefined) {
    headers['content-type'] = 'application/json'
    headers['idempotency-key'] = idempotencyKey
  }
  const res = await fetch(`${options.apiUrl}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  })
  const answer: unknown = await res.json()
  if (!res.ok) throw new Error(`${method} ${path} answered ${res.status}: ${JSON.stringify(answer)}`)
  return answer
}
