import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after, before, type TestContext } from 'node:test'
import { sql } from 'kysely'
import { assertInvariants } from '#test/support/invariants.ts'
import { sellMetered } from '#test/support/metered.ts'
import { startOwnPostgres, type OwnPostgres } from '#test/support/own-postgres.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'
import { randomOf } from '#test/properties/usage-story.ts'
import type { KilledUsageOrder } from './killed-usage.ts'
import {
  countedBy,
  liveOn,
  openJournal,
  pushedBytes,
  pushes,
  type Journal,
  type MeteredInstance,
  type StatementPoint,
} from './usage-life.ts'

// A reading is taken, stored, measured and billed by few statements. Death comes before or after any of them: drawn ones in each run,
// all of them with CLOUDER_TEST_CASES=100.
const cases = Number(process.env['CLOUDER_TEST_CASES'] ?? 1)
const seed = Number(process.env['CLOUDER_TEST_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))

const folder = mkdtempSync(path.join(tmpdir(), 'clouder-usage-'))
let postgres: OwnPostgres
let seller: Seller
/** Every point of one look, one push and one bill. */
let points: readonly StatementPoint[]
before(async () => {
  postgres = await startOwnPostgres()
  process.env['CLOUDER_TEST_POSTGRES_URL'] = postgres.url
  seller = await createSeller()
  const seen = new Set<StatementPoint>()
  await liveOn(seller.db, await sellForLife(), journalOf('rehearsal'), (point) => void seen.add(point))
  points = [...seen]
})
after(async () => {
  await seller.db.destroy()
  await postgres.remove()
  rmSync(folder, { recursive: true })
})

const fileOf = (name: string) => path.join(folder, name)

function journalOf(name: string): Journal {
  writeFileSync(fileOf(name), '')
  return openJournal(fileOf(name))
}

async function sellForLife(): Promise<MeteredInstance> {
  const { read: _read, ...of } = await sellMetered(seller)
  return of
}

/** Some of each kind of step, in the order in which a life comes by them. */
function draw(t: TestContext, each: Readonly<Record<'look' | 'push' | 'bill', number>>): StatementPoint[] {
  t.diagnostic(`CLOUDER_TEST_SEED=${seed}`)
  const random = randomOf(seed)
  return (['look', 'push', 'bill'] as const).flatMap((kind) => {
    const ofKind = points.filter((point) => point.startsWith(kind))
    const kept = ofKind
      .map((point) => ({ point, rank: random() }))
      .toSorted((one, other) => one.rank - other.rank)
    return kept.slice(0, each[kind] * cases).map(({ point }) => point)
  })
}

/** Every acknowledged reading is there, every event once, and what was counted is billed to the byte, in windows side by side. */
async function assertExact({ subscriptionId, instanceId }: MeteredInstance, journal: Journal): Promise<void> {
  const acknowledged = journal.acknowledged().flatMap(({ readAt }) => (readAt === undefined ? [] : [readAt]))
  const { rows: readings } = await sql<{ read_at: string }>`
    select read_at from readings where instance_id = ${instanceId} and metric = 'network'`.execute(seller.db)
  const stored = new Set(readings.map((row) => row.read_at))
  assert.deepEqual(
    acknowledged.filter((readAt) => !stored.has(readAt)),
    [],
  )
  assert.equal(readings.length, stored.size)
  const { rows: events } =
    await sql`select from usage_events where subscription_id = ${subscriptionId}`.execute(seller.db)
  assert.equal(events.length, pushes)
  const { rows: billed } = await sql<{ bytes: string; windows: number }>`
    select trim_scale(sum(frozen.quantity) * 1073741824)::text as bytes, count(*)::integer as windows
    from usage_windows frozen join subscription_lines line on line.id = frozen.subscription_line_id
    where line.subscription_id = ${subscriptionId} and frozen.metric = 'network'`.execute(seller.db)
  const last =
    [...stored]
      .filter((at) => Date.parse(at) <= Date.parse('2026-03-01'))
      .toSorted()
      .at(-1) ?? ''
  assert.deepEqual(billed, [{ bytes: String(countedBy(last) + pushes * pushedBytes), windows: 2 }])
  await assertInvariants(seller.db, { isUnderWay: true })
}

test('killed before and after statements of look, push and bill, a process that goes on loses no reading and bills each once', async (t) => {
  const of = await sellForLife()
  const journal = journalOf('process')
  const drawn = draw(t, { look: 1, push: 2, bill: 3 })
  const order: KilledUsageOrder = { url: seller.url, of, journalFile: fileOf('process'), points: drawn }
  const script = new URL('killed-usage.ts', import.meta.url).pathname
  for (;;) {
    const child = spawn(process.execPath, [script, JSON.stringify(order)], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '', NODE_COMPILE_CACHE: fileOf('compiled') },
    })
    const [code, signal] = await once(child, 'exit')
    if (code === 0) break
    assert.equal(signal, 'SIGKILL')
  }
  assert.deepEqual(journal.diedAt(), drawn)
  await assertExact(of, journal)
})

test('PostgreSQL killed at any statement loses no reading that it acknowledged, and bills each once', async (t) => {
  const of = await sellForLife()
  const journal = journalOf('postgres')
  const drawn = draw(t, { look: 1, push: 1, bill: 2 })
  for (const armed of [...drawn, null]) {
    const lived = liveOn(seller.db, of, journal, (point) => {
      if (point !== armed || journal.diedAt().includes(armed)) return
      journal.write({ diedAt: armed })
      postgres.kill()
    })
    if (armed === null) await lived
    else await assert.rejects(lived)
    if (armed !== null) await postgres.start()
  }
  assert.deepEqual(journal.diedAt(), drawn)
  await assertExact(of, journal)
})
