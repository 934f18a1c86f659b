import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import test, { after, before } from 'node:test'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import {
  listObjects,
  startInstallation,
  until,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'
import { sellApplication } from '#test/support/sold-application.ts'
import { backupsFolder } from '#test/support/workers.ts'

// Nothing is destroyed before it is saved (F-52), told through the API and the engine.

let installation: TestInstallation
let diary: Diary
let restored: { subscription: string; backup: string }

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
})
after(async () => await installation.stop())

/** The stand-in's image keeps what is written under /data; the dump is made by the application's own rule. */
async function sell(code: string, rule: string): Promise<string> {
  const { docker } = await listObjects(installation.installationId)
  const built = await docker.listImages({ filters: { label: ['io.clouder.managed=true'] } })
  const image = built.flatMap((one) => one.RepoTags ?? []).find((name) => name.includes('demo-static-site:'))
  assert.ok(image)
  const service = `{ image: "${image}", expose: ["8080"], user: "0:0", volumes: ["data:/data"], environment: { PASSWORD: "$\{PASSWORD}" } }`
  const block = `{ title: ${code}, public: { service: web, port: 8080 }, ready: { path: / }, secrets: [{ name: PASSWORD, length: 20 }], backup: ${rule} }`
  const compose = `services: { web: ${service} }\nvolumes: { data: {} }\nx-clouder: ${block}\n`
  const subscription = await sellApplication(installation, diary, { code, compose })
  await diary.untilPhase(subscription, 'active')
  return subscription
}

async function containersOf(subscription: string) {
  const { docker, containers } = await listObjects(installation.installationId)
  const own = containers.filter((found) => found.Labels['io.clouder.subscription'] === subscription)
  return own.map((found) => docker.getContainer(found.Id))
}

async function run(subscription: string, line: string): Promise<string> {
  const [container] = await containersOf(subscription)
  assert.ok(container)
  const execution = await container.exec({ Cmd: ['/bin/sh', '-c', line], AttachStdout: true, Tty: true })
  const stream = await execution.start({ Tty: true })
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(Buffer.from(part as Uint8Array))
  return Buffer.concat(parts).toString('utf8').trim()
}

async function cancel(subscription: string): Promise<void> {
  await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now', reason: 'moves on' })
}

async function onlyBackup(subscription: string): Promise<Json> {
  const backups = await diary.list(`/v1/backups?subscription=${subscription}`)
  assert.equal(backups.length, 1)
  return backups[0] ?? {}
}

async function reconcile(): Promise<void> {
  await installation.client.workflow.execute('reconcile', {
    workflowId: `reconcile/${installation.installationId}/${Date.now()}`,
    taskQueue: `installation/${installation.installationId}`,
  })
}

const dump = `{ before: [{ service: web, command: ["/bin/sh", "-c", "cp /data/post /data/dump"] }] }`

test('what an instance held is saved by its own rules before it is removed, and a new one begins with it', async () => {
  await diary.untilPhase(await diary.order([{ product: 'static-site' }]), 'active')
  const subscription = await sell('blog', dump)
  await run(subscription, 'echo "written by a customer" > /data/post; chmod 640 /data/post')
  const password = await run(subscription, 'echo $PASSWORD')
  await cancel(subscription)
  await until('ended', async () => (await diary.subscription(subscription))['phase'] === 'ended')
  assert.deepEqual(await containersOf(subscription), [])

  const backup = await onlyBackup(subscription)
  assert.equal(backup['state'], 'kept')
  const days = Date.parse(String(backup['expires_at'])) - Date.parse(String(backup['taken_at']))
  assert.equal(days / 86_400_000, 30)
  const [unbuild] = await diary.list(`/v1/builds?subscription=${subscription}`)
  const { steps } = await diary.get(`/v1/builds/${String(unbuild?.['id'])}`)
  assert.deepEqual(
    (steps as Json[]).map((step) => `${String(step['kind'])} ${String(step['state'])}`),
    ['backup done', 'container done', 'volume done', 'network done'],
  )

  const lines = [{ product: 'blog' }]
  const order = await diary.post(
    '/v1/orders',
    { customer: 'harbour-bakery', lines, restore_from: backup['id'] },
    201,
  )
  const [sold] = order['subscriptions'] as Json[]
  const again = String(sold?.['id'])
  await diary.untilPhase(again, 'active')
  restored = { subscription: again, backup: String(backup['id']) }
  assert.equal(
    await run(again, 'cat /data/post /data/dump'),
    'written by a customer\r\nwritten by a customer',
  )
  assert.equal(await run(again, 'ls -l /data/post | cut -c1-10'), '-rw-r-----')
  // Its data may know the old secret.
  assert.equal(await run(again, 'echo $PASSWORD'), password)
})

