import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { findPlanted } from '#test/support/planted-secret.ts'
import { sellApplication, standInImage } from '#test/support/sold-application.ts'
import {
  listObjects,
  startInstallation,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'

// What can be asked of a running instance: restart, its own actions, logs, and another value of a secret.

let installation: TestInstallation
let diary: Diary
let subscription: string
let instance: string
let shownFirst: string

const compose = (image: string) => `
services:
  web:
    image: "${image}"
    user: "1000:1000"
    expose: ["8080"]
    stop_signal: SIGKILL
    environment: { PASSWORD: "\${ADMIN_PASSWORD}" }
    entrypoint: ["sh", "-c", "echo begun; echo ERROR told of $$PASSWORD >&2; exec busybox httpd -f -p 8080 -h /www"]
  other:
    image: "${image}"
    user: "1000:1000"
    expose: ["8081"]
    stop_signal: SIGKILL
x-clouder:
  title: With actions
  public: { service: web, port: 8080 }
  secrets: [{ name: ADMIN_PASSWORD }]
  actions:
    - { code: clear_cache, title: Clear the cache, right: customer, service: web, command: ["sh", "-c", "echo cleared >> /dev/shm/cleared; grep -c . /dev/shm/cleared"] }
    - code: set_password
      title: Set the password
      right: customer
      service: web
      command: ["sh", "-c", "echo set for $0; cat", "{user}"]
      fields:
        - { code: user, title: User, required: true, pattern: "[a-z]+" }
        - { code: password, title: Password, kind: secret, required: true }
    - { code: wipe, title: Wipe, service: web, command: ["false"], confirmation: "All is lost." }
`

/** As a database does: its password is what it was given at its first start, and with another one it does not come up. */
const stubborn = (image: string) => `
services:
  web:
    image: "${image}"
    user: "0:0"
    stop_signal: SIGKILL
    expose: ["8080"]
    environment: { PASSWORD: "\${FIRST_PASSWORD}" }
    volumes: ["data:/data"]
    entrypoint: ["sh", "-c", "[ -e /data/first ] || echo $$PASSWORD > /data/first; [ $$(cat /data/first) = $$PASSWORD ] || exit 3; exec busybox httpd -f -p 8080 -h /www"]
volumes: { data: {} }
x-clouder:
  title: With a password of its own
  public: { service: web, port: 8080 }
  secrets: [{ name: FIRST_PASSWORD }]
`

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  await diary.untilPhase(await diary.order([{ product: 'static-site' }]), 'active')
  const image = await standInImage(installation)
  subscription = await sellApplication(installation, diary, { code: 'acting', compose: compose(image) })
  const active = await diary.untilPhase(subscription, 'active')
  instance = (active['instances'] as { id: string }[])[0]?.id ?? assert.fail('no instance')
})
after(async () => await installation.stop())

const ask = async (path: string, body: Json = {}, key: string = crypto.randomUUID()) =>
  await installation.call('POST', `/v1/instances/${instance}/${path}`, body, { 'idempotency-key': key })

async function inspected() {
  const { docker, containers } = await listObjects(installation.installationId)
  const own = containers.filter((one) => one.Labels['io.clouder.subscription'] === subscription)
  const all = await Promise.all(own.map(async ({ Id: id }) => await docker.getContainer(id).inspect()))
  return new Map(all.map((one) => [one.Config.Labels['io.clouder.component'] ?? '', one]))
}

async function passwordOfContainer(): Promise<string> {
  const env = (await inspected()).get('web')?.Config.Env ?? []
  return env.find((line) => line.startsWith('PASSWORD='))?.slice('PASSWORD='.length) ?? ''
}

chapter('restarted, all its containers were started anew, and it answers', async () => {
  const before = await inspected()
  const { status, body } = await ask('restart')
  assert.deepEqual([status, body['state'], body['kind']], [200, 'done', 'restart'])
  const later = await inspected()
  for (const [service, { Id: id, State: state }] of before) {
    assert.equal(later.get(service)?.Id, id)
    assert.ok((later.get(service)?.State.StartedAt ?? '') > state.StartedAt)
  }
})

chapter('the cache is cleared once, however often one key asks, and again for another key', async () => {
  const first = await ask('actions/clear_cache', {}, 'clear')
  const again = await ask('actions/clear_cache', {}, 'clear')
  assert.deepEqual([first.body['state'], first.body['output'], again.body], ['done', '1', first.body])
  assert.equal((await ask('actions/clear_cache')).body['output'], '2')
})

chapter('a key that acts for a customer runs what is meant for customers, and nothing else', async () => {
  const customer = await installation.keyWith(['instances:act'])
  const asCustomer = async (path: string) =>
    await installation.call(
      'POST',
      `/v1/instances/${instance}/${path}`,
      {},
      { authorization: `Bearer ${customer}` },
    )
  assert.equal((await asCustomer('actions/clear_cache')).status, 200)
  const { status, body } = await asCustomer('actions/wipe')
  assert.deepEqual([status, body['code']], [403, 'scope_missing'])
  const reader = await installation.keyWith(['instances:read'])
  const refused = await installation.call(
    'POST',
    `/v1/instances/${instance}/actions/clear_cache`,
    {},
    {
      authorization: `Bearer ${reader}`,
    },
  )
  assert.deepEqual([refused.status, refused.body['code']], [403, 'scope_missing'])
})

