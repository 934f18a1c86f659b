import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
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
import { createDataKeeper } from '#test/support/kept-data.ts'
import { backupsFolder } from '#test/support/workers.ts'

// Nothing is destroyed before it is saved (F-52), told through the API and the engine.

let installation: TestInstallation
let diary: Diary
let keeper: ReturnType<typeof createDataKeeper>
let restored: { subscription: string; backup: string }

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  keeper = createDataKeeper(installation, diary)
})
after(async () => await installation.stop())

async function onlyBackup(subscription: string): Promise<Json> {
  const backups = await diary.list(`/v1/backups?subscription=${subscription}`)
  assert.equal(backups.length, 1)
  return backups[0] ?? {}
}

const dump = `{ before: [{ service: web, command: ["/bin/sh", "-c", "cp /data/post /data/dump"] }] }`

test('what an instance held is saved by its own rules before it is removed, and a new one begins with it', async () => {
  await diary.untilPhase(await diary.order([{ product: 'static-site' }]), 'active')
  const subscription = await keeper.sell('blog', dump)
  await keeper.run(subscription, 'echo "written by a customer" > /data/post; chmod 640 /data/post')
  const password = await keeper.run(subscription, 'echo $PASSWORD')
  await keeper.cancel(subscription)
  await keeper.untilEnded(subscription)
  assert.deepEqual(await keeper.containersOf(subscription), [])

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
    await keeper.run(again, 'cat /data/post /data/dump'),
    'written by a customer\r\nwritten by a customer',
  )
  assert.equal(await keeper.run(again, 'ls -l /data/post | cut -c1-10'), '-rw-r-----')
  // Its data may know the old secret.
  assert.equal(await keeper.run(again, 'echo $PASSWORD'), password)
})

test('who leaves takes along what was saved, byte by byte, and the file that runs it with its secrets (F-55)', async () => {
  const backup = await diary.get(`/v1/backups/${restored.backup}`)
  const [copy] = backup['volumes'] as Json[]
  const address = `/v1/backups/${restored.backup}/volumes`
  const headers = { authorization: `Bearer ${installation.key}` }
  const answer = await installation.app.request(`${address}/${String(copy?.['volume'])}`, { headers })
  assert.equal(answer.status, 200)
  const content = Buffer.from(await answer.arrayBuffer())
  assert.equal(createHash('sha256').update(content).digest('hex'), copy?.['sha256'])
  assert.ok(content.includes('written by a customer'))
  const digest = createHash('sha256').update(content).digest('base64')
  assert.equal(answer.headers.get('repr-digest'), `sha-256=:${digest}:`)
  assert.equal((await installation.app.request(`${address}/other`, { headers })).status, 404)
  const whole = await diary.get(`/v1/instances/${String(backup['instance'])}/export?secrets=include`)
  assert.deepEqual(whole['variables'], [])
})

test('where a volume is lost by hand, the finding says how to restore the backup that is still kept', async () => {
  const [container] = await keeper.containersOf(restored.subscription)
  const { docker, volumes } = await listObjects(installation.installationId)
  await container?.remove({ force: true })
  const own = volumes.filter(({ Labels }) => Labels['io.clouder.subscription'] === restored.subscription)
  for (const { Name: name } of own) await docker.getVolume(name).remove()
  await installation.reconcile()
  const found = await diary.list('/v1/findings')
  const lost = found.find(({ kind }) => kind === 'missing_volume')
  assert.equal(
    lost?.['command'],
    `npx clouder backups restore ${restored.backup} --customer harbour-bakery --product blog`,
  )
})

test('a backup that fails stops the unbuild before the first removal, with one task, and the retry goes on', async () => {
  const rule = `{ before: [{ service: web, command: ["/bin/sh", "-c", "test -f /data/allowed"] }] }`
  const subscription = await keeper.sell('guarded', rule)
  await keeper.run(subscription, 'echo kept > /data/post')
  await keeper.cancel(subscription)
  const parked = await diary.untilParked(subscription)
  assert.equal(parked['parked_reason'], 'backup_failed')
  assert.equal(await keeper.run(subscription, 'cat /data/post'), 'kept')
  const tasks = (await diary.list('/v1/tasks?open=true')).filter(
    (task) => task['subject_id'] === subscription,
  )
  assert.equal(tasks.length, 1)
  assert.match(String(tasks[0]?.['detail']), /exit code 1/)
  assert.equal((await onlyBackup(subscription))['state'], 'failed')

  await keeper.run(subscription, 'touch /data/allowed')
  await diary.post(`/v1/subscriptions/${subscription}/retry-build`, {})
  await keeper.untilEnded(subscription)
  assert.equal((await onlyBackup(subscription))['state'], 'kept')
  assert.deepEqual(await keeper.containersOf(subscription), [])
})

test('a backup folder that takes nothing: nothing is removed, and the retry goes on once it does', async () => {
  const subscription = await keeper.sell('full', '{}')
  await keeper.run(subscription, 'echo kept > /data/post')
  await rm(backupsFolder, { recursive: true, force: true })
  await writeFile(backupsFolder, 'a file where the folder should be')
  try {
    await keeper.cancel(subscription)
    await until('the step tells', async () => {
      const [unbuild] = await diary.list(`/v1/builds?subscription=${subscription}`)
      if (unbuild?.['kind'] !== 'unbuild') return false
      const { steps } = await diary.get(`/v1/builds/${String(unbuild['id'])}`)
      return (steps as Json[])[0]?.['failure'] !== null
    })
    assert.equal((await keeper.containersOf(subscription)).length, 1)
  } finally {
    await rm(backupsFolder, { force: true })
  }
  const { phase, parked_reason: parked } = await diary.subscription(subscription)
  if (phase === 'unbuilding' && parked !== null)
    await diary.post(`/v1/subscriptions/${subscription}/retry-build`, {})
  await keeper.untilEnded(subscription, 90_000)
  const { volumes } = await onlyBackup(subscription)
  const [copy] = volumes as Json[]
  const file = path.join(backupsFolder, String(copy?.['location']).replace('folder:', ''))
  assert.equal((await readFile(file)).length, copy?.['bytes'])
})

test('one that is kept long enough is deleted, not before, and an order that wants it is refused', async () => {
  const subscription = await keeper.sell('forgotten', '{}')
  await keeper.cancel(subscription)
  await keeper.untilEnded(subscription)
  const backup = await onlyBackup(subscription)
  await installation.reconcile()
  assert.equal((await onlyBackup(subscription))['state'], 'kept')
  await installation.db
    .updateTable('backups')
    .set({ expires_at: new Date().toISOString() })
    .where('state', '=', 'kept')
    .execute()
  await installation.reconcile()
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
