import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { saveObserved } from '#db/reconciliation.ts'
import { encodeId } from '#domain/identifier.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { build, seedStory, sell, type Sold } from './story.ts'
import { sectionText } from './text.ts'

let console: TestConsole
let sold: Sold
let path: string
let instanceId: string
before(async () => {
  console = await createTestConsole()
  await seedStory(console.db)
  sold = await sell(console.db, { product: 'static-site' })
  await build(console.db, sold, 'done')
  path = `/subscriptions/${sold.publicId}`
  const row = await console.db
    .selectFrom('instances')
    .select('id')
    .where('subscription_id', '=', sold.id)
    .executeTakeFirstOrThrow()
  instanceId = row.id
})
after(async () => console.close())

const shown = async () => sectionText((await console.get(path)).html, 'configuration')

test('what runs otherwise than wanted is shown with both values, and a way to end it', async () => {
  const differences = [{ service: 'web', key: 'memory_mib', wanted: '2048', running: '1024' }]
  const seen = new Map([[instanceId, { state: 'running' as const, differences }]])
  await saveObserved(console.db, seen, '2026-03-01T10:00:00Z')
  const text = await shown()
  assert.match(text, /web memory_mib 2048 1024/)
  assert.match(text, /Apply what is wanted/)
})

test('an instance gets a name for people by a form, and its environment another name', async () => {
  const instance = encodeId('instance', instanceId)
  const named = await console.submit(path, `${path}/change-instance`, {
    instance,
    name: 'Our site',
    apply: 'now',
  })
  assert.equal(named.status, 303)
  assert.match(await shown(), /Change Our site…/)
  const { environment_id: environmentId } = await console.db
    .selectFrom('instances')
    .select('environment_id')
    .where('id', '=', instanceId)
    .executeTakeFirstOrThrow()
  const environment = encodeId('environment', environmentId)
  const refused = await console.submit(path, `${path}/rename-environment`, { environment, name: 'Upper' })
  assert.equal(refused.status, 422)
  const renamed = await console.submit(path, `${path}/rename-environment`, { environment, name: 'home' })
  assert.equal(renamed.status, 303)
  assert.match(await shown(), /Rename environment home…/)
})

test('a login for a registry is given by a form, and a password is never sent back', async () => {
  const form = { host: 'https://ghcr.io', username: 'acme', password: 'correct horse' }
  const refused = await console.submit('/settings/registries', '/settings/registries', form)
  assert.equal(refused.status, 422)
  assert.doesNotMatch(refused.html, /correct horse/)
  const kept = await console.submit('/settings/registries', '/settings/registries', {
    ...form,
    host: 'ghcr.io',
  })
  assert.equal(kept.status, 303)
  const { html } = await console.get('/settings/registries')
  assert.match(sectionText(html, 'registries'), /ghcr.io acme/)
  assert.doesNotMatch(html, /correct horse/)
})
