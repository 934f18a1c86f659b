import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { openEngineAccess } from '#db/server.ts'
import { decodeId } from '#domain/identifier.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'

const installationKey = { id: 'test', bytes: Buffer.alloc(32, 3) }
const pem = (what: string, text: string) => `-----BEGIN ${what}-----\n${text}\n-----END ${what}-----\n`
const engine = {
  address: 'tcp://10.0.0.7:2376',
  ca: pem('CERTIFICATE', 'authority'),
  certificate: pem('CERTIFICATE', 'ours'),
  key: pem('PRIVATE KEY', 'never-shown'),
}

let api: TestApi
before(async () => {
  api = await createTestApi({ installationKey })
})
after(async () => api.close())

test('a server is added by its name, waits for its worker, and has ports of its own', async () => {
  const { body: local } = await api.get('/v1/servers/local')
  const { status, body } = await api.post('/v1/servers', { code: 'rack-2' })
  assert.equal(status, 201)
  assert.deepEqual(
    [body['code'], body['connection'], body['resource_kind'], body['state'], body['failure']],
    ['rack-2', 'own_worker', 'infrastructure', 'expected', null],
  )
  const first = (of: Record<string, unknown>) => (of['ports'] as { first: number; last: number }).first
  assert.equal(first(body), first(local) + 200)
  assert.deepEqual((await api.get('/v1/servers/rack-2')).body, body)
  const taken = await api.post('/v1/servers', { code: 'rack-2' })
  assert.deepEqual([taken.status, taken.body['code']], [409, 'code_taken'])
})

test('certificates and key of an engine are sealed, opened with the installation’s key only, and never shown', async () => {
  const { status, body } = await api.post('/v1/servers', { code: 'rack-3', engine })
  assert.equal(status, 201)
  assert.deepEqual([body['connection'], body['engine_address']], ['tls', 'tcp://10.0.0.7:2376'])
  const shown = JSON.stringify([body, (await api.get('/v1/servers')).body])
  for (const secret of ['never-shown', 'authority', 'ours']) assert.ok(!shown.includes(secret))
  const kept = await api.db.selectFrom('server_secrets').select('sealed').execute()
  assert.equal(kept.length, 3)
  for (const { sealed } of kept) assert.ok(!sealed.includes('never-shown'))
  const id = decodeId('server', String(body['id']))
  assert.deepEqual(await openEngineAccess(api.db, id, installationKey), engine)
  await assert.rejects(openEngineAccess(api.db, id, { id: 'test', bytes: Buffer.alloc(32, 4) }))
})

test('an engine is given another address and other certificates; a server without one is refused', async () => {
  const other = { ...engine, address: 'tcp://10.0.0.8:2376', key: pem('EC PRIVATE KEY', 'another') }
  const { body } = await api.put('/v1/servers/rack-3/engine', other)
  assert.equal(body['engine_address'], 'tcp://10.0.0.8:2376')
  const id = decodeId('server', String(body['id']))
  assert.deepEqual(await openEngineAccess(api.db, id, installationKey), other)
  const refused = await api.put('/v1/servers/rack-2/engine', engine)
  assert.deepEqual([refused.status, refused.body['code']], [409, 'action_not_allowed'])
})

test('what is wrong with a new server is said at its field, and nothing is added', async () => {
  const refusals: [Record<string, unknown>, string][] = [
    [{ code: 'Rack' }, '/code'],
    [{ code: 'rack-9', engine: { ...engine, address: 'ssh://there' } }, '/engine/address'],
    [{ code: 'rack-9', engine: { ...engine, key: 'no key' } }, '/engine/key'],
    [{ code: 'rack-9', engine: { ...engine, certificate: engine.key } }, '/engine/certificate'],
    [{ code: 'rack-9', ports: { first: 21_000, last: 20_000 } }, '/ports/last'],
    [{ code: 'rack-9', resource_kind: 'people', engine }, '/resource_kind'],
  ]
  for (const [body, pointer] of refusals) {
    const reply = await api.post('/v1/servers', body)
    assert.equal(reply.status, 422, pointer)
    assert.equal((reply.body['errors'] as { pointer: string }[])[0]?.pointer, pointer)
  }
  assert.equal((await api.get('/v1/servers/rack-9')).status, 404)
})

test('people are a work centre without engine, ports or state, and nothing is placed on them', async () => {
  const { body } = await api.post('/v1/servers', { code: 'operators', resource_kind: 'people' })
  assert.deepEqual(
    [body['resource_kind'], body['connection'], body['state'], body['ports'], body['runner']],
    ['people', null, null, null, null],
  )
})
