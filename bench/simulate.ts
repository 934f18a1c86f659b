import { sql } from 'kysely'
import type { Db } from '#db/database.ts'
import { readSimulation } from '#db/read/simulation.ts'
import type { BenchContext } from './support/benchmark.ts'
import { insertTestClock } from '#db/test-clock.ts'
import { dueInstant, seedFleet } from './support/fleet.ts'
import { startInstallation } from './support/installation.ts'
import type { Measurement } from './support/measurement.ts'

const documents = 50
/** Of each of three kinds: advance, threshold, metered. */
const linesOfEach = 4
const months = 12
const repetitions = 40
const limitMs = 100

/** A year to come of one subscription: its rows read once, then twelve documents computed one after the other. */
export async function measureSimulate(ctx: BenchContext): Promise<Measurement[]> {
  const { db } = await startInstallation(ctx.platform, { ...ctx, name: 'simulate', hasWorker: false })
  await seedFleet(db, { documents, billedMonths: 1, linesOfEach })
  await putOnClock(db)
  const rows = await db.selectFrom('subscriptions').select('id').orderBy('id').limit(documents).execute()
  const durationsMs: number[] = []
  let bills = 0
  for (let turn = 0; turn < repetitions; turn += 1) {
    const startedMs = performance.now()
    const simulation = await readSimulation(db, rows[turn % rows.length]?.id ?? '', {
      months,
      assumed: new Map(),
    })
    durationsMs.push(performance.now() - startedMs)
    bills = simulation?.bills.length ?? 0
  }
  ctx.note(`${bills} invoices of ${3 * linesOfEach} lines each time`)
  const against = { kind: 'limit', title: 'limit', values: [limitMs] } as const
  const measure = `Simulation of ${months} months of ${3 * linesOfEach} lines`
  return [
    { measure, unit: 'ms', values: durationsMs.slice(repetitions / 4), against, aim: { ratioAtMost: 1 } },
  ]
}

/** The fleet lives far ahead: a clock that stands before its next month brings the year after it near. */
async function putOnClock(db: Db): Promise<void> {
  const nowAt = Temporal.Instant.from(dueInstant(1)).subtract({ hours: 24 }).toString()
  const clockId = await insertTestClock(db, { name: 'bench', nowAt })
  await sql`update subscriptions set test_clock_id = ${clockId}`.execute(db)
  await sql`update subscription_documents set test_clock_id = ${clockId}`.execute(db)
}
