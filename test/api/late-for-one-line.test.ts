import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { billEarly } from '#db/early-bill.ts'
import { decodeId } from '#domain/identifier.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { moveClock } from '#test/support/clock-life.ts'
import { activate } from '#test/support/seller.ts'
import { batchType, toCloudEvent } from '#test/support/usage-events.ts'

// Two lines bill one metric. What comes late for the one may be in time for the other: each bills it once.
let api: TestApi
before(async () => {
  api = await createTestApi()
  await made('/v1/metrics', {
    code: 'transfer',
    title: 'Transfer',
    unit: 'GiB',
    kind: 'event',
    aggregation: 'sum',
    level: 'customer',
  })
  await made('/v1/customers', { code: 'acme', name: 'Acme', currency: 'EUR', time_zone: 'UTC' })
})
after(async () => api.close())

async function made(path: string, body: object): Promise<Record<string, unknown>> {
  const reply = await api.post(path, body)
  assert.equal(reply.status, 201, JSON.stringify(reply.body))
  return reply.body
}

/** A subscription from 1 March 2026 on, by a clock of its own, of products that meter transfer. */
async function sell(code: string, lines: readonly object[]) {
  const now = '2026-03-01T00:00:00Z'
  const products = lines.map((line, index) => ({ code: `${code}-${index}`, line }))
  for (const { code: product, line } of products)
    await made('/v1/products', {
      code: product,
      name: product,
      billing_type: 'usage',
      billing_timing: 'arrears',
      unit: 'GiB',
      metric: 'transfer',
      currency: 'EUR',
      recurrence: { count: 1, unit: 'month' },
      ...line,
    })
  await made('/v1/kits', {
    code,
    name: code,
    bill_of_materials: products.map((part, index) => ({
      product: part.code,
      quantity: 1,
      sequence: index + 1,
    })),
  })
  const { id: clock } = await made('/v1/test-clocks', { name: code, now })
  const order = await made('/v1/orders', { customer: 'acme', test_clock: clock, lines: [{ kit: code }] })
  const [{ id: subscription } = { id: '' }] = order['subscriptions'] as { id: string }[]
  const subscriptionId = decodeId('subscription', subscription)
  await activate(api.db, subscriptionId, now)
  const use = async (id: string, quantity: string, at: string) => {
    const event = toCloudEvent({ id: `${code}-${id}`, subscription, metric: 'transfer', quantity, at })
    const { body } = await api.post('/v1/usage-events', [event], batchType)
    assert.equal(body['stored'], 1, JSON.stringify(body))
  }
  return {
    subscriptionId,
    use,
    move: async (to: string) => await moveClock(api.db, decodeId('testClock', String(clock)), to),
    /** By product what was billed of it, in all: quantity and minor units. */
    billed: async () => {
      const { rows } = await sql<{ product: string; quantity: string; amount: string }>`
        select description as product, sum(quantity)::text as quantity, sum(amount_minor)::text as amount
        from invoice_lines where subscription_id = ${subscriptionId} group by description order by description`.execute(
        api.db,
      )
      return rows.map(({ product, quantity, amount }) => `${product}: ${Number(quantity)} for ${amount}`)
    },
    shown: async () => {
      const { body } = await api.get(`/v1/subscriptions/${subscription}/usage`)
      const shown = body['lines'] as { product: string; current: { quantity: string } }[]
      return shown.map(({ product, current }) => `${product}: ${Number(current.quantity)}`).toSorted()
    },
  }
}

test('D-11 what is late for a line that was billed early is in time for one that waits for its period', async () => {
  const sold = await sell('early', [
    { base_price: '1' },
    { base_price: '0.01', terms: { quantity_formula: '2 * metric("transfer").sum' } },
  ])
  await api.db
    .updateTable('subscriptions')
    .set({ early_invoice_minor: 500 })
    .where('id', '=', sold.subscriptionId)
    .execute()
  await sold.move('2026-03-10T09:00:00Z')
  await sold.use('first', '10', '2026-03-05T12:00:00Z')
  assert.ok(await billEarly(api.db, sold.subscriptionId, '2026-03-10T09:00:00Z'))
  await sold.use('late', '4', '2026-03-05T12:00:00Z')
  await sold.move('2026-06-02T09:00:00Z')
  assert.deepEqual(await sold.billed(), ['early-0: 14 for 1400', 'early-1: 28 for 28'])
})

test('D-11 what is late for a week is in time for the month that holds it, and billed once by each', async () => {
  const week = { recurrence: { count: 1, unit: 'week' } }
  const sold = await sell('weekly', [{ base_price: '1', ...week }, { base_price: '0.10' }])
  await sold.use('first', '10', '2026-03-01T00:00:00.001Z')
  await sold.move('2026-03-09T09:00:00Z')
  await sold.use('late', '4', '2026-03-05T12:00:00Z')
  assert.deepEqual(await sold.shown(), ['weekly-0: 0', 'weekly-1: 14'])
  await sold.move('2026-06-02T09:00:00Z')
  assert.deepEqual(await sold.billed(), ['weekly-0: 14 for 1400', 'weekly-1: 14 for 140'])
})
