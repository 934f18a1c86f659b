import assert from 'node:assert/strict'
import { patienceMs, until, type Json, type TestInstallation } from './installation.ts'
import { describePendingWork } from './pending-work.ts'
import { untilEventsAreListed } from './settled-events.ts'
import { batchType, toCloudEvent, type PushedEvent } from './usage-events.ts'

/** What a customer and an operator do and see, through the public API only; scenarios are written in it. */
export function createDiary(installation: TestInstallation) {
  const { call } = installation

  async function post(address: string, body: unknown, status = 200): Promise<Json> {
    const reply = await call('POST', address, body)
    assert.equal(reply.status, status, `POST ${address}: ${JSON.stringify(reply.body)}`)
    return reply.body
  }

  async function get(address: string): Promise<Json> {
    const reply = await call('GET', address)
    assert.equal(reply.status, 200, `GET ${address}: ${JSON.stringify(reply.body)}`)
    return reply.body
  }

  async function list(address: string): Promise<Json[]> {
    return (await get(address))['data'] as Json[]
  }

  return {
    get,
    post,
    list,

    /** All that was told of a subscription so far, newest first. */
    async events(subscriptionId: string): Promise<Json[]> {
      await untilEventsAreListed(installation.db)
      return await list(`/v1/events?subscription=${subscriptionId}&limit=100`)
    },

    async pushUsage(...events: PushedEvent[]): Promise<void> {
      const reply = await call('POST', '/v1/usage-events', events.map(toCloudEvent), batchType)
      assert.deepEqual([reply.status, reply.body['refused']], [200, []], JSON.stringify(reply.body))
    },

    async createClock(now: string): Promise<string> {
      return String((await post('/v1/test-clocks', { name: `clock of ${now}`, now }, 201))['id'])
    },

    async order(lines: Json[], options: { customer?: string; clock?: string } = {}): Promise<string> {
      const body = {
        customer: options.customer ?? 'harbour-bakery',
        lines,
        ...(options.clock ? { test_clock: options.clock } : {}),
      }
      const order = await post('/v1/orders', body, 201)
      const [first] = order['subscriptions'] as (string | Json)[]
      return typeof first === 'string' ? first : String(first?.['id'])
    },

    async subscription(id: string): Promise<Json> {
      return await get(`/v1/subscriptions/${id}`)
    },

    async untilPhase(id: string, phase: string, withinMs = patienceMs): Promise<Json> {
      return await until(
        async () => `${id} is ${phase}: ${await describePendingWork(installation, id)}`,
        async () => {
          const subscription = await get(`/v1/subscriptions/${id}`)
          if (subscription['parked_reason'] !== null)
            throw new Error(`${id} is parked: ${await describePendingWork(installation, id)}`)
          return subscription['phase'] === phase && subscription
        },
        withinMs,
      )
    },

    async untilParked(id: string): Promise<Json> {
      return await until(`${id} is parked`, async () => {
        const subscription = await get(`/v1/subscriptions/${id}`)
        return subscription['parked_reason'] !== null && subscription
      })
    },

    async advance(clock: string, step: { by: string } | { to: string }): Promise<void> {
      await post(`/v1/test-clocks/${clock}/advance`, step, 202)
      await until(
        `clock ${clock} stands`,
        async () => (await get(`/v1/test-clocks/${clock}`))['is_advancing'] === false,
        180_000,
      )
    },

    /** Finalized documents of a subscription, oldest first, with their lines. */
    async invoices(subscriptionId: string): Promise<Json[]> {
      const page = await list(`/v1/invoices?subscription=${subscriptionId}&limit=100`)
      return await Promise.all(
        page.toReversed().map(async (invoice) => await get(`/v1/invoices/${String(invoice['id'])}`)),
      )
    },
  }
}

export type Diary = ReturnType<typeof createDiary>
