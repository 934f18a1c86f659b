import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { saveObserved } from '#db/reconciliation.ts'
import { encodeId } from '#domain/identifier.ts'
import { findInstanceId } from '#test/support/instances.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { activate, build, seedStory, sell, type Sold } from './story.ts'
import { sectionText, textOf } from './text.ts'

let console: TestConsole
let sold: Sold
let path: string
let settings: string
let instanceId: string
before(async () => {
  console = await createTestConsole()
  await seedStory(console.db)
  sold = await sell(console.db, { product: 'static-site' })
  await build(console.db, sold, 'done')
  await activate(console.db, sold, new Date().toISOString())
  instanceId = await findInstanceId(console.db, sold.id)
  path = `/instances/${encodeId('instance', instanceId)}`
  settings = `${path}/settings`
})
after(async () => console.close())

const shown = async (id: string) => sectionText((await console.get(settings)).html, id)

test('what runs otherwise than wanted is shown with both values, and a way to end it', async () => {
  const differences = [{ service: 'web', key: 'memory_mib', wanted: '2048', running: '1024' }]
  const seen = new Map([[instanceId, { state: 'running' as const, differences, containers: [] }]])
  await saveObserved(console.db, seen, '2026-03-01T10:00:00Z')
  assert.match(await shown('comparison'), /web memory_mib 2048 1024.*Apply what is wanted/)
  const applied = await console.submit(settings, `${path}/apply`)
  assert.equal(applied.status, 303)
  assert.equal(applied.headers.get('location'), `${settings}#comparison`)
  const asked = await console.db
    .selectFrom('outbox')
    .select('key')
    .where('key', 'like', 'replacement/%')
    .execute()
  assert.equal(asked.length, 1)
  const { html } = await console.get(`/subscriptions/${sold.publicId}`)
  assert.match(sectionText(html, 'instances'), /1 difference from what is wanted/)
})

test('a change of limits shows what it does first, changes nothing by that, and is in the history once made', async () => {
  const asked = `${settings}?preview=1&limits.web.memory_mib=256&limits.web.cpus=&limits.web.pids=`
  const { html } = await console.get(asked)
  assert.match(sectionText(html, 'change'), /web memory_mib web runs on, with other limits .* 256/)
  const limitsOf = async () =>
    await console.db
      .selectFrom('instances')
      .select('container_limits')
      .where('id', '=', instanceId)
      .executeTakeFirstOrThrow()
  assert.deepEqual(await limitsOf(), { container_limits: {} })
  const sent = { apply: 'later', reason: 'more visitors' }
  const made = await console.submit(asked, settings, { ...sent, 'limits.web.memory_mib': '256' })
  assert.equal(made.status, 303)
  assert.deepEqual(await limitsOf(), { container_limits: { web: { memoryMib: 256 } } })
  assert.match(await shown('history'), /web memory_mib from \d+ to 256: more visitors/)
  assert.match(await shown('comparison'), /web memory_mib 256/)
})

test('a limit that is no number is refused beside its field, with what was typed', async () => {
  const { status, html } = await console.get(`${settings}?preview=1&limits.web.memory_mib=much`)
  assert.equal(status, 422)
  assert.match(
    html,
    /id="change-limits-web-memory_mib"[^>]*aria-invalid="true"[^>]*value="much"|value="much"[^>]*aria-invalid="true"/,
  )
  assert.match(textOf(html), /Nothing was changed/)
})

test('an instance gets a name for people by a form, and its environment another name', async () => {
  const named = await console.submit(settings, `${path}/rename`, { name: 'Our site' })
  assert.equal(named.status, 303)
  assert.match((await console.get(path)).html, /<h1>Our site<\/h1>/)
  const refused = await console.submit(settings, `${path}/rename-environment`, { name: 'Upper' })
  assert.equal(refused.status, 422)
  const renamed = await console.submit(settings, `${path}/rename-environment`, { name: 'home' })
  assert.equal(renamed.status, 303)
  assert.match(await shown('names'), /Rename environment home…/)
  const taken = await console.submit(settings, `${path}/rename`, { name: '' })
  assert.equal(taken.status, 303)
  assert.doesNotMatch((await console.get(path)).html, /Our site/)
})

test('a login for a registry is given by a form whose refusal leads to its field, and a password is never sent back', async () => {
  const form = { host: 'ghcr.io', username: 'acme', password: '' }
  const registries = '/settings/registries'
  const empty = await console.submit(registries, registries, form)
  assert.equal(empty.status, 422)
  assert.match(empty.html, /href="#add-password"/)
  assert.match(empty.html, /<input[^>]*id="add-password"[^>]*aria-invalid="true"/)
  const refused = await console.submit(registries, registries, {
    ...form,
    host: 'https://ghcr.io',
    password: 'correct horse',
  })
  assert.equal(refused.status, 422)
  assert.doesNotMatch(refused.html, /correct horse/)
  const kept = await console.submit(registries, registries, { ...form, password: 'correct horse' })
  assert.equal(kept.status, 303)
  const { html } = await console.get(registries)
  assert.match(sectionText(html, 'registries'), /ghcr.io acme/)
  assert.doesNotMatch(html, /correct horse/)
})

test('a login that is gone already is told of above the table when it is to be forgotten', async () => {
  const registries = '/settings/registries'
  const { html } = await console.get(registries)
  const [action = ''] = /\/settings\/registries\/[^/"]+\/remove/.exec(html) ?? []
  assert.equal((await console.submit(registries, action)).status, 303)
  const token = /name="form_token" value="([^"]*)"/.exec(html)?.[1] ?? ''
  const again = await console.request(action, {
    method: 'POST',
    body: new URLSearchParams({ form_token: token, idempotency_key: 'another-key-of-this-test' }),
    headers: { accept: 'text/html', cookie: console.cookie, 'sec-fetch-site': 'same-origin' },
  })
  assert.equal(again.status, 422)
  assert.match(
    sectionText(await again.text(), 'registries'),
    /Nothing was changed.*no such registry|Nothing was changed.*There is no/,
  )
})
