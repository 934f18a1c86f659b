import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test, { after, before } from 'node:test'
import {
  beginInstanceCommand,
  endInstanceCommand,
  getInstanceCommand,
  openSaid,
} from '#db/instance-command.ts'
import { findAskedLog, keepLogLines } from '#db/log-excerpt.ts'
import { decodeId } from '#domain/identifier.ts'
import type { StartedWorkflow } from '#test/support/fake-temporal.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { icon, tellShop, type Shop } from './instance-story.ts'
import { seedStory } from './story.ts'
import { sectionText, textOf } from './text.ts'

const key = { id: 'test', bytes: randomBytes(32) }

let console: TestConsole
let shop: Shop
/** What the worker was asked, with what was said in secret. */
const asked: { kind: string; subject: string | null; secret: string | null }[] = []
before(async () => {
  console = await createTestConsole({ installationKey: key })
  await seedStory(console.db)
  shop = await tellShop(console.db, key)
  console.temporal.behaviour.onExecute = async (workflow) =>
    workflow.type === 'log' ? await writeLog(workflow) : await carryOut(workflow)
})
after(async () => console.close())

const textAt = async (part: string, id: string) =>
  sectionText((await console.get(part === '' ? shop.path : `${shop.path}/${part}`)).html, id)

/** As the worker does: everything goes well, but for the action that sets a password. */
async function carryOut({ args: [input] }: StartedWorkflow): Promise<null> {
  const { instanceId, requestId } = input as { instanceId: string; requestId: string }
  const of = { instanceId: decodeId('instance', instanceId), requestId }
  const command = await getInstanceCommand(console.db, of)
  asked.push({ kind: command.kind, subject: command.subject, secret: openSaid(key, command) })
  await beginInstanceCommand(console.db, of)
  const isBad = command.subject === 'set_password'
  await endInstanceCommand(console.db, of, {
    state: isBad ? 'failed' : 'done',
    ...(command.kind === 'action'
      ? { exitCode: isBad ? 3 : 0, output: isBad ? 'no such user' : 'cleared' }
      : {}),
  })
  return null
}

async function writeLog({ args: [input] }: StartedWorkflow): Promise<null> {
  const { requestId } = input as { requestId: string }
  const found = await findAskedLog(console.db, requestId)
  assert.partialDeepStrictEqual(found?.request, {
    service: 'web',
    level: 'warning',
    search: 'disk',
    limit: 200,
  })
  await keepLogLines(console.db, requestId, [
    { at: '2026-03-01T10:00:00.000Z', service: 'web', stream: 'stderr', level: 'error', text: 'disk <full>' },
  ])
  return null
}

test('the page shows each container as it was seen, why the server, its metrics, its build and what it is for', async () => {
  const { html } = await console.get(shop.path)
  assert.match(
    sectionText(html, 'containers'),
    /web acme_shop_web ✓ running .*worker acme_shop_worker ! exited exit code 137 .*started again 3 times/,
  )
  assert.match(
    sectionText(html, 'standing'),
    /seen degraded .*local, port \d+ There because [\d.]+ % of its scarcest resource is free afterwards\./,
  )
  assert.match(sectionText(html, 'standing'), /Last restart none that anybody asked for/)
  assert.match(sectionText(html, 'metrics'), /visits – not yet Not read since .*: \/bin\/visits ended with 1/)
  assert.match(sectionText(html, 'build'), /Last build ✓ done .*Container web ✓ done/)
  assert.match(html, new RegExp(`href="/subscriptions/${shop.subscriptionId}"`))
})

test('it is reached from its subscription, from the list of instances and from its server', async () => {
  for (const path of [`/subscriptions/${shop.subscriptionId}`, '/instances', '/servers'])
    assert.ok((await console.get(path)).html.includes(`href="${shop.path}"`), path)
  const { html } = await console.get('/instances')
  const [of = ''] = /\/instances\?server=srv_\w+/.exec(html) ?? []
  assert.ok((await console.get(of)).html.includes(`href="${shop.path}"`))
})

test('the icon of an application stands where its instances and products do, and is the picture alone', async () => {
  const { html } = await console.get(shop.path)
  const [address = ''] = /\/applications\/app_\w+\/versions\/2\/icon/.exec(html) ?? []
  for (const path of ['/instances', '/catalog', `/subscriptions/${shop.subscriptionId}`])
    assert.ok((await console.get(path)).html.includes(`src="${address}"`), path)
  const response = await console.request(address, { headers: { cookie: console.cookie } })
  assert.equal(response.headers.get('content-type'), 'image/png')
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
  assert.equal(`data:image/png;base64,${Buffer.from(await response.arrayBuffer()).toString('base64')}`, icon)
  assert.equal((await console.get(address.replace('versions/2', 'versions/1'))).status, 404)
  const { definition } = await console.db
    .selectFrom('application_versions')
    .select('definition')
    .where('icon', 'is not', null)
    .executeTakeFirstOrThrow()
  assert.ok(!Object.hasOwn(definition, 'icon'))
})

