import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { saveObserved } from '#db/reconciliation.ts'
import { encodeId } from '#domain/identifier.ts'
import { build, sell } from '#test/pages/story.ts'
import { createClouder, type Clouder } from '#test/support/clouder.ts'

const password = 'correct horse battery'

let clouder: Clouder
let instanceId: string
let instance: string
let service: string
before(async () => {
  clouder = await createClouder()
  const sold = await sell(clouder.db, { product: 'static-site' })
  await build(clouder.db, sold, 'done')
  const { id, definition } = await clouder.db
    .selectFrom('instances')
    .innerJoin('application_versions as version', 'version.id', 'instances.application_version_id')
    .select(['instances.id', 'version.definition'])
    .where('subscription_id', '=', sold.id)
    .executeTakeFirstOrThrow()
  instanceId = id
  instance = encodeId('instance', id)
  service = definition.services[0]?.name ?? ''
})
after(async () => clouder.close())

test('a preview says what happens to each container and changes nothing; a name that is no pair is a usage error', async () => {
  const shown = await clouder.run(['instances', 'set', instance, '--memory', `${service}=1024`, '--preview'])
  assert.deepEqual([shown.code, shown.stderr], [0, ''])
  assert.match(shown.stdout, /runs on, with other limits\s+memory_mib: \d+ → 1024/)
  const { container_limits: limits } = await clouder.db
    .selectFrom('instances')
    .select('container_limits')
    .where('id', '=', instanceId)
    .executeTakeFirstOrThrow()
  assert.deepEqual(limits, {})
  for (const wrong of ['1024', `${service}=much`, '=5'])
    assert.equal((await clouder.run(['instances', 'set', instance, '--memory', wrong])).code, 2, wrong)
})

test('a name is given, and what runs otherwise than wanted ends with the code of what needs a person', async () => {
  assert.equal((await clouder.run(['instances', 'set', instance, '--name', 'Our site'])).code, 0)
  const { display_name: name } = await clouder.db
    .selectFrom('instances')
    .select('display_name')
    .where('id', '=', instanceId)
    .executeTakeFirstOrThrow()
  assert.equal(name, 'Our site')
  const look = async (running: string, at: string) => {
    const differences = running === '1024' ? [] : [{ service, key: 'memory_mib', wanted: '1024', running }]
    await saveObserved(
      clouder.db,
      new Map([[instanceId, { state: 'running' as const, differences, containers: [] }]]),
      at,
    )
    return await clouder.run(['instances', 'diff', instance])
  }
  const different = await look('64', '2026-03-01T10:00:00Z')
  assert.equal(different.code, 7)
  assert.match(different.stdout, /memory_mib\s+1024\s+64/)
  const same = await look('1024', '2026-03-01T10:01:00Z')
  assert.equal(same.code, 0)
  assert.match(same.stderr, /runs as it is wanted/)
})

test('a registry’s password comes from a variable or the input, never from an argument, and is never shown', async () => {
  const none = await clouder.run(['registries', 'add', 'ghcr.io', '--user', 'acme'])
  assert.equal(none.code, 2)
  assert.match(none.stderr, /CLOUDER_REGISTRY_PASSWORD/)
  const asArgument = await clouder.run([
    'registries',
    'add',
    'ghcr.io',
    '--user',
    'acme',
    '--password',
    password,
  ])
  assert.equal(asArgument.code, 2)
  const given = { CLOUDER_REGISTRY_PASSWORD: password }
  const added = await clouder.run(['registries', 'add', 'ghcr.io', '--user', 'acme'], given)
  assert.equal(added.code, 0, added.stderr)
  const listed = await clouder.run(['registries'])
  assert.match(listed.stdout, /ghcr\.io\s+acme/)
  assert.ok(![added, listed].some(({ stdout, stderr }) => `${stdout}${stderr}`.includes(password)))
  assert.equal((await clouder.run(['registries', 'rm', 'ghcr.io'])).code, 0)
  assert.equal((await clouder.run(['registries'])).stdout, '')
})
