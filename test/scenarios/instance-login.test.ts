import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { sql } from 'kysely'
import { chapter } from '#test/support/chapter.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { listObjects, startInstallation, type TestInstallation } from '#test/support/installation.ts'
import { sellApplication, standInImage } from '#test/support/sold-application.ts'

// F-41: a link that lets into an application, once, for a minute.

let installation: TestInstallation
let diary: Diary
let subscription: string
let instance: string
let address: string

const compose = (image: string) => `
services:
  web: { image: "${image}", user: "1000:1000", expose: ["8080"], stop_signal: SIGKILL }
x-clouder:
  title: With a login
  public: { service: web, port: 8080 }
  login: { right: customer, service: web, command: [sh, -c, "cat /dev/shm/way 2>/dev/null || echo /enter?token=way-in-42"] }
`

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  await diary.untilPhase(await diary.order([{ product: 'static-site' }]), 'active')
  subscription = await sellApplication(installation, diary, {
    code: 'entered',
    compose: compose(await standInImage(installation)),
  })
  const active = await diary.untilPhase(subscription, 'active')
  const [own] = active['instances'] as { id: string; address: string }[]
  assert.ok(own)
  instance = own.id
  address = own.address
})
after(async () => await installation.stop())

async function makeLink(): Promise<string> {
  const link = await diary.post(`/v1/instances/${instance}/login-links`, {}, 201)
  return new URL(String(link['url'])).pathname
}

const open = async (path: string, origin = installation.publicUrl) =>
  await installation.app.request(path, { method: 'POST', headers: { origin } })

chapter('opened, it leads to the way that the application made; opened again, nowhere', async () => {
  const path = await makeLink()
  // Looking at it, as programs that read mails do, does not use it up.
  for (const look of [1, 2]) assert.equal((await installation.app.request(path)).status, 200, String(look))
  const opened = await open(path)
  assert.deepEqual([opened.status, opened.headers.get('location')], [303, `${address}enter?token=way-in-42`])
  assert.equal((await open(path)).status, 410)
  assert.equal((await installation.app.request(path)).status, 410)
})

chapter('of ten who open it at once, one gets in', async () => {
  const path = await makeLink()
  const answers = await Promise.all(Array.from({ length: 10 }, async () => (await open(path)).status))
  assert.deepEqual(
    answers.toSorted((one, other) => one - other),
    [303, ...Array.from({ length: 9 }, () => 410)],
  )
})

chapter('it is told who made it and who used it, and the way in is kept nowhere', async () => {
  const told = (await diary.events(subscription)).map(({ kind }) => kind)
  assert.ok(told.includes('instance.login_link_made') && told.includes('instance.logged_in'))
  const { rows } = await sql<{ found: boolean }>`
    select exists (select from instance_commands c where c::text like '%way-in-42%') or exists (
      select from instance_logins l where sealed is not null) or exists (
      select from events e where e::text like '%way-in-42%') as found`.execute(installation.db)
  assert.equal(rows[0]?.found, false)
})

chapter('too old, from another site, or leading to another host, it lets nobody in', async () => {
  const foreign = await makeLink()
  assert.equal((await open(foreign, 'https://elsewhere.example')).status, 403)
  const old = await makeLink()
  await installation.db
    .updateTable('instance_logins')
    .set({ made_at: '2026-01-01T00:00:00Z', expires_at: '2026-01-01T00:01:00Z' })
    .where('opened_at', 'is', null)
    .execute()
  assert.equal((await open(old)).status, 410)
  const { docker, containers } = await listObjects(installation.installationId)
  const own = containers.find((one) => one.Labels['io.clouder.subscription'] === subscription)
  const execution = await docker
    .getContainer(own?.Id ?? '')
    .exec({ Cmd: ['sh', '-c', 'echo //elsewhere.example/enter > /dev/shm/way'], AttachStdout: true })
  for await (const _ of await execution.start({})) continue
  const away = await open(await makeLink())
  assert.equal(away.status, 409)
  assert.match(await away.text(), /printed no path/)
})

chapter('an application without a login makes no link', async () => {
  const [site] = await diary.list('/v1/subscriptions?limit=100')
  const other = (await diary.list('/v1/instances?limit=100')).find(({ id }) => id !== instance)
  assert.ok(site && other)
  const reply = await installation.call('POST', `/v1/instances/${String(other['id'])}/login-links`, {})
  assert.deepEqual([reply.status, reply.body['code']], [409, 'login_not_offered'])
})
