import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'

export type DemoSaleOptions = {
  apiUrl: string
  apiKey: string
  customer: string
  product: string
  write: (line: string) => void
}

export type DemoSale = { subscriptionId: string; phase: string; url: string | undefined }

const page = z.object({ data: z.array(z.object({ id: z.string() })) })
const order = z.object({ subscriptions: z.array(z.union([z.string(), z.object({ id: z.string() })])) })
const subscription = z.object({
  id: z.string(),
  phase: z.string(),
  instances: z.array(z.object({ url: z.string().nullish() })).optional(),
})
const step = z.object({ sequence: z.number(), title: z.string(), state: z.string() })
const build = z.object({
  id: z.string(),
  state: z.string(),
  steps: z.array(step.loose()).optional(),
})

const buildTimeoutMs = 10 * 60_000
const pollMs = 300
const finalStates = new Set(['done', 'succeeded', 'failed', 'undone', 'parked', 'cancelled'])

/**
 * Sells one subscription through the public API, as any client would, and prints the steps of its build. The
 * idempotency key is fixed, so that a start that was interrupted here sells the same one, never a second.
 */
export async function sellDemo(options: DemoSaleOptions): Promise<DemoSale> {
  const existing = page.parse(
    await call(options, 'GET', `/v1/subscriptions?limit=1&customer=${options.customer}`),
  )
  const id = existing.data[0]?.id ?? (await placeOrder(options))
  await followBuild(options, id)
  const sold = subscription.parse(await call(options, 'GET', `/v1/subscriptions/${id}`))
  const url = sold.instances?.find((instance) => instance.url)?.url ?? undefined
  return { subscriptionId: id, phase: sold.phase, url }
}

async function placeOrder(options: DemoSaleOptions): Promise<string> {
  const body = { customer: options.customer, lines: [{ product: options.product, quantity: '1' }] }
  const placed = order.parse(await call(options, 'POST', '/v1/orders', body))
  const [first] = placed.subscriptions
  if (first === undefined) throw new Error('the order made no subscription')
  return typeof first === 'string' ? first : first.id
}

async function followBuild(options: DemoSaleOptions, subscriptionId: string): Promise<void> {
  const startedAt = Date.now()
  const printed = new Map<number, string>()
  while (Date.now() - startedAt < buildTimeoutMs) {
    const found = page.parse(await call(options, 'GET', `/v1/builds?limit=1&subscription=${subscriptionId}`))
    const id = found.data[0]?.id
    if (id !== undefined) {
      const current = build.parse(await call(options, 'GET', `/v1/builds/${id}`))
      for (const { sequence, title, state } of current.steps ?? []) {
        if (printed.get(sequence) === state || state === 'waiting') continue
        printed.set(sequence, state)
        const seconds = ((Date.now() - startedAt) / 1000).toFixed(1)
        options.write(`        ${seconds.padStart(5)} s  ${state.padEnd(8)} ${title}`)
      }
      if (finalStates.has(current.state)) return
    }
    await sleep(pollMs)
  }
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
    headers['idempotency-key'] = 'demo-sale'
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
