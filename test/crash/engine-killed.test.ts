import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Runner } from '#domain/runner.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import {
  listObjects,
  startInstallation,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { createDataKeeper } from '#test/support/kept-data.ts'
import { startMortalEngine, type MortalEngine } from './mortal-engine.ts'

// The Docker daemon killed with SIGKILL while it carries out each step of a chapter, and started again: the end state is right.

let engine: MortalEngine
let installation: TestInstallation
let diary: Diary
let keeper: ReturnType<typeof createDataKeeper>

/** What the engine was killed in, in this chapter: a call of the runner, and the kind of what it made or removed. */
let killedIn: string[] = []
let isDeadly = false
/** One death at a time: what else is asked meanwhile finds no engine, as it would. */
let death: Promise<void> = Promise.resolve()

/** Calls that change something on the engine, or on which a removal rests. */
const deadlyCalls: ReadonlySet<string> = new Set([
  'ensure',
  'remove',
  'stop',
  'start',
  'saveVolume',
  'list',
  'applyLimit',
] satisfies (keyof Runner)[])

function killBehind(runner: Runner): Runner {
  return new Proxy(runner, {
    get(target, key, receiver) {
      const value: unknown = Reflect.get(target, key, receiver)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        const call = nameOf(String(key), args[0])
        const answer: unknown = value.apply(target, args)
        if (isDeadly && deadlyCalls.has(String(key)) && !killedIn.includes(call)) killIn(call)
        return answer
      }
    },
  })
}

function nameOf(call: string, of: unknown): string {
  const kind = typeof of === 'object' && of !== null && 'kind' in of ? ` ${String(of.kind)}` : ''
  return `${call}${kind}`
}

/** Each time a little later after the call began, so that it dies at many places of what it does. */
function killIn(call: string): void {
  killedIn.push(call)
  const delayMs = (killedIn.length * 37) % 120
  death = death.then(async () => {
    await sleep(delayMs)
    await engine.kill()
    await engine.start()
  })
}

/** @param deaths in what it must have been killed; a repair that came between may have had others */
async function chapter(deaths: readonly string[], what: () => Promise<void>): Promise<void> {
  killedIn = []
  isDeadly = true
  const reconciling = keepReconciling()
  await what()
  isDeadly = false
  await death
  await reconciling
  await assertInvariants(installation.db)
  assert.deepEqual(await listOnEngine(), await listRecorded())
  assert.deepEqual(
    deaths.filter((call) => !killedIn.includes(call)),
    [],
  )
}

/**
 * As each minute, oftener: a daemon that finds its containers alive when it comes up ends them, takes that for the wish of a person, and
 * does not start them again.
 */
async function keepReconciling(): Promise<void> {
  while (isDeadly) {
    const workflowId = `reconcile/${installation.installationId}/${Date.now()}`
    const taskQueue = `installation/${installation.installationId}`
    await installation.client.workflow.execute('reconcile', { workflowId, taskQueue })
    await sleep(1_000)
  }
}

/** Both ways: nothing is on the engine that no row knows, and nothing is recorded that is not there. */
async function listOnEngine(): Promise<string[]> {
  const { containers, volumes, networks } = await listObjects(installation.installationId)
  return [
    ...containers.map(({ Id: id, Names: names }) => `container ${names[0]?.slice(1)} ${id}`),
    ...volumes.map(({ Name: name }) => `volume ${name} ${name}`),
    ...networks.map(({ Id: id, Name: name }) => `network ${name} ${id}`),
  ].toSorted()
}

async function listRecorded(): Promise<string[]> {
  const rows = await installation.db
    .selectFrom('resources')
    .select(['kind', 'name', 'external_id'])
    .where('removed_at', 'is', null)
    .where('kind', 'in', ['container', 'volume', 'network'])
    .execute()
  return [...new Set(rows.map((row) => `${row.kind} ${row.name} ${row.external_id}`))].toSorted()
}

before(async () => {
  engine = await startMortalEngine()
  installation = await startInstallation({ wrapRunner: killBehind })
  diary = createDiary(installation)
  keeper = createDataKeeper(installation, diary)
})
after(async () => {
  isDeadly = false
  await death
  await installation.stop()
  await engine.remove()
})

const patienceMs = 120_000
const builds = ['ensure network', 'ensure volume', 'ensure image', 'ensure container', 'ensure ready']
let subscription: string

test('in each step of a build: it is built once, and runs', async () => {
  await chapter(builds, async () => {
    subscription = await diary.order([{ kit: 'odoo-config-1' }])
    await diary.untilPhase(subscription, 'active', patienceMs)
  })
  assert.equal((await listOnEngine()).length, 3)
  await keeper.run(subscription, 'echo kept > /data/page')
})

test('in each step of a suspension and of its end: it is stopped, then it runs, with its data', async () => {
  await chapter(['stop'], async () => {
    await diary.post(`/v1/subscriptions/${subscription}/suspend`, { reason: 'not paid' })
    await diary.untilPhase(subscription, 'suspended', patienceMs)
  })
  const [stopped] = await keeper.containersOf(subscription)
  assert.equal((await stopped?.inspect())?.State.Running, false)
  await chapter(['start', 'ensure ready'], async () => {
    await diary.post(`/v1/subscriptions/${subscription}/resume`, {})
    await diary.untilPhase(subscription, 'active', patienceMs)
  })
  assert.equal(await keeper.run(subscription, 'cat /data/page'), 'kept')
})

test('in each step of an unbuild, its last backup first: nothing is left, and the backup is whole', async () => {
  const removals = ['remove container', 'remove volume', 'remove network', 'list']
  await chapter(['stop', 'saveVolume', ...removals], async () => {
    await keeper.cancel(subscription)
    await keeper.untilEnded(subscription, patienceMs)
  })
  assert.deepEqual(await listOnEngine(), [])
})

test('in each step of a restore into a new instance: it holds what was saved', async () => {
  let again = ''
  await chapter([...builds, 'ensure restore'], async () => {
    const { status, body } = await installation.call(
      'POST',
      `/v1/subscriptions/${subscription}/reinstate`,
      {},
    )
    assert.equal(status, 201, JSON.stringify(body))
    again = String((body['subscriptions'] as Json[])[0]?.['id'])
    await diary.untilPhase(again, 'active', patienceMs)
  })
  assert.equal(await keeper.run(again, 'cat /data/page'), 'kept')
  const [backup] = await diary.list(`/v1/backups?subscription=${subscription}`)
  await chapter(['saveVolume', 'stop', 'ensure restore', 'ensure container', 'ensure ready'], async () => {
    await keeper.run(again, 'echo lost > /data/page')
    await diary.post(`/v1/subscriptions/${again}/restore`, { backup: backup?.['id'] })
    await keeper.untilRestored(again, patienceMs)
  })
  assert.equal(await keeper.run(again, 'cat /data/page'), 'kept')
})
