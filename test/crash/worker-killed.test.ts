import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { encodeId } from '#domain/identifier.ts'
import { startInstallation, type TestInstallation } from '#test/support/installation.ts'
import type { CrashPoint, Moment } from './crash-point.ts'
import { checkReadable, readRuns, replay, retriedCalls, type Run } from './history.ts'
import { liveThrough, type LivedLife } from './life.ts'
import { prepareWorkers, superviseWorkers, type PreparedWorkers } from './supervised-worker.ts'

/** An activity and which call of it. */
type CallNumber = `${string}:${number}`

/** Each list is lived through once for each moment, all beside each other: a death costs 10 s until it is noticed. */
const build: readonly CallNumber[] = [
  'carryOutStep:1',
  'carryOutStep:2',
  'carryOutStep:3',
  'carryOutStep:4',
  'carryOutStep:5',
  'closeBuildOrder:1',
]
const bills: readonly CallNumber[] = [
  'takeReadings:1',
  'activateSubscription:1',
  'billOpening:1',
  'billPeriod:1',
  'takeReadings:2',
  'billFinal:1',
]
const limitsAndUnbuild: readonly CallNumber[] = [
  'applyLimit:1',
  'applyLimit:2',
  'removeStep:1',
  'removeStep:2',
  'removeStep:3',
  'verifyAbsence:1',
  'closeBuildOrder:2',
]

const moments: readonly { moment: Moment; when: string }[] = [
  { moment: 'before', when: 'before it does anything' },
  { moment: 'in', when: 'when it is done and nobody was told' },
  { moment: 'after', when: 'before Temporal knows that it is done' },
]
/** Those of one list die together, of one process. */
const chains = [
  { title: 'each step of its build', calls: build },
  { title: 'each reading and bill', calls: bills },
  { title: 'each limit and each step of its unbuild', calls: limitsAndUnbuild },
]

interface Lived extends LivedLife {
  readonly killedAt: readonly CrashPoint[]
  /** How often each activity was called; a retry is not another call. */
  readonly callCounts: ReadonlyMap<string, number>
  readonly killedCalls: readonly string[]
  readonly runs: readonly Run[]
}

let prepared: PreparedWorkers
let installations: readonly TestInstallation[]
let undisturbed: Promise<Lived>

before(async () => {
  prepared = await prepareWorkers()
  installations = await startInstallations(chains.length * moments.length + 1)
  undisturbed = live([{ installation: installations.at(-1), points: [] }]).then(
    ([only]) => only ?? assert.fail(),
  )
  // Each test that compares with it fails with its error.
  undisturbed.catch(() => {})
})
after(async () => {
  for (const installation of installations) await installation.stop()
  await prepared.remove()
})

const portsEach = 10

/** Installations whose ports are slices of one block, so that lives beside each other never want the same port. */
async function startInstallations(count: number): Promise<TestInstallation[]> {
  const started: TestInstallation[] = []
  let firstPort: number | undefined
  while (started.length < count) {
    const installation = await startInstallation({ hasWorkers: false })
    const server = await installation.db.selectFrom('servers').select('port_range').executeTakeFirstOrThrow()
    firstPort ??= Number(/\d+/.exec(server.port_range ?? '')?.[0])
    const from = firstPort + portsEach * started.length
    await installation.db
      .updateTable('servers')
      .set({ port_range: `[${from},${from + portsEach})` })
      .execute()
    started.push(installation)
  }
  return started
}

interface PlannedLife {
  readonly installation: TestInstallation | undefined
  readonly points: readonly CrashPoint[]
}

/** Beside each other, with one worker process for all of them. */
async function live(planned: readonly PlannedLife[]): Promise<Lived[]> {
  const lives = planned.map(({ installation, points }) => ({
    installation: installation ?? assert.fail(),
    points,
  }))
  const worker = await superviseWorkers(prepared, lives)
  try {
    const lived = Promise.all(lives.map(async ({ installation }) => await liveThrough(installation)))
    const ended = await Promise.race([lived, worker.broken])
    const journals = worker.journals()
    return await Promise.all(
      lives.map(async ({ installation }, index) => {
        const life = ended[index] ?? assert.fail()
        const { calls, killedAt } = journals[index] ?? assert.fail()
        const callsOf = Map.groupBy(calls, (call) => call.activity)
        return {
          ...life,
          killedAt,
          callCounts: new Map([...callsOf].map(([activity, of]) => [activity, of.length])),
          killedCalls: killedAt.map((point) => {
            const [activity = '', number] = point.split(':')
            return callsOf.get(activity)?.[Number(number) - 1]?.identity ?? 'never called'
          }),
          runs: await readAllRuns(installation, life.subscription),
        }
      }),
    )
  } finally {
    await worker.stop()
  }
}

async function checkLife(killed: Lived, points: readonly CrashPoint[]): Promise<void> {
  const whole = await undisturbed
  // Steps side by side end in any order: it died at each of them once.
  assert.deepEqual(killed.killedAt.toSorted(), points.toSorted())
  assert.deepEqual(killed.story, whole.story)
  const retried = killed.runs.flatMap(retriedCalls)
  assert.deepEqual(
    killed.killedCalls.filter((call) => !retried.includes(call)),
    [],
  )
  killed.runs.forEach(checkReadable)
  await replay(killed.runs, prepared.bundle)
}

async function readAllRuns({ client, db }: TestInstallation, subscription: string): Promise<Run[]> {
  const orders = await db.selectFrom('build_orders').select(['id', 'kind']).execute()
  const ids = [
    `subscription/${subscription}`,
    ...orders.map((order) => `${order.kind}/${encodeId('buildOrder', order.id)}`),
  ]
  return (await Promise.all(ids.map(async (id) => await readRuns(client, id)))).flat()
}

describe('a worker killed with SIGKILL at', { concurrency: true }, () => {
  for (const [index, { title, calls }] of chains.entries()) {
    const planned = moments.map(({ moment }, position) => ({
      installation: () => installations[index * moments.length + position],
      points: calls.map((call): CrashPoint => `${call}:${moment}`),
    }))
    let lived: Promise<Lived[]> | undefined
    for (const [position, { when }] of moments.entries()) {
      it(`${title}, ${when}: its subscription lives as if nothing had happened`, async () => {
        lived ??= live(planned.map(({ installation, points }) => ({ installation: installation(), points })))
        const killed = (await lived)[position] ?? assert.fail()
        await checkLife(killed, planned[position]?.points ?? [])
      })
    }
  }

  it('nowhere: its subscription is sold, built, billed, ended and undone until nothing is left', async () => {
    const { story, callCounts } = await undisturbed
    assert.deepEqual(story.standing, ['ended', null, '2026-04-01', '2026-05-10'])
    assert.deepEqual(story.madeOnServer, ['container', 'volume', 'network'])
    assert.deepEqual(story.leftOnServer, [])
    assert.deepEqual(story.limitsInForce, ['emails: 5 of 5', 'users: 5 of 5'])
    assert.deepEqual(new Set(story.steps.map((step) => step.split(' ').at(-1))), new Set(['done']))
    assert.deepEqual(story.tasks, [])
    const called = [...build, ...bills, ...limitsAndUnbuild].map((call) => call.split(':')[0] ?? '')
    for (const [activity, calls] of Map.groupBy(called, (name) => name)) {
      assert.equal(calls.length, callCounts.get(activity), `each call of ${activity} has its deaths`)
    }
  })
})