test('a restart is asked for by a button, once for one key, and the page says who asked', async () => {
  const form = await console.submit(`${shop.path}/actions`, `${shop.path}/restart`, {
    idempotency_key: 'restart-me-once-1',
  })
  assert.equal(form.status, 303)
  const again = await console.submit(`${shop.path}/actions`, `${shop.path}/restart`, {
    idempotency_key: 'restart-me-once-1',
  })
  assert.equal(again.status, 303)
  assert.equal(asked.filter(({ kind }) => kind === 'restart').length, 1)
  assert.match(
    await textAt('', 'standing'),
    /Last restart just now by operator:|Last restart \d+ s ago by operator:/,
  )
  assert.match(await textAt('actions', 'asked'), /Restart ✓ done/)
})

test('an action shows its form and its question; what is said in secret is never sent back', async () => {
  const path = `${shop.path}/actions/set_password`
  assert.match(
    await textAt('actions', 'actions'),
    /Clear the cache .*Set a password… Whoever is logged in is logged out\. User New password/,
  )
  const refused = await console.submit(`${shop.path}/actions`, path, {
    'fields.user': '',
    'fields.password': 'hunter two',
  })
  assert.equal(refused.status, 422)
  assert.doesNotMatch(refused.html, /hunter two/)
  assert.match(refused.html, /<details id="action-set_password" open/)
  assert.match(refused.html, /href="#action-set_password-fields-user"/)
  assert.match(refused.html, /id="action-set_password-fields-user"/)
  const sent = await console.submit(`${shop.path}/actions`, path, {
    'fields.user': 'ann',
    'fields.password': 'hunter two',
  })
  assert.equal(sent.status, 303)
  assert.partialDeepStrictEqual(asked.at(-1), {
    kind: 'action',
    subject: 'set_password',
    secret: 'hunter two',
  })
  assert.match(
    await textAt('actions', 'asked'),
    /Action set_password user: ann ✕ failed exit code 3 output no such user/,
  )
})

test('a login leads to a link that works once', async () => {
  const made = await console.submit(`${shop.path}/actions`, `${shop.path}/login`)
  assert.equal(made.status, 303)
  assert.match(made.headers.get('location') ?? '', /^\/open\/[\w-]{43}$/)
})

test('logs are asked for by service, level and text, and their text is text', async () => {
  const { html } = await console.get(`${shop.path}/logs?service=web&level=warning&search=disk&minutes=60`)
  assert.match(sectionText(html, 'logs'), /1 Mar 2026, 10:00:00 UTC web ✕ error disk <full>/)
  assert.doesNotMatch(html, /<full>/)
})

test('a server that does not answer is told of where the lines would stand', async () => {
  const worker = console.temporal.behaviour.onExecute
  console.temporal.behaviour.onExecute = () =>
    Promise.reject(Object.assign(new Error('late'), { code: 4, details: 'deadline', metadata: {} }))
  const { status, html } = await console.get(`${shop.path}/logs`)
  console.temporal.behaviour.onExecute = worker
  assert.equal(status, 503)
  assert.match(sectionText(html, 'logs'), /server did not answer in time/)
})

test('a secret is shown once, on the page that answers, and gets another value on request', async () => {
  const path = `${shop.path}/secrets`
  const shown = await console.submit(path, `${path}/ADMIN_PASSWORD/show`)
  assert.equal(shown.status, 200)
  assert.match(shown.html, /<code>correct horse<\/code>/)
  assert.equal(shown.headers.get('cache-control'), 'no-store')
  const { html } = await console.get(path)
  assert.doesNotMatch(html, /correct horse|ADMIN_PASSWORD\/show/)
  const rotated = await console.submit(path, `${path}/ADMIN_PASSWORD/rotate`)
  assert.equal(rotated.status, 303)
  assert.partialDeepStrictEqual(asked.at(-1), { kind: 'rotation', subject: 'ADMIN_PASSWORD' })
  assert.match(await textAt('settings', 'history'), /ADMIN_PASSWORD of .* was shown/)
})

test('a backup is listed with its volumes to download, and can be put back', async () => {
  const { html } = await console.get(`${shop.path}/backups`)
  assert.match(sectionText(html, 'backups'), /the last one .*kept data 20\.0 MiB .*Restore a backup in place/)
  assert.match(html, /href="\/v1\/backups\/bak_\w+\/volumes\/data"/)
})

test('what is asked of one that is suspended is not offered', async () => {
  await console.db.updateTable('instances').set({ state: 'suspended' }).where('id', '=', shop.id).execute()
  const text = await textAt('actions', 'actions')
  assert.match(text, /It is suspended/)
  assert.doesNotMatch(text, /Restart/)
  assert.match(textOf((await console.get(shop.path)).html), /suspended/)
})
