import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test, { after, before } from 'node:test'
import { noteSilentServers } from '#db/server-sighting.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import {
  listObjects,
  startInstallation,
  until,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'
import { createDataKeeper } from '#test/support/kept-data.ts'
import { startOwnEngine, type OwnEngine } from '#test/support/own-engine.ts'
import { backupsFolder } from '#test/support/workers.ts'

// A real engine whose disk is full, a full backup folder, and an engine that is off. The disks are small file systems in memory.

let engine: OwnEngine
let installation: TestInstallation
let diary: Diary
let keeper: ReturnType<typeof createDataKeeper>
let disk: string
let site: string

before(async () => {
  disk = mkdtempSync('/tmp/clouder-disk-')
  mountSmall(disk, '48m')
  engine = await startOwnEngine({ disk })
  // Everything in this process that asks for no engine by its address gets this one.
  process.env['DOCKER_HOST'] = engine.host
  installation = await startInstallation()
  diary = createDiary(installation)
  keeper = createDataKeeper(installation, diary)
})
after(async () => {
  await installation.stop()
  await engine.remove()
  execFileSync('umount', ['-l', disk])
  rmSync(disk, { recursive: true })
})

function mountSmall(folder: string, size: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder])
}

/** Until nothing more can be written. */
function fill(folder: string): string {
  const file = path.join(folder, 'filler')
  for (const size of [1 << 20, 1 << 12]) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: 'a' })
    } catch (error) {
      assert.ok(error instanceof Error && 'code' in error && error.code === 'ENOSPC')
    }
  }
  return file
}

async function openTasksOf(subject: string): Promise<Json[]> {
  return (await diary.list('/v1/tasks?open=true')).filter((task) => task['subject_id'] === subject)
}

test('a full disk: the build says so, is undone and leaves nothing half made; with room again the retry works', async () => {
  const filler = fill(disk)
  site = await diary.order([{ product: 'static-site' }])
  const parked = await diary.untilParked(site)
  assert.deepEqual([parked['phase'], parked['parked_reason']], ['building', 'server_disk_full'])
  const [task, ...others] = await openTasksOf(site)
  assert.deepEqual(others, [])
  assert.match(String(task?.['detail']), /disk of the server is full: .*no space left on device.* undone/)
  const { containers, volumes, networks } = await listObjects(installation.installationId)
  assert.deepEqual([...containers, ...volumes, ...networks], [])
  assert.deepEqual(await diary.invoices(site), [])

  rmSync(filler)
  await diary.post(`/v1/subscriptions/${site}/retry-build`, {})
  await diary.untilPhase(site, 'active')
  assert.deepEqual(await openTasksOf(site), [])
})

test('a full backup folder: nothing is removed, the task names it; with room again the unbuild ends and the backup is whole', async () => {
  const subscription = await keeper.sell('album', '{}')
  await keeper.run(subscription, 'dd if=/dev/urandom of=/data/photo bs=1024 count=400')
  mkdirSync(backupsFolder, { recursive: true })
  mountSmall(backupsFolder, '128k')
  await keeper.cancel(subscription)
  const parked = await diary.untilParked(subscription)
  assert.deepEqual([parked['phase'], parked['parked_reason']], ['unbuilding', 'backup_failed'])
  const [task] = await openTasksOf(subscription)
  assert.match(String(task?.['detail']), /backup folder takes no more: ENOSPC.* Make room on the server/)
  assert.equal((await keeper.containersOf(subscription)).length, 1)

  execFileSync('umount', [backupsFolder])
  await diary.post(`/v1/subscriptions/${subscription}/retry-build`, {})
  await keeper.untilEnded(subscription)
  const [backup] = await diary.list(`/v1/backups?subscription=${subscription}`)
  assert.equal(backup?.['state'], 'kept')
  assert.deepEqual(await keeper.containersOf(subscription), [])
})

// The engine is really off; the ten minutes are the row's: its last sight is moved back, the rest is as it happens.
test('a host that is off: told once, what is to be built there waits unparked, and is built once when it is back', async () => {
  await engine.stop()
  const waiting = await diary.order([{ product: 'static-site' }])
  const [step] = await until('the build waits', async () => {
    const steps = await installation.db
      .selectFrom('build_steps')
      .select('failure_detail')
      .where('attempt', '>', 1)
      .where('state', '=', 'running')
      .execute()
    return steps.length > 0 && steps
  })
  assert.match(String(step?.failure_detail), /docker\.sock/)
  await installation.db
    .updateTable('servers')
    .set({ last_seen_at: new Date(Date.now() - 600_000).toISOString() })
    .execute()
  const told = [...(await noteSilentServers(installation.db)), ...(await noteSilentServers(installation.db))]
  assert.equal(told.length, 1)
  const tasks = (await diary.list('/v1/tasks?open=true')).filter(({ kind }) => kind === 'server_unreachable')
  assert.equal(tasks.length, 1)
  assert.match(String(tasks[0]?.['detail']), /waits and goes on by itself/)
  const { phase, parked_reason: parked } = await diary.subscription(waiting)
  assert.deepEqual([phase, parked], ['building', null])

  await engine.start()
  await diary.untilPhase(waiting, 'active', 90_000)
  const { containers } = await listObjects(installation.installationId)
  const owners = containers.map(({ Labels: labels }) => String(labels['io.clouder.subscription']))
  assert.deepEqual(owners.toSorted(), [site, waiting].toSorted())
  await until('the task is closed', async () => {
    const left = await diary.list('/v1/tasks?open=true')
    return left.every(({ kind }) => kind !== 'server_unreachable')
  })
})
