import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createClouder, type Clouder } from '#test/support/clouder.ts'

let clouder: Clouder
before(async () => {
  clouder = await createClouder()
})
after(async () => clouder.close())

test('a metric is defined for all applications, listed, and archived', async () => {
  const said = ['--title', 'Disk', '--unit', 'GiB', '--kind', 'gauge', '--aggregation', 'max', '--level', 'volume']
  const added = await clouder.run(['metrics', 'add', 'held', ...said, '--source', 'volume-disk'])
  assert.match(added.stderr, /held: gauge in GiB, max, of each volume/)
  const again = await clouder.run(['metrics', 'add', 'held', ...said])
  assert.deepEqual([again.code, /code_taken/.test(again.stderr)], [5, true])
  assert.equal((await clouder.run(['metrics', 'archive', 'held'])).code, 0)
  assert.match((await clouder.run(['metrics'])).stdout, /held \(archived\)\s+Disk\s+GiB\s+gauge/)
}) // prettier-ignore

test('a data source is given with its password from a variable, listed without it, and forgotten', async () => {
  const at = ['--kind', 'postgresql', '--host', 'db.example.com', '--port', '5432', '--database', 'shop', '--user', 'reader']
  const env = { CLOUDER_DATA_SOURCE_PASSWORD: 'a-secret-word' }
  const added = await clouder.run(['data-sources', 'add', 'warehouse', ...at, '--no-tls'], env)
  assert.match(added.stderr, /warehouse: postgresql at db\.example\.com:5432/)
  const listed = (await clouder.run(['data-sources'])).stdout
  assert.match(listed, /warehouse\s+postgresql\s+db\.example\.com:5432\s+shop\s+reader\s+no/)
  assert.doesNotMatch(listed, /secret-word/)
  assert.equal((await clouder.run(['data-sources', 'rm', 'warehouse'])).code, 0)
  assert.equal((await clouder.run(['data-sources', 'rm', 'warehouse'])).code, 3)
}) // prettier-ignore

test('a webhook is made with its secret shown once, tested, disabled, enabled and deleted', async () => {
  const added = await clouder.run(['webhooks', 'add', 'https://hooks.example.com/', '--kind', 'limit.*'])
  const [, id = ''] = /(whk_\w+)/.exec(added.stdout + added.stderr) ?? []
  assert.match(added.stdout + added.stderr, /whsec_/)
  assert.equal((await clouder.run(['webhooks', 'test', id])).code, 0)
  assert.match((await clouder.run(['webhooks', 'deliveries', id])).stdout, /evt_\S+\s+webhook\.tested\s+waiting\s+0/)
  assert.equal((await clouder.run(['webhooks', 'disable', id])).code, 0)
  const listed = (await clouder.run(['webhooks'])).stdout
  assert.match(listed, /hooks\.example\.com\/\s+limit\.\*\s+disabled\s+1/)
  assert.doesNotMatch(listed, /whsec_/)
  assert.equal((await clouder.run(['webhooks', 'enable', id])).code, 0)
  const again = await clouder.run(['webhooks', 'redeliver', id, '--from', '2026-01-01T00:00:00Z'])
  assert.match(again.stderr, /\d+ posted once more/)
  assert.match(JSON.stringify(await clouder.run(['webhooks', 'rotate-secret', id])), /whsec_/)
  assert.equal((await clouder.run(['webhooks', 'rm', id])).code, 0)
  assert.equal((await clouder.run(['webhooks', 'rm', id])).code, 3)
  const refused = await clouder.run(['webhooks', 'add', 'https://10.0.0.1/'])
  assert.match(refused.stderr, /webhook_url_refused/)
}) // prettier-ignore
