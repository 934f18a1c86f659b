import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
})
after(async () => api.close())

async function createClock(): Promise<string> {
  const { body } = await api.post('/v1/test-clocks', { name: 'January', now: '2026-01-31T09:00:00Z' })
  return String(body['id'])
}

test('an advance starts the workflow that goes there, and the clock says so', async () => {
  const id = await createClock()
  const { status, headers, body } = await api.post(`/v1/test-clocks/${id}/advance`, { by: '1mo' })
  assert.equal(status, 202)
  assert.equal(headers.get('location'), `/v1/test-clocks/${id}`)
  assert.deepEqual(
    [body['now'], body['target'], body['is_advancing']],
    ['2026-01-31T09:00:00.000Z', '2026-02-28T09:00:00.000Z', true],
  )
  await api.idle()
  const started = api.temporal.started.at(-1)
  assert.equal(started?.workflowId, `test-clock/${id}/2026-02-28T09:00:00.000Z`)
  assert.deepEqual(started?.args, [
    { testClockId: id, fromAt: '2026-01-31T09:00:00.000Z', targetAt: '2026-02-28T09:00:00.000Z' },
  ])
})

test('two advances by a month at once go two months', async () => {
  const id = await createClock()
  await Promise.all([1, 2].map(async () => api.post(`/v1/test-clocks/${id}/advance`, { by: '1mo' })))
  assert.equal((await api.get(`/v1/test-clocks/${id}`)).body['target'], '2026-03-28T09:00:00.000Z')
})

test('a clock does not go back, too far, or by what is no step', async () => {
  const id = await createClock()
  const send = async (body: object) => {
    const reply = await api.post(`/v1/test-clocks/${id}/advance`, body)
    return [reply.status, reply.body['code'], (reply.body['errors'] as { pointer: string }[])[0]?.pointer]
  }
  assert.deepEqual(await send({ to: '2026-01-30T00:00:00Z' }), [422, 'clock_backwards', '/to'])
  assert.deepEqual(await send({ by: '6y' }), [422, 'clock_too_far', '/by'])
  assert.deepEqual(await send({ by: 'a while' }), [422, 'field_invalid', '/by'])
  assert.deepEqual(await send({ by: '1mo', to: '2027-01-30T00:00:00Z' }), [422, 'field_invalid', ''])
  assert.equal((await api.get(`/v1/test-clocks/${id}`)).body['target'], null)
})

test('an order on a clock happens at the instant of the clock', async () => {
  const id = await createClock()
  const { body } = await api.post('/v1/orders', {
    customer: 'acme',
    lines: [{ product: 'support' }],
    test_clock: id,
  })
  assert.deepEqual([body['test_clock'], body['confirmed_at']], [id, '2026-01-31T09:00:00.000Z'])
})
