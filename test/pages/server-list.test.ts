import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { noteFailure, noteSeen } from '#db/server-sighting.ts'
import { encodeId } from '#domain/identifier.ts'
import type { ServerTestResult } from '#workflows/contract.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { sectionText, textOf } from './text.ts'

let console: TestConsole
before(async () => {
  console = await createTestConsole()
})
after(async () => console.close())

const facts = {
  runner: 'docker',
  engineVersion: '28.0.1',
  apiVersion: '1.48',
  cpus: 8,
  memoryMib: 16_000,
  cgroupVersion: '2',
  storageDriver: 'overlay2',
  containers: 3,
}

async function serverId(code: string): Promise<string> {
  const row = await console.db
    .selectFrom('servers')
    .select('id')
    .where('code', '=', code)
    .executeTakeFirstOrThrow()
  return row.id
}

async function publicId(code: string): Promise<string> {
  return encodeId('server', await serverId(code))
}

async function askFor(code: string, action: string) {
  return await console.submit('/servers', `/servers/${await publicId(code)}/${action}`)
}

test('a server is added on the page, and is listed with kind, state and age', async () => {
  const done = await console.submit('/servers', '/servers', { code: 'rack-2' })
  assert.deepEqual([done.status, done.headers.get('location')], [303, '/servers'])
  const id = await serverId('rack-2')
  assert.match(
    sectionText((await console.get('/servers')).html, 'servers'),
    /rack-2 own worker … expected never seen –/,
  )
  await noteSeen(console.db, id, facts)
  await noteFailure(console.db, id, { cause: 'timed_out', detail: 'connect ETIMEDOUT' })
  const listed = sectionText((await console.get('/servers')).html, 'servers')
  assert.match(listed, /rack-2 own worker ✓ reachable seen .* timed out: .*ETIMEDOUT.* 28\.0\.1 0/)
})

test('what is wrong with a new server stands at its field, and a key that was typed is not sent back', async () => {
  const fields = { code: 'Rack', 'engine.address': 'tcp://10.0.0.7', 'engine.key': 'typed-in-secret' }
  const refused = await console.submit('/servers', '/servers', fields)
  assert.equal(refused.status, 422)
  assert.match(textOf(refused.html), /Nothing was changed\..*A code has 1 to 40 lower case letters/)
  assert.ok(refused.html.includes('tcp://10.0.0.7'))
  assert.ok(!refused.html.includes('typed-in-secret'))
})

test('a join token is on the page that it was asked for on, and on no other', async () => {
  const shown = await askFor('rack-2', 'join-token')
  const [token = ''] = /join_[\w-]{43}/.exec(shown.html) ?? []
  assert.match(textOf(shown.html), /Shown once\. On the host of rack-2, .*npx clouder servers join join_/)
  assert.ok(!(await console.get('/servers')).html.includes(token))
  const rows = await console.db.selectFrom('idempotency_keys').selectAll().execute()
  assert.ok(!JSON.stringify(rows).includes(token), 'nor is it kept with the answers of forms')
})

test('a test says what was found, or why the server is out of reach', async () => {
  const rights = { canList: true, canCreate: false }
  const examination = { ...facts, rights, free: { cpus: 6.5, memoryMib: 12_000 }, unlimitedContainers: 1 }
  const answers = async (result: ServerTestResult) => await Promise.resolve(result)
  console.temporal.behaviour.onExecute = async () => await answers({ examination, refusal: null })
  const found = await askFor('rack-2', 'test')
  assert.match(textOf(found.html), /free are 6\.5 of 8 processors and 12000 of 16000 MiB; it may list\./)
  console.temporal.behaviour.onExecute = async () => await answers({ examination: null, refusal: null })
  const refused = await askFor('rack-2', 'test')
  assert.equal(refused.status, 503)
  assert.match(textOf(refused.html), /Server rack-2 is out of reach, timed out: .*ETIMEDOUT/)
})
