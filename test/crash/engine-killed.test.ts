import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test, { after, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Runner } from '#domain/runner.ts'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import {
  listObjects,
  startInstallation,
  until,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { createDataKeeper } from '#test/support/kept-data.ts'
import { startOwnEngine, type OwnEngine } from '#test/support/own-engine.ts'

// The Docker daemon is killed with SIGKILL while it carries out each kind of step of one life, and started again, with nobody's help
// besides. What its containers run lives on without it, and half a start, half a removal or half a network may be left of it.

let engine: OwnEngine
let installation: TestInstallation
let diary: Diary
let keeper: ReturnType<typeof createDataKeeper>

/** What the engine was killed in, in this chapter: a call of the runner, and the kind of what it made or removed. */
const killedIn = new Set<string>()
let deadly: ReadonlySet<string> = new Set()
/** One death at a time: what else is asked meanwhile finds no engine, as it would. */
let death: Promise<void> = Promise.resolve()
let deaths = 0

function killBehind(runner: Runner): Runner {
  return new Proxy(runner, {
    get(target, key, receiver) {
      const value: unknown = Reflect.get(target, key, receiver)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        const call = nameOf(String(key), args[0])
        const answer: unknown = value.apply(target, args)
        if (deadly.has(call) && !killedIn.has(call)) killIn(call)
        return answer
      }
    },
  })
}

function nameOf(call: string, of: unknown): string {
  const kind = typeof of === 'object' && of !== null && 'kind' in of ? ` ${String(of.kind)}` : ''
  return `${call}${kind}`
}

/** Each time at another place of what the call does. */
function killIn(call: string): void {
  killedIn.add(call)
  deaths += 1
  const delayMs = (deaths * 37) % 150
  death = death.then(async () => {
    await sleep(delayMs)
    await engine.kill()
    await engine.start()
  })
}

/** @param calls in each of which the engine dies once */
async function chapter(calls: readonly string[], what: () => Promise<void>): Promise<void> {
  killedIn.clear()
  deadly = new Set(calls)
  await what()
  assert.deepEqual([...killedIn].toSorted(), calls.toSorted())
  deadly = new Set()
  await death
  await until('nothing is otherwise than wanted', async () => {
    const { drift, orphans } = await installation.reconcile()
    return drift.length + orphans.length === 0
  })
  await assertInvariants(installation.db)
  assert.deepEqual(await listOnEngine(), await listRecorded())
  const open = await diary.list('/v1/tasks?open=true')
  assert.deepEqual(
    open.map(({ kind, detail }) => `${String(kind)}: ${String(detail)}`),
    [],
  )
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
  engine = await startOwnEngine()
  // Everything in this process that asks for no engine by its address gets this one.
  process.env['DOCKER_HOST'] = engine.host
  installation = await startInstallation({ wrapRunner: killBehind, hasEngineWatch: true })
  await installation.db
    .updateTable('servers')
    .set({ subnet_pool: `${addresses}.0/24`, subnet_prefix_length: 27 })
    .execute()
  diary = createDiary(installation)
  keeper = createDataKeeper(installation, diary)
})
after(async () => {
  deadly = new Set()
  await death
  await installation.stop()
  await engine.remove()
  removeBridges()
})

/** Addresses of this test alone: a bridge that has one of them was made for it. */
const addresses = `10.${120 + (process.pid % 60)}.204`

/** A bridge that the engine had not written down yet when it was killed is left on the host, and is no engine's. */
function removeBridges(): void {
  const listed = execFileSync('ip', ['-4', '-o', 'address'], { encoding: 'utf8' })
  for (const [, bridge = '', address = ''] of listed.matchAll(/^\d+: (br-\w+) +inet ([\d.]+)\//gm))
    if (address.startsWith(`${addresses}.`)) execFileSync('ip', ['link', 'delete', bridge])
}

const patienceMs = 120_000
const builds = ['ensure network', 'ensure volume', 'ensure image', 'ensure container', 'ensure ready']
let subscription: string

async function answers(of: string): Promise<number> {
  const { instances } = (await diary.subscription(of)) as unknown as { instances: { address: string }[] }
  return (await fetch(instances[0]?.address ?? assert.fail('it has no address'))).status
}

test('in each step of a build: it is built once, and answers', async () => {
  await chapter(builds, async () => {
    subscription = await diary.order([{ kit: 'odoo-config-1' }])
    await diary.untilPhase(subscription, 'active', patienceMs)
  })
  assert.equal((await listOnEngine()).length, 3)
  assert.equal(await answers(subscription), 200)
  await keeper.run(subscription, 'echo kept > /data/page')
})

test('in each step of a suspension and of its end: it is stopped, then it answers, with its data', async () => {
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
  assert.equal(await answers(subscription), 200)
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

test('in each step of a restore, into a new instance and in place: it holds what was saved', async () => {
  let again = ''
  await chapter(['ensure restore'], async () => {
    const order = await diary.post(`/v1/subscriptions/${subscription}/reinstate`, {}, 201)
    again = String((order['subscriptions'] as Json[])[0]?.['id'])
    await diary.untilPhase(again, 'active', patienceMs)
  })
  assert.equal(await keeper.run(again, 'cat /data/page'), 'kept')
  const [backup] = await diary.list(`/v1/backups?subscription=${subscription}`)
  await chapter(['saveVolume', 'ensure restore', 'ensure ready'], async () => {
    await keeper.run(again, 'echo lost > /data/page')
    await diary.post(`/v1/subscriptions/${again}/restore`, { backup: backup?.['id'] })
    await keeper.untilRestored(again, patienceMs)
  })
  assert.equal(await keeper.run(again, 'cat /data/page'), 'kept')
  assert.equal(await answers(again), 200)
})
