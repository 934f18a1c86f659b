import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { encodeId } from '#domain/identifier.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { liveOneLife, type Life } from '#test/support/life.ts'

let api: TestApi
let life: Life
let path: string
before(async () => {
  api = await createTestApi()
  life = await liveOneLife(api)
  path = `/v1/subscriptions/${encodeId('subscription', life.subscriptionId)}/features`
})
after(async () => api.close())

/** What an upgrade does to the line: it is sold by another version, or another product. */
async function moveToVersion(version: number): Promise<void> {
  await api.db
    .updateTable('subscription_lines')
    .set({ product_version: version })
    .where('subscription_id', '=', life.subscriptionId)
    .where('limit_code', '=', 'users')
    .execute()
}

test('sso is off before the upgrade and on with it; a value is a value; what no product has is unknown (D-44)', async () => {
  const change = await api.patch('/v1/products/users', { features: { sso: true, 'storage-class': 'gold' } })
  assert.equal(change.status, 200, JSON.stringify(change.body))
  assert.deepEqual(change.body['features'], { sso: true, 'storage-class': 'gold' })
  assert.deepEqual((await api.get(`${path}/sso`)).body, { feature: 'sso', value: false })
  await moveToVersion(2)
  assert.deepEqual((await api.get(`${path}/sso`)).body, { feature: 'sso', value: true })
  assert.deepEqual((await api.get(path)).body, { features: { sso: true, 'storage-class': 'gold' } })
  // The second one is a key of every object.
  for (const code of ['telepathy', 'constructor']) {
    const unknown = await api.get(`${path}/${code}`)
    assert.deepEqual([unknown.status, unknown.body['code']], [404, 'feature_unknown'])
  }
})

test('the catalog as files holds features, and takes them back', async () => {
  const { body } = await api.get('/v1/catalog')
  assert.match(JSON.stringify(body), /"features":\{"sso":true,"storage-class":"gold"\}/)
})
