import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import test, { after, before } from 'node:test'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, until, type Json, type TestInstallation } from '#test/support/installation.ts'
import { createDataKeeper } from '#test/support/kept-data.ts'
import { backupsFolder } from '#test/support/workers.ts'

// A backup put in place of what an instance holds (F-46): what it held is saved before, and comes back where that fails.

let installation: TestInstallation
let diary: Diary
let keeper: ReturnType<typeof createDataKeeper>
let subscription: string
/** What the instance began with. */
let first: string

before(async () => {
  installation = await startInstallation()
  diary = createDiary(installation)
  keeper = createDataKeeper(installation, diary)
  await diary.untilPhase(await diary.order([{ product: 'static-site' }]), 'active')
  const sold = await keeper.sell('diary', '{}', '2')
  await keeper.run(sold, 'echo monday > /data/page; chmod 640 /data/page')
  await keeper.cancel(sold)
  await keeper.untilEnded(sold)
  const [backup] = await diary.list(`/v1/backups?subscription=${sold}`)
  first = String(backup?.['id'])
  const lines = [{ product: 'diary', quantity: '5' }]
  const order = await diary.post(
    '/v1/orders',
    { customer: 'harbour-bakery', lines, restore_from: first },
    201,
  )
  subscription = String((order['subscriptions'] as Json[])[0]?.['id'])
  await diary.untilPhase(subscription, 'active')
})
after(async () => await installation.stop())

async function restore(backup: string): Promise<Json> {
  await diary.post(`/v1/subscriptions/${subscription}/restore`, { backup })
  return await keeper.untilRestored(subscription)
}

async function readStart(): Promise<string> {
  const [container] = await keeper.containersOf(subscription)
  assert.ok(container)
  const { State: state } = await container.inspect()
  assert.equal(state.Status, 'running')
  return state.StartedAt
}

/** Set by the limit's command after what was done last, and read back. */
async function untilLimited(quantity: string, since: string): Promise<void> {
  await until(`${quantity} users are in force`, async () => {
    const { instances } = (await diary.subscription(subscription)) as { instances: Json[] }
    const { limit_commands: commands } = await diary.get(`/v1/instances/${String(instances[0]?.['id'])}`)
    const [newest] = commands as Json[]
    return Date.parse(String(newest?.['sent_at'])) > Date.parse(since) && newest?.['read_back'] === quantity
  })
  assert.equal(await keeper.run(subscription, 'cat /data/users.limit'), quantity)
}

async function kindsOfEvents(): Promise<string[]> {
  return (await diary.events(subscription)).map(({ kind }) => String(kind))
}

test('a backup comes in place of what is held, nothing else is left, and what was held can be had back', async () => {
  await keeper.run(
    subscription,
    'echo tuesday > /data/page; mkdir -m 700 /data/new; echo 1 > /data/new/.hidden',
  )
  assert.equal(await keeper.run(subscription, 'cat /data/users.limit'), '5')
  const done = await restore(first)
  assert.deepEqual([done['state'], done['failure'], done['backup']], ['done', null, first])
  assert.equal(
    await keeper.run(subscription, 'cat /data/page; ls -1A /data'),
    'monday\r\npage\r\nusers.limit',
  )
  // It was made when 2 were sold.
  await untilLimited('5', String(done['finished_at']))
  assert.equal(await keeper.run(subscription, 'ls -l /data/page | cut -c1-10'), '-rw-r-----')
  await readStart()

  const before = await diary.get(`/v1/backups/${String(done['saved_before'])}`)
  assert.deepEqual(
    [before['state'], before['reason'], before['unbuild'], before['restore']],
    ['kept', 'before_restore', null, done['id']],
  )
  const back = await restore(String(before['id']))
  assert.equal(back['state'], 'done')
  assert.equal(await keeper.run(subscription, 'cat /data/page /data/new/.hidden'), 'tuesday\r\n1')
  assert.deepEqual(
    (await kindsOfEvents()).filter((kind) => kind.startsWith('restore.') || kind.startsWith('backup.')),
    ['restore.done', 'backup.kept', 'restore.started', 'restore.done', 'backup.kept', 'restore.started'],
  )
})

test('what does not get ready with the backup gets back what it held', async () => {
  await keeper.run(subscription, 'touch /data/broken')
  const done = await restore(first)
  assert.equal(done['state'], 'done')
  await keeper.run(subscription, 'echo wednesday > /data/page')
  const undone = await restore(String(done['saved_before']))
  assert.equal(undone['state'], 'undone')
  assert.equal((undone['failure'] as Json)['code'], 'not_ready_in_time')
  assert.equal(
    await keeper.run(subscription, 'cat /data/page; ls -1A /data'),
    'wednesday\r\npage\r\nusers.limit',
  )
  assert.equal((await diary.subscription(subscription))['phase'], 'active')
})

test('a copy that is not whole is refused before anything is stopped, and the instance holds what it held', async () => {
  const startedAt = await readStart()
  const { volumes } = await diary.get(`/v1/backups/${first}`)
  const [copy] = volumes as Json[]
  const file = path.join(backupsFolder, String(copy?.['location']).replace('folder:', ''))
  await writeFile(file, 'cut off')
  const undone = await restore(first)
  assert.equal(undone['state'], 'undone')
  assert.equal((undone['failure'] as Json)['code'], 'backup_failed')
  assert.equal(await keeper.run(subscription, 'cat /data/page'), 'wednesday')
  assert.equal(await readStart(), startedAt)
  await rm(file)
})

test('only a kept backup of the instance, or what it began with, is put in place', async () => {
  const other = await keeper.sell('other', '{}')
  await keeper.cancel(other)
  await keeper.untilEnded(other)
  const [backup] = await diary.list(`/v1/backups?subscription=${other}`)
  const refused = await installation.call('POST', `/v1/subscriptions/${subscription}/restore`, {
    backup: backup?.['id'],
  })
  assert.deepEqual([refused.status, refused.body['code']], [422, 'backup_not_restorable'])
  const unknown = await installation.call('POST', `/v1/subscriptions/${subscription}/restore`, {
    backup: 'bak_00000000000000000000000000',
  })
  assert.deepEqual([unknown.status, unknown.body['code']], [404, 'not_found'])
  await readStart()
})
