import { sql } from 'kysely'
import { ensureBillingRun, listDueDocuments } from '#db/billing-run.ts'
import { billPeriods } from '#db/billing.ts'
import type { Db } from '#db/database.ts'
import { cleanUpReadings } from '#db/reading-retention.ts'
import type { BenchContext } from './support/benchmark.ts'
import { dueInstant, seedFleet } from './support/fleet.ts'
import { startInstallation } from './support/installation.ts'
import { limitOf, type Measurement } from './support/measurement.ts'

const usualLines = 10_000
const readingsOfEach = 3_000
/** For so many lines; fewer have as much less time. */
const limitMs = 60_000
const documentsPerTransaction = 500
const connections = 2
const month = 1
const ticksAtOnce = 100

/**
 * Closes a month of as many metered lines as is asked, each of three thousand readings of a counter that is reset three times,
 * against one hand-written statement that adds the same readings up and writes nothing.
 */
export async function measureClosing(ctx: BenchContext): Promise<Measurement[]> {
  const lines = ctx.size ?? usualLines
  const { db } = await startInstallation(ctx.platform, { ...ctx, name: 'closing', hasWorker: false })
  await seedFleet(db, { documents: lines, billedMonths: month })
  await addInstances(db)
  await addReadings(ctx, db)
  ctx.note(`adding up ${lines * readingsOfEach} readings by hand`)
  const byHand = await durationOf(async () => addUpByHand(db))
  ctx.note('closing the month')
  const byEngine = await durationOf(async () => closeMonth(db))
  await compare(db, byHand.result)
  const title = `Closing ${lines} lines over ${lines * readingsOfEach} readings`
  const values = [byEngine.durationMs]
  return [
    {
      measure: title,
      unit: 'ms',
      values,
      against: limitOf((limitMs * lines) / usualLines),
      aim: { ratioAtMost: 1 },
    },
    {
      measure: title,
      unit: 'ms',
      values,
      against: { kind: 'peer', title: 'adding up alone, by hand', values: [byHand.durationMs] },
      aim: {},
    },
  ]
}

async function durationOf<T>(work: () => Promise<T>): Promise<{ result: T; durationMs: number }> {
  const startedMs = performance.now()
  const result = await work()
  return { result, durationMs: performance.now() - startedMs }
}

/** Each usage line gets an instance of its own, which is what is metered. */
async function addInstances(db: Db): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx)
    await sql`set local statement_timeout = 0`.execute(tx)
    await sql`update subscription_lines set instance_id = uuidv7() where billing_type = 'usage'`.execute(tx)
    await sql`
      insert into instances (id, subscription_id, environment_id, server_id, application_version_id, name, host_port, state)
      select line.instance_id, subscription.id, subscription.environment_id, server.id, version.id,
        'metered-' || row_number() over (), 20000 + row_number() over (), 'running'
      from subscription_lines line join subscriptions subscription on subscription.id = line.subscription_id,
        (select id from servers limit 1) server, (select id from application_versions limit 1) version
      where line.billing_type = 'usage'`.execute(tx)
    await sql`
      insert into reading_series (instance_id, metric, series, unit)
      select instance_id, metric, 'container:' || id, unit from subscription_lines where billing_type = 'usage'`.execute(
      tx,
    )
    // What was pushed would be counted too.
    await sql`delete from usage_events`.execute(tx)
  })
}

const begins = dueInstant(month - 1)
const ends = dueInstant(month)

/** In the order in which a sampler writes them: all instances at each tick. */
async function addReadings(ctx: BenchContext, db: Db): Promise<void> {
  for (const now of ['2039-12-26T00:00:00Z', '2040-01-16T00:00:00Z']) await cleanUpReadings(db, now)
  for (let tick = 1; tick <= readingsOfEach; tick += ticksAtOnce) {
    ctx.note(`writing readings, ${Math.round((100 * tick) / readingsOfEach)} %`)
    await db.transaction().execute(async (tx) => {
      await sql`set local session_replication_role = replica`.execute(tx)
      await sql`set local statement_timeout = 0`.execute(tx)
      await sql`
        insert into reading_values (series_id, read_at, sampled_at, value)
        select id, at, at, ((tick + id) % 1000) * 1024 + id % 7
        from generate_series(${tick}::integer, ${tick + ticksAtOnce - 1}::integer) tick
        cross join lateral (select ${begins}::timestamptz + tick * (${ends}::timestamptz - ${begins}::timestamptz) / ${readingsOfEach} as at) time
        cross join reading_series order by tick, id`.execute(tx)
    })
  }
  ctx.note('vacuum')
  await db.connection().execute(async (one) => {
    await sql`set statement_timeout = 0`.execute(one)
    await sql`vacuum analyze`.execute(one)
    await sql`checkpoint`.execute(one)
    await sql`reset statement_timeout`.execute(one)
  })
}

async function addUpByHand(db: Db): Promise<string> {
  return await db.transaction().execute(async (tx) => {
    await sql`set local statement_timeout = 0`.execute(tx)
    const { rows } = await sql<{ total: string }>`
      select sum(grown) as total from (
        select series_id, sum(case when before is null or value < before then value else value - before end) as grown
        from (
          select series_id, value, lag(value) over (partition by series_id order by read_at) as before
          from reading_values where read_at > ${begins} and read_at <= ${ends}
        ) step group by series_id
      ) of_series`.execute(tx)
    return rows[0]?.total ?? ''
  })
}

async function closeMonth(db: Db): Promise<void> {
  const now = dueInstant(month)
  const billingRunId = await ensureBillingRun(db, { workflowId: 'bench', billedAt: now })
  const due = await listDueDocuments(db, { now, after: null, limit: 1_000_000 })
  let from = 0
  const worker = async () => {
    while (from < due.length) {
      const chunk = due.slice(from, from + documentsPerTransaction)
      from += documentsPerTransaction
      await billPeriods(db, chunk, { now, isHeldPassedBy: true, billingRunId, isFirst: true })
    }
  }
  await Promise.all(Array.from({ length: connections }, worker))
}

/** Fast and wrong is no measurement. */
async function compare(db: Db, byHand: string): Promise<void> {
  const { rows } = await sql<{ total: string | null; readings: number | null }>`
    select sum(quantity) as total, sum(reading_count)::bigint as readings from usage_windows
    where upper(window_period) = ${ends}`.execute(db)
  if (Number(rows[0]?.total) !== Number(byHand))
    throw new Error(`billed ${rows[0]?.total} of ${rows[0]?.readings} readings, and by hand ${byHand}`)
}
