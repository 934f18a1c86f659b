import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createTestApi, type Reply, type TestApi } from '#test/support/api.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
})
after(async () => api.close())

const login = { host: 'ghcr.io', username: 'acme', password: 'correct horse battery' }
const list = async () => (await api.get('/v1/registries')).body['data'] as Record<string, unknown>[]

const refused = ({ status, body }: Reply) => {
  const [error] = body['errors'] as { pointer: string; code: string }[]
  return [status, body['code'], error?.pointer]
}

test('a login is kept for its host, given anew it replaces the one before, and its password is never shown', async () => {
  const made = await api.post('/v1/registries', login)
  assert.equal(made.status, 201)
  const again = await api.post('/v1/registries', { ...login, host: 'GHCR.io', username: 'robot' })
  assert.equal(again.body['id'], made.body['id'])
  const known = await list()
  assert.deepEqual(
    known.map(({ host, username }) => [host, username]),
    [['ghcr.io', 'robot']],
  )
  assert.ok(!JSON.stringify([made.body, again.body, known]).includes('horse'))
  const row = await api.db.selectFrom('registries').selectAll().executeTakeFirstOrThrow()
  assert.ok(!row.sealed.toString('latin1').includes('horse'))
  const events = await api.db.selectFrom('events').select(['kind', 'data']).orderBy('id').execute()
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['registry.login_set', 'registry.login_set'],
  )
  assert.ok(!JSON.stringify(events).includes('horse'))
})

test('a registry is a name, or the loopback of a developer: no URL, no path, no user, and no address in any form', async () => {
  const hosts = [
    'https://ghcr.io', 'ghcr.io/acme', 'user@ghcr.io', 'ghcr.io.', 'ghcr', '10.0.0.5', '169.254.169.254', '192.168.1.2:5000',
    '0x7f.1', '2130706433', '017700000001', '127.1', '[::1]', '::ffff:10.0.0.5', 'registry.example.com:0', 'registry.example.com:70000',
    'a b.example.com', '-a.example.com',
  ] // prettier-ignore
  for (const host of hosts)
    assert.deepEqual(
      refused(await api.post('/v1/registries', { ...login, host })),
      [422, 'registry_host_invalid', '/host'],
      host,
    )
  for (const host of ['registry.example.com:5000', '127.0.0.1:5000', 'localhost:5000', 'docker.io'])
    assert.equal((await api.post('/v1/registries', { ...login, host })).status, 201, host)
})

test('a forgotten login is gone, and who forgot it is told', async () => {
  const [registry] = await list()
  const address = `/v1/registries/${String(registry?.['id'])}`
  assert.equal((await api.delete(address)).status, 204)
  assert.equal((await api.delete(address)).status, 404)
  assert.ok((await list()).every(({ host }) => host !== registry?.['host']))
  const { data } = await api.db
    .selectFrom('events')
    .select('data')
    .where('kind', '=', 'registry.removed')
    .executeTakeFirstOrThrow()
  assert.equal(data['host'], registry?.['host'])
  assert.match(String(data['actor']), /^key_/)
})
