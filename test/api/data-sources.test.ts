import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { openDataSources } from '#db/data-source.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'

const installationKey = { id: 'test', bytes: Buffer.alloc(32, 3) }
let api: TestApi
before(async () => {
  api = await createTestApi({ installationKey })
})
after(async () => api.close())

const path = '/v1/data-sources'
const warehouse = {
  code: 'warehouse',
  kind: 'postgresql',
  host: 'DB.example.com',
  port: 5432,
  database: 'shop',
  username: 'reader',
  password: 'a-secret-word',
}
const compose = `
services: { web: { image: 'web:1', expose: ['80'] } }
x-clouder:
  title: Web
  public: { service: web, port: 80 }
  metrics:
    - code: orders
      title: Orders
      unit: piece
      kind: counter
      aggregation: sum
      source: { type: external-sql, data_source: warehouse, query: 'select count(*) from orders where tenant = $1', parameters: [instance] }
`

test('a data source is kept sealed, and its password shown to nobody', async () => {
  const made = await api.post(path, warehouse)
  assert.equal(made.status, 201, JSON.stringify(made.body))
  assert.partialDeepStrictEqual(made.body, { code: 'warehouse', host: 'db.example.com', tls: true })
  const again = await api.post(path, { ...warehouse, password: 'the-next-word', port: 5433 })
  assert.deepEqual([again.body['id'], again.body['port']], [made.body['id'], 5433])
  const listed = JSON.stringify((await api.get(path)).body)
  const row = await api.db.selectFrom('data_sources').selectAll().executeTakeFirstOrThrow()
  const events = await api.db.selectFrom('events').selectAll().execute()
  for (const text of [listed, JSON.stringify(row), row.sealed.toString('latin1'), JSON.stringify(events)])
    assert.doesNotMatch(text, /secret-word|next-word/)
  const [opened] = await openDataSources(api.db, installationKey, ['warehouse'])
  assert.equal(opened?.password, 'the-next-word')
})

test('a data source that could not be one is refused beside its field', async () => {
  const { database: _, ...without } = warehouse
  for (const [body, pointer, code] of [
    [without, '/database', 'field_required'],
    [{ ...warehouse, kind: 'elasticsearch' }, '/database', 'field_invalid'],
    [{ ...warehouse, host: 'db.example.com/shop' }, '/host', 'field_invalid'],
    [{ ...warehouse, tls: false, certificate_authority: '-----BEGIN CERTIFICATE-----' }, '/certificate_authority', 'field_invalid'],
  ] as const) {
    const { status, body: problem } = await api.post(path, body)
    const [error] = problem['errors'] as { pointer: string; code: string }[]
    assert.deepEqual([status, error?.pointer, error?.code], [422, pointer, code])
  }
}) // prettier-ignore

test('an application names a data source that there is, which is then not forgotten', async () => {
  const unknown = await api.post('/v1/applications', {
    code: 'shop',
    compose: compose.replace('data_source: warehouse', 'data_source: nowhere'),
  })
  assert.deepEqual([unknown.status, unknown.body['code']], [422, 'data_source_unknown'])
  assert.equal((await api.post('/v1/applications', { code: 'shop', compose })).status, 201)
  const inUse = await api.delete(`${path}/warehouse`)
  assert.deepEqual([inUse.status, inUse.body['detail']], [409, 'Metrics are read from it: shop.'])
  const own = compose.replace(/ {2}metrics:[^]*/, '')
  assert.equal((await api.post('/v1/applications', { code: 'shop', compose: own })).status, 201)
  assert.equal((await api.delete(`${path}/warehouse`)).status, 204)
  assert.equal((await api.delete(`${path}/warehouse`)).status, 404)
})
