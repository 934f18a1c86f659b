import { sql, type Transaction } from 'kysely'
import { billPeriods } from '#db/billing.ts'
import { ensureBillingRun, listDueDocuments } from '#db/billing-run.ts'
import type { Database, Db } from '#db/database.ts'
import type { BenchContext } from './support/benchmark.ts'
import { dueInstant, seedFleet } from './support/fleet.ts'
import { startInstallation } from './support/installation.ts'
import type { Measurement } from './support/measurement.ts'

const documents = 10_000
const documentsPerTransaction = 500
const connections = 2
const month = 1
const turns = 3
/** As they must be written: what is named before it is referred to. */
const tables = [
  'invoices',
  'usage_windows',
  'invoice_lines',
  'invoice_taxes',
  'billing_periods',
  'events',
] as const
const aim = { ratioAtLeast: 0.5 }

/**
 * Bills of the engine, read, computed and written, against the very same rows written by hand: they are known beforehand, one
 * statement a table writes those of 500 documents, with the same constraints, transactions and connections.
 */
export async function measureBillingWrite(ctx: BenchContext): Promise<Measurement[]> {
  const { db } = await startInstallation(ctx.platform, { ...ctx, name: 'billing_write', hasWorker: false })
  ctx.note(`writing ${documents} documents with a billed month`)
  await seedFleet(db, { documents, billedMonths: month })
  ctx.note('warming up: the engine bills once, and what it wrote is read')
  await billByEngine(db)
  let written = await takeAway(db)
  const byHand: number[] = []
  const byEngine: number[] = []
  for (let turn = 1; turn <= turns; turn += 1) {
    byHand.push(await perSecond(async () => writeByHand(db, written)))
    await takeAway(db)
    byEngine.push(await perSecond(async () => billByEngine(db)))
    written = await takeAway(db)
    ctx.note(`turn ${turn} of ${turns} taken`)
  }
  const against = { kind: 'peer', title: 'the same rows by hand', values: byHand } as const
  return [{ measure: 'Invoices of the engine, without Temporal', unit: '/s', values: byEngine, against, aim }]
}

/** Documents, by the time that all of them take. */
async function perSecond(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return (documents / (performance.now() - startedMs)) * 1_000
}

async function inChunks<T>(items: readonly T[], work: (chunk: readonly T[]) => Promise<unknown>) {
  let from = 0
  const worker = async () => {
    while (from < items.length) {
      const chunk = items.slice(from, from + documentsPerTransaction)
      from += documentsPerTransaction
      await work(chunk)
    }
  }
  await Promise.all(Array.from({ length: connections }, worker))
}

async function billByEngine(db: Db): Promise<void> {
  const now = dueInstant(month)
  const billingRunId = await ensureBillingRun(db, { workflowId: `bench ${Math.random()}`, billedAt: now })
  const due = await listDueDocuments(db, { now, after: null, limit: documents })
  await inChunks(due, async (chunk) =>
    billPeriods(db, chunk, { now, isHeldPassedBy: true, billingRunId, isFirst: true }),
  )
}

type Row = Readonly<Record<string, unknown>>
type Written = Readonly<Record<(typeof tables)[number], readonly Row[]>>

/** Reads what the month made, by document, and takes it out again as if it had never been. */
async function takeAway(db: Db): Promise<readonly Written[]> {
  return await db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx)
    await sql`set local statement_timeout = 0`.execute(tx)
    await sql`create temp table made on commit drop as
      select invoice_id, document_id from billing_periods where period_index = ${month}`.execute(tx)
    const { rows } = await sql<Written>`
      select jsonb_build_array(to_jsonb(invoice)) as invoices,
        (select jsonb_agg(to_jsonb(line) order by position) from invoice_lines line where invoice_id = invoice.id) as invoice_lines,
        (select jsonb_agg(to_jsonb(frozen)) from usage_windows frozen
          where id in (select usage_window_id from invoice_lines where invoice_id = invoice.id)) as usage_windows,
        (select jsonb_agg(to_jsonb(tax)) from invoice_taxes tax where invoice_id = invoice.id) as invoice_taxes,
        (select jsonb_agg(to_jsonb(billed)) from billing_periods billed
          where document_id = invoice.document_id and period_index = ${month}) as billing_periods,
        (select jsonb_agg(to_jsonb(event)) from events event
          where event.subscription_id = (select subscription_id from invoice_lines where invoice_id = invoice.id limit 1)
            and event.invoice_id = invoice.id) as events
      from made join invoices invoice on invoice.id = made.invoice_id order by invoice.sequence`.execute(tx)
    for (const statement of takingAway) await sql.raw(statement).execute(tx)
    return rows
  })
}

const takingAway = [
  `delete from usage_windows where id in
    (select usage_window_id from invoice_lines where invoice_id in (select invoice_id from made))`,
  ...['invoice_lines', 'invoice_taxes', 'billing_periods', 'events'].map(
    (table) => `delete from ${table} where invoice_id in (select invoice_id from made)`,
  ),
  `delete from invoices where id in (select invoice_id from made)`,
  `update subscription_documents document set next_period_index = next_period_index - 1,
    next_invoice_on = (select upper(period) from billing_periods where document_id = document.id and period_index = ${month - 1})`,
  `update number_series set next_number = (select max(sequence) + 1 from invoices where series = code)`,
]

async function writeByHand(db: Db, written: readonly Written[]): Promise<void> {
  await inChunks(written, async (chunk) =>
    db.transaction().execute(async (tx) => {
      for (const table of tables) await insertRows(tx, table, rowsOf(chunk, table))
      const rows = JSON.stringify(chunk.flatMap(({ invoices }) => invoices))
      await sql`update number_series set next_number = next_number + ${chunk.length} where code = 'INV'`.execute(
        tx,
      )
      await sql`
        update invoices set series = made.series, sequence = made.sequence, number = made.number, hash = made.hash,
          previous_hash = made.previous_hash, finalized_at = now()
        from json_populate_recordset(null::invoices, ${rows}::json) made where invoices.id = made.id`.execute(
        tx,
      )
      await sql`
        update subscription_documents document set next_period_index = period.period_index + 1,
          next_invoice_on = upper(period.period)
        from json_populate_recordset(null::billing_periods, ${JSON.stringify(rowsOf(chunk, 'billing_periods'))}::json) period
        where document.id = period.document_id`.execute(tx)
    }),
  )
}

/** A document begins as a draft: the database lets nobody write a finalized one at once. */
function rowsOf(chunk: readonly Written[], table: (typeof tables)[number]): Row[] {
  const rows = chunk.flatMap((document) => document[table])
  // Their ids are the database's own.
  if (table === 'events')
    return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => name !== 'id')))
  if (table !== 'invoices') return rows
  return rows.map((row) => ({
    ...row,
    series: null,
    sequence: null,
    number: null,
    finalized_at: null,
    hash: null,
    previous_hash: null,
  }))
}

async function insertRows(tx: Transaction<Database>, table: string, rows: readonly Row[]): Promise<void> {
  const columns = sql.join(Object.keys(rows[0] ?? {}).map((name) => sql.ref(name)))
  await sql`
    insert into ${sql.table(table)} (${columns})
    select ${columns} from json_populate_recordset(null::${sql.table(table)}, ${JSON.stringify(rows)}::json)`.execute(
    tx,
  )
}
