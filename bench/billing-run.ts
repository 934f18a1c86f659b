import { Client, Connection } from '@temporalio/client'
import { sql } from 'kysely'
import type { Db } from '#db/database.ts'
import { scheduleIds, taskQueues, workflowIds, workflowTypes } from '#workflows/contract.ts'
import type { BenchContext } from './support/benchmark.ts'
import { dueInstant, seedFleet } from './support/fleet.ts'
import { startInstallation, type BenchInstallation } from './support/installation.ts'
import { limitOf, type Measurement } from './support/measurement.ts'
import { readCpuMs, readCpuMsOfAll, readMemoryMib } from './support/process-usage.ts'

const documentsUsually = 10_000
const runs = 3
/** Months that were billed before the first run: it bills the second month, or the thirty-sixth. */
const histories = { second: 1, thirtySixth: 35 } as const
const aimPerSecond = 1_000

interface BilledRun {
  readonly durationMs: number
  readonly invoices: number
  /** Of worker, PostgreSQL and Temporal together. */
  readonly cpuMs: number
  readonly walKib: number
  readonly memoryBeforeMib: number
  readonly memoryAfterMib: number
}

/**
 * The whole run as the schedule starts it: a real worker, Temporal, PostgreSQL safe against a crash, three lines a
 * document. Each history has an installation of its own, and bills one month after the other.
 */
export async function measureBillingRun(ctx: BenchContext): Promise<Measurement[]> {
  const documents = ctx.size ?? documentsUsually
  const second = await billHistory(ctx, documents, histories.second)
  // With more documents it is memory that is looked at, and the history would take an hour to write.
  const thirtySixth = ctx.size === undefined ? await billHistory(ctx, documents, histories.thirtySixth) : []
  const perSecond = (run: BilledRun) => (run.invoices / run.durationMs) * 1_000
  const limit = limitOf(aimPerSecond)
  const peer = { kind: 'peer', title: 'month 2', values: second.map(perSecond) } as const
  return [
    ofRuns('month 2: invoices', '/s', second, perSecond, limit, { ratioAtLeast: 1 }),
    ...(thirtySixth.length === 0
      ? []
      : [ofRuns('month 36: invoices', '/s', thirtySixth, perSecond, peer, { ratioAtLeast: 0.9 })]),
    ofRuns('processor time an invoice', 'ms', second, (run) => run.cpuMs / run.invoices, killBill.cpu, {}),
    ofRuns('WAL an invoice', 'KiB', second, (run) => run.walKib / run.invoices, killBill.wal, {}),
    ofRuns(
      `worker's memory after ${documents} documents`,
      'MiB',
      second,
      (run) => run.memoryAfterMib,
      { kind: 'peer', title: 'before', values: second.map((run) => run.memoryBeforeMib) },
      {},
    ),
  ]
}

/** What Kill Bill, tuned, needed for an invoice on such a machine. */
const killBill = {
  cpu: { kind: 'limit', title: 'Kill Bill', values: [47] },
  wal: { kind: 'limit', title: 'Kill Bill', values: [30] },
} as const

function ofRuns(
  measure: string,
  unit: Measurement['unit'],
  of: readonly BilledRun[],
  read: (run: BilledRun) => number,
  against: Measurement['against'],
  aim: Measurement['aim'],
): Measurement {
  return { measure: `Billing run, ${measure}`, unit, values: of.map(read), against, aim }
}

async function billHistory(ctx: BenchContext, documents: number, billedMonths: number): Promise<BilledRun[]> {
  const installation = await startInstallation(ctx.platform, {
    ...ctx,
    name: `billing_run_${billedMonths}`,
    hasWorker: true,
  })
  const connection = await Connection.connect({ address: ctx.platform.temporalAddress })
  ctx.defer(async () => connection.close())
  const client = new Client({ connection })
  await pauseSchedules(client, installation)
  ctx.note(`writing ${documents} documents with ${billedMonths} billed months`)
  await seedFleet(installation.db, { documents, billedMonths })
  const billed: BilledRun[] = []
  for (let run = 0; run < runs; run += 1) {
    const result = await bill(ctx, { installation, client }, billedMonths + run)
    billed.push(result)
    const perSecond = Math.round((result.invoices / result.durationMs) * 1_000)
    ctx.note(`month ${billedMonths + run + 1}: ${result.invoices} invoices, ${perSecond} a second`)
  }
  return billed
}

/** Nobody sold the fleet: reconciliation would start a workflow for each of its subscriptions. */
async function pauseSchedules(client: Client, { installationId }: BenchInstallation): Promise<void> {
  for (const id of [scheduleIds.reconcile(installationId), scheduleIds.billingRun(installationId)])
    await client.schedule.getHandle(id).pause('measuring')
}

async function bill(
  ctx: BenchContext,
  { installation, client }: { installation: BenchInstallation; client: Client },
  month: number,
): Promise<BilledRun> {
  const { db, installationId, workerPid = 0 } = installation
  const { postmasterPid } = await readBackend(db)
  const cpuMs = () =>
    readCpuMs(workerPid) + readCpuMsOfAll(postmasterPid) + readCpuMs(ctx.platform.temporalPid)
  const before = { invoices: await countInvoices(db), wal: await readWalKib(db), cpuMs: cpuMs() }
  const memoryBeforeMib = readMemoryMib(workerPid)
  const startedMs = performance.now()
  await client.workflow.execute(workflowTypes.billingRun, {
    workflowId: workflowIds.billingRun(`bench-${installationId}-${month}`),
    taskQueue: taskQueues.installation(installationId),
    args: [{ instant: dueInstant(month) }],
  })
  return {
    durationMs: performance.now() - startedMs,
    cpuMs: cpuMs() - before.cpuMs,
    memoryBeforeMib,
    memoryAfterMib: readMemoryMib(workerPid),
    invoices: (await countInvoices(db)) - before.invoices,
    walKib: (await readWalKib(db)) - before.wal,
  }
}

/** The process that all connections are children of. */
async function readBackend(db: Db): Promise<{ postmasterPid: number }> {
  const { rows } = await sql<{ pid: string }>`
    select split_part(pg_read_file('postmaster.pid'), E'\n', 1) as pid`.execute(db)
  return { postmasterPid: Number(rows[0]?.pid) }
}

async function countInvoices(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom('invoices')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('finalized_at', 'is not', null)
    .executeTakeFirstOrThrow()
  return count
}

async function readWalKib(db: Db): Promise<number> {
  const { rows } = await sql<{ bytes: string }>`
    select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') as bytes`.execute(db)
  return Number(rows[0]?.bytes) / 1024
}
