import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createDiary } from '#test/support/customer-diary.ts'
import {
  listObjects,
  startInstallation,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { createDataKeeper } from '#test/support/kept-data.ts'
import type { CrashPoint, Moment } from './crash-point.ts'
import { prepareWorkers, superviseWorkers, type PreparedWorkers } from './supervised-worker.ts'

// A worker killed around all that stops an instance and moves its data: suspension, last backup, restore into a new instance and in place.

/** The second build begins with image, network and volume; its fourth call is the restore. */
const calls = [
  'stopInstances:1',
  'startInstances:1',
  'takeBackup:1',
  'carryOutStep:9',
  'saveBeforeRestore:1',
  'replaceContent:1',
  'startRestored:1',
  'closeRestore:1',
] as const

const moments: readonly { moment: Moment; when: string }[] = [
  { moment: 'before', when: 'before it does anything' },
  { moment: 'in', when: 'when it is done and nobody was told' },
  { moment: 'after', when: 'before Temporal knows that it is done' },
]

let prepared: PreparedWorkers
const installations: TestInstallation[] = []

before(async () => {
  prepared = await prepareWorkers()
  for (const _ of moments) installations.push(await startInstallation({ hasWorkers: false }))
})
after(async () => {
  for (const installation of installations) await installation.stop()
  await prepared.remove()
})

const patienceMs = 240_000

/** What was written before the end is there again, and what was written since is in a backup. */
async function keepThroughAll(installation: TestInstallation) {
  const diary = createDiary(installation)
  const keeper = createDataKeeper(installation, diary)
  const sold = await diary.order([{ kit: 'odoo-config-1' }])
  await diary.untilPhase(sold, 'active', patienceMs)
  await keeper.run(sold, 'echo first > /data/page')
  await diary.post(`/v1/subscriptions/${sold}/suspend`, { reason: 'not paid' })
  const [stopped] = await keeper.containersOf(sold)
  const isRunning = (await stopped?.inspect())?.State.Running
  await diary.post(`/v1/subscriptions/${sold}/resume`, {})
  await keeper.cancel(sold)
  await keeper.untilEnded(sold, patienceMs)
  const { subscriptions } = await diary.post(`/v1/subscriptions/${sold}/reinstate`, {}, 201)
  await installation.relay()
  const again = String((subscriptions as Json[])[0]?.['id'])
  await diary.untilPhase(again, 'active', patienceMs)
  const restored = await keeper.run(again, 'cat /data/page')
  await keeper.run(again, 'echo second > /data/page; touch /data/more')
  const [backup] = await diary.list(`/v1/backups?subscription=${sold}`)
  await diary.post(`/v1/subscriptions/${again}/restore`, { backup: backup?.['id'] })
  const { state, saved_before: before } = await keeper.untilRestored(again, patienceMs)
  const inPlace = await keeper.run(again, 'cat /data/page; ls /data | grep more')
  const kept = await diary.list('/v1/backups')
  return {
    isRunning,
    restored,
    state,
    inPlace,
    isSavedBefore: kept.some(({ id }) => id === before),
    backups: kept.map((one) => [one['reason'], one['state'], (one['volumes'] as Json[]).length]),
    tasks: await diary.list('/v1/tasks?open=true'),
    containers: (await listObjects(installation.installationId)).containers.length,
  }
}

describe(
  'a worker killed with SIGKILL while data is stopped, saved and put back',
  { concurrency: true },
  () => {
    for (const [index, { moment, when }] of moments.entries()) {
      it(`at each step, ${when}: nothing is lost, and nothing is doubled`, async () => {
        const installation = installations[index]
        assert.ok(installation)
        const points = calls.map((call): CrashPoint => `${call}:${moment}`)
        const worker = await superviseWorkers(prepared, [{ installation, points }])
        try {
          const life = await Promise.race([keepThroughAll(installation), worker.broken])
          assert.deepEqual(worker.journals()[0]?.killedAt.toSorted(), points.toSorted())
          assert.deepEqual(life, {
            isRunning: false,
            restored: 'first',
            state: 'done',
            inPlace: 'first',
            isSavedBefore: true,
            backups: [
              ['before_restore', 'kept', 1],
              ['last', 'kept', 1],
            ],
            tasks: [],
            containers: 1,
          })
          const steps = await installation.db
            .selectFrom('build_steps')
            .select('attempt')
            .where('kind', '=', 'restore')
            .execute()
          assert.deepEqual(steps, [{ attempt: 2 }])
          await assertInvariants(installation.db)
        } finally {
          await worker.stop()
        }
      })
    }
  },
)
