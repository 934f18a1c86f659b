import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { addressOf, sellDemo } from '#bin/demo-sale.ts'

type Look = { phase: string; parked_reason: string | null; steps: object[] }

const step = (position: number, state: string, more: object = {}) => ({
  position,
  title: `step ${position}`,
  state,
  progress: null,
  failure: null,
  started_at: '2026-01-31T10:00:00.000Z',
  finished_at: '2026-01-31T10:00:01.500Z',
  ...more,
})

/** The few answers the sale reads, in the API's words; every look at the subscription is the next one of the list. */
async function startApi(t: TestContext, isSold: boolean, looks: Look[]) {
  const orders: { key: unknown; body: unknown }[] = []
  let look = -1
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const url = req.url ?? ''
      const json = (answer: unknown) => res.end(JSON.stringify(answer))
      if (url.startsWith('/v1/subscriptions?')) return json({ data: isSold ? [{ id: 'sub_1' }] : [] })
      if (url === '/v1/orders') {
        orders.push({
          key: req.headers['idempotency-key'],
          body: JSON.parse(Buffer.concat(chunks).toString()),
        })
        return json({ subscriptions: [{ id: 'sub_1' }] })
      }
      if (url.startsWith('/v1/builds/')) return json({ steps: looks[look]?.steps })
      look = Math.min(look + 1, looks.length - 1)
      const { phase, parked_reason } = looks[look] ?? assert.fail('the sale looks at nothing else')
      const instances = [{ address: phase === 'active' ? 'http://127.0.0.1:20001/' : null }]
      return json({
        id: 'sub_1',
        phase,
        parked_reason,
        instances,
        builds: [{ id: 'b', kind: 'build', number: 1 }],
      })
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const lines: string[] = []
  const options = {
    apiUrl: `http://127.0.0.1:${address.port}`,
    apiKey: 'ck_test_1',
    customer: 'harbour-bakery',
    product: 'static-site',
    write: (line: string) => void lines.push(line),
  }
  return { orders, lines, options }
}

test('the first start sells one subscription and prints each step of its build once', async (t) => {
  const { orders, lines, options } = await startApi(t, false, [
    { phase: 'ordered', parked_reason: null, steps: [] },
    { phase: 'building', parked_reason: null, steps: [step(1, 'done'), step(2, 'planned')] },
    {
      phase: 'building',
      parked_reason: null,
      steps: [step(1, 'done'), step(2, 'running', { progress: 'pulling' })],
    },
    { phase: 'active', parked_reason: null, steps: [step(1, 'done'), step(2, 'done')] },
  ])
  const sale = await sellDemo(options)
  assert.equal(sale.phase, 'active')
  assert.equal(addressOf(sale), 'http://127.0.0.1:20001/')
  assert.deepEqual(orders, [
    {
      key: 'demo-sale',
      body: { customer: 'harbour-bakery', lines: [{ product: 'static-site', quantity: '1' }] },
    },
  ])
  assert.deepEqual(
    lines.map((line) => line.trim().replace(/ +/g, ' ')),
    ['✓ step 1 1.5 s', '… step 2: pulling', '✓ step 2 1.5 s'],
  )
})

test('a later start finds the subscription and sells no second one', async (t) => {
  const { orders, lines, options } = await startApi(t, true, [
    { phase: 'active', parked_reason: null, steps: [] },
  ])
  assert.equal((await sellDemo(options)).phase, 'active')
  assert.deepEqual([orders, lines], [[], []])
})

test('a build that waits for a person ends the watching, with the reason', async (t) => {
  const failed = step(1, 'failed', { failure: { code: 'image_unreachable', detail: 'no registry answers' } })
  const { lines, options } = await startApi(t, false, [
    { phase: 'building', parked_reason: null, steps: [] },
    { phase: 'building', parked_reason: 'no registry answers', steps: [failed] },
  ])
  assert.equal((await sellDemo(options)).parked_reason, 'no registry answers')
  assert.match(lines.join('\n'), /✗ step 1 .*failed: no registry answers/)
})
