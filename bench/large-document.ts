import { billPeriod } from '#db/billing.ts'
import { listDueDocuments } from '#db/billing-run.ts'
import type { BenchContext } from './support/benchmark.ts'
import { dueInstant, seedFleet } from './support/fleet.ts'
import { startInstallation } from './support/installation.ts'
import type { Measurement } from './support/measurement.ts'

const lines = 30_000
const limitMs = 5_000
const months = [1, 2, 3]

/** One customer with ten thousand of everything on one document: one bill, one transaction. */
export async function measureLargeDocument(ctx: BenchContext): Promise<Measurement[]> {
  const { db } = await startInstallation(ctx.platform, { ...ctx, name: 'large_document', hasWorker: false })
  ctx.note(`writing a document with ${lines} lines`)
  await seedFleet(db, { documents: 1, billedMonths: 1, linesOfEach: lines / 3 })
  const durations: number[] = []
  for (const month of months) {
    const now = dueInstant(month)
    const [key] = await listDueDocuments(db, { now, after: null, limit: 1 })
    if (key === undefined) throw new Error('the document is not due')
    const startedMs = performance.now()
    await billPeriod(db, key, now)
    durations.push(performance.now() - startedMs)
  }
  const against = { kind: 'limit', title: 'limit', values: [limitMs] } as const
  const measure = `Bill of ${lines} lines`
  return [{ measure, unit: 'ms', values: durations, against, aim: { ratioAtMost: 1 } }]
}