test('where a volume is lost by hand, the finding says how to restore the backup that is still kept', async () => {
  const [container] = await containersOf(restored.subscription)
  const { docker, volumes } = await listObjects(installation.installationId)
  await container?.remove({ force: true })
  const own = volumes.filter(({ Labels }) => Labels['io.clouder.subscription'] === restored.subscription)
  for (const { Name: name } of own) await docker.getVolume(name).remove()
  await reconcile()
  const found = await diary.list('/v1/findings')
  const lost = found.find(({ kind }) => kind === 'missing_volume')
  assert.equal(
    lost?.['command'],
    `npx clouder backups restore ${restored.backup} --customer harbour-bakery --product blog`,
  )
})

test('a backup that fails stops the unbuild before the first removal, with one task, and the retry goes on', async () => {
  const rule = `{ before: [{ service: web, command: ["/bin/sh", "-c", "test -f /data/allowed"] }] }`
  const subscription = await sell('guarded', rule)
  await run(subscription, 'echo kept > /data/post')
  await cancel(subscription)
  const parked = await diary.untilParked(subscription)
  assert.equal(parked['parked_reason'], 'backup_failed')
  assert.equal(await run(subscription, 'cat /data/post'), 'kept')
  const tasks = (await diary.list('/v1/tasks?open=true')).filter(
    (task) => task['subject_id'] === subscription,
  )
  assert.equal(tasks.length, 1)
  assert.match(String(tasks[0]?.['detail']), /exit code 1/)
  assert.equal((await onlyBackup(subscription))['state'], 'failed')

  await run(subscription, 'touch /data/allowed')
  await diary.post(`/v1/subscriptions/${subscription}/retry-build`, {})
  await until('ended', async () => (await diary.subscription(subscription))['phase'] === 'ended')
  assert.equal((await onlyBackup(subscription))['state'], 'kept')
  assert.deepEqual(await containersOf(subscription), [])
})

test('a backup folder that takes nothing: nothing is removed, and the retry goes on once it does', async () => {
  const subscription = await sell('full', '{}')
  await run(subscription, 'echo kept > /data/post')
  await rm(backupsFolder, { recursive: true, force: true })
  await writeFile(backupsFolder, 'a file where the folder should be')
  try {
    await cancel(subscription)
    await until('the step tells', async () => {
      const [unbuild] = await diary.list(`/v1/builds?subscription=${subscription}`)
      if (unbuild?.['kind'] !== 'unbuild') return false
      const { steps } = await diary.get(`/v1/builds/${String(unbuild['id'])}`)
      return (steps as Json[])[0]?.['failure'] !== null
    })
    assert.equal((await containersOf(subscription)).length, 1)
  } finally {
    await rm(backupsFolder, { force: true })
  }
  const { phase, parked_reason: parked } = await diary.subscription(subscription)
  if (phase === 'unbuilding' && parked !== null)
    await diary.post(`/v1/subscriptions/${subscription}/retry-build`, {})
  await until('ended', async () => (await diary.subscription(subscription))['phase'] === 'ended', 90_000)
  const { volumes } = await onlyBackup(subscription)
  const [copy] = volumes as Json[]
  const file = path.join(backupsFolder, String(copy?.['location']).replace('folder:', ''))
  assert.equal((await readFile(file)).length, copy?.['bytes'])
})

test('one that is kept long enough is deleted, not before, and an order that wants it is refused', async () => {
  const subscription = await sell('forgotten', '{}')
  await cancel(subscription)
  await until('ended', async () => (await diary.subscription(subscription))['phase'] === 'ended')
  const backup = await onlyBackup(subscription)
  await reconcile()
  assert.equal((await onlyBackup(subscription))['state'], 'kept')
  await installation.db
    .updateTable('backups')
    .set({ expires_at: new Date().toISOString() })
    .where('state', '=', 'kept')
    .execute()
  await reconcile()
  const deleted = await onlyBackup(subscription)
  assert.equal(deleted['state'], 'deleted')
  const [copy] = deleted['volumes'] as Json[]
  const file = path.join(backupsFolder, String(copy?.['location']).replace('folder:', ''))
  await assert.rejects(readFile(file), { code: 'ENOENT' })
  const refused = await installation.call('POST', '/v1/orders', {
    customer: 'harbour-bakery',
    lines: [{ product: 'forgotten' }],
    restore_from: backup['id'],
  })
  assert.deepEqual([refused.status, refused.body['code']], [422, 'backup_not_restorable'])
})