chapter('what is said in secret reaches the command alone, and its answer comes without it', async () => {
  const fields = { user: 'alice', password: 'a-new-password' }
  const { body } = await ask('actions/set_password', { fields })
  assert.deepEqual(
    [body['state'], body['output'], body['fields']],
    ['done', 'set for alice\n…', { user: 'alice' }],
  )
  const wrong = await ask('actions/set_password', { fields: { ...fields, user: '-x' } })
  assert.deepEqual([wrong.status, (wrong.body['errors'] as Json[])[0]?.['pointer']], [422, '/fields/user'])
})

chapter('an action that fails is answered with its exit code', async () => {
  const { status, body } = await ask('actions/wipe')
  assert.deepEqual([status, body['state'], body['exit_code']], [200, 'failed', 1])
})

chapter('its logs are read by service, level, text and time, without its secrets', async () => {
  const log = async (query: string) => {
    const { body } = await installation.call('GET', `/v1/instances/${instance}/logs?${query}`)
    return (body['data'] as { text: string; service: string; level: string }[]).map(({ text }) => text)
  }
  // What is written to the two streams at once comes in either order.
  assert.deepEqual((await log('service=web&limit=2')).toSorted(), ['ERROR told of …', 'begun'])
  assert.deepEqual(await log('level=error&limit=1'), ['ERROR told of …'])
  assert.deepEqual([...new Set(await log('search=BEGUN'))], ['begun'])
  assert.deepEqual(await log(`since=${new Date(Date.now() + 60_000).toISOString()}`), [])
  const rows = await installation.db.selectFrom('log_excerpts').selectAll().execute()
  assert.deepEqual(rows, [])
})

chapter('a secret is shown once', async () => {
  const shown = await ask('secrets/ADMIN_PASSWORD/show')
  const { value: once } = shown.body
  shownFirst = await passwordOfContainer()
  assert.deepEqual(shown.body, { name: 'ADMIN_PASSWORD', value: await passwordOfContainer() })
  assert.match(typeof once === 'string' ? once : '', /^[A-Za-z0-9]{20}$/)
  const again = await ask('secrets/ADMIN_PASSWORD/show')
  assert.deepEqual([again.status, again.body['code']], [409, 'secret_shown'])
})

chapter('rotated, what uses it is replaced with another value, and nothing else', async () => {
  const [before, old] = [await inspected(), await passwordOfContainer()]
  const { body } = await ask('secrets/ADMIN_PASSWORD/rotate')
  assert.equal(body['state'], 'done', JSON.stringify(body))
  const later = await inspected()
  assert.notEqual(later.get('web')?.Id, before.get('web')?.Id)
  assert.equal(later.get('other')?.Id, before.get('other')?.Id)
  const value = await passwordOfContainer()
  assert.match(value, /^[A-Za-z0-9]{20}$/)
  assert.notEqual(value, old)
  assert.equal((await ask('secrets/ADMIN_PASSWORD/show')).body['value'], value)
})

chapter(
  'neither what was shown, nor what took its place, nor what was said in secret is found anywhere',
  async () => {
    for (const secret of [shownFirst, await passwordOfContainer(), 'a-new-password'])
      assert.deepEqual(await findPlanted(installation, secret), [])
  },
)

chapter(
  'a value that what uses it does not get ready with is taken back, and it runs with the one before',
  async () => {
    const image = await standInImage(installation)
    const keeping = await sellApplication(installation, diary, { code: 'keeping', compose: stubborn(image) })
    const active = await diary.untilPhase(keeping, 'active')
    const id = (active['instances'] as { id: string; address: string }[])[0]
    const { status, body } = await installation.call(
      'POST',
      `/v1/instances/${id?.id}/secrets/FIRST_PASSWORD/rotate`,
      {},
    )
    assert.deepEqual([status, body['code']], [409, 'container_exited'], JSON.stringify(body))
    assert.equal((await fetch(id?.address ?? '')).status, 200)
    const kept = await installation.db
      .selectFrom('secrets')
      .select(['version', 'retired_at'])
      .where('name', '=', 'FIRST_PASSWORD')
      .execute()
    assert.deepEqual(kept, [{ version: 1, retired_at: null }])
  },
)

chapter('suspended, it is neither restarted nor asked anything', async () => {
  await diary.post(`/v1/subscriptions/${subscription}/suspend`, { reason: 'not paid', code: 'debt' })
  for (const path of ['restart', 'actions/clear_cache', 'secrets/ADMIN_PASSWORD/rotate']) {
    const { status, body } = await ask(path)
    assert.deepEqual([status, body['code']], [409, 'suspended'], path)
  }
})

chapter('what was asked, by whom, and what came of it is listed and told', async () => {
  const { body } = await installation.call('GET', `/v1/instances/${instance}/commands`)
  const told = (body['data'] as Json[]).map((one) => [one['subject'] ?? one['kind'], one['state']])
  assert.deepEqual(told.toReversed().slice(0, 2), [
    ['restart', 'done'],
    ['clear_cache', 'done'],
  ])
  assert.ok((body['data'] as Json[]).every((one) => String(one['by']).startsWith('key_')))
  const kinds = (await diary.events(subscription)).map(({ kind }) => String(kind))
  for (const kind of ['restarted', 'action_run', 'secret_shown', 'secret_rotated'])
    assert.ok(kinds.includes(`instance.${kind}`), kind)
})
