import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createTestApi, type TestApi } from '#test/support/api.ts'

let api: TestApi
let pending: string[] = []
before(async () => {
  api = await createTestApi({ pendingMigrations: () => Promise.resolve(pending) })
})
after(async () => api.close())

async function readiness() {
  const response = await api.request('/readyz?verbose')
  const body = (await response.json()) as { checks: { name: string; is_ready: boolean; detail: string }[] }
  return { status: response.status, missing: body.checks.filter((check) => !check.is_ready) }
}

test('it is ready when database, schema and Temporal are', async () => {
  assert.deepEqual(await readiness(), { status: 200, missing: [] })
})

test('a pending migration makes it not ready and is named', async () => {
  pending = ['2026-12-01-more']
  const { status, missing } = await readiness()
  pending = []
  assert.equal(status, 503)
  assert.deepEqual(missing, [{ name: 'migrations', is_ready: false, detail: 'pending: 2026-12-01-more' }])
})

test('it lives on while Temporal is down, and says so', async () => {
  api.temporal.behaviour.onPing = () => Promise.reject(new Error('connection refused'))
  const { status, missing } = await readiness()
  assert.equal(status, 503)
  assert.deepEqual(missing, [{ name: 'temporal', is_ready: false, detail: 'connection refused' }])
  assert.equal((await api.request('/livez')).status, 200)
  assert.equal((await api.get('/v1/products')).status, 200)
})
