import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { laterDate } from '#domain/calendar.ts'
import { canonicalInvoice, chainedText, type DocumentContent } from '#domain/invoice/hash.ts'
import { formatNumber, seriesKey } from '#domain/invoice/number.ts'
import type { StatedDues } from '#domain/payment-terms.ts'
import type { Tx } from './database.ts'
import { refuseStoppedSeries } from './lost-document.ts'
import { queuePeerDocuments } from './peer-document.ts'
import { lockSeries } from './series-lock.ts'
import type { NumberPatterns } from './tables/installation.ts'

/** A document that stands in the database with everything but its number. */
export interface NumberableInvoice {
  readonly id: string
  readonly kind: 'invoice' | 'credit_note'
  readonly testClockId: string | null
  readonly issuedOn: string
  /** By the day on which it is issued in the end. */
  readonly duesOf: (issuedOn: string) => StatedDues
  /** What is chained by hash, once number and dates are known. */
  readonly contentOf: (numbered: { number: string; issuedOn: string } & StatedDues) => DocumentContent
}

interface Numbered extends StatedDues {
  readonly id: string
  readonly series: string
  readonly sequence: number
  readonly number: string
  readonly issuedOn: string
  readonly previousHash: string | null
  readonly hash: string
}

/** Where a series stands: the next number, and date and hash of the newest document. */
interface SeriesState {
  readonly nextNumber: number
  readonly lastHash: string | null
  readonly lastIssuedOn: string | null
}

/**
 * Gives documents their numbers, in their order, chains them by hash and finalizes them. The series is locked from here
 * to the end of the transaction, so this comes last: numbers have no gap, and dates do not fall within a series. Whoever
 * comes with an older instant, a retry perhaps, is issued on the day of the number before.
 * @returns the number of each document, by its id
 * @throws `series_stopped` where a peer has documents of ours that are lost here
 */
export async function finalizeInvoices(
  tx: Tx,
  invoices: readonly NumberableInvoice[],
  patterns: NumberPatterns,
): Promise<ReadonlyMap<string, string>> {
  if (invoices.length === 0) return new Map()
  const codes = await readClockCodes(tx, invoices)
  const keyed = invoices.map((invoice) => ({ invoice, ...seriesOf(invoice, patterns, codes) }))
  const states = await readSeries(tx, [...new Set(keyed.map(({ key }) => key))])
  await refuseStoppedSeries(tx, states)
  const numbered: Numbered[] = []
  for (const { invoice, key, series, pattern } of keyed) {
    const state = states.get(key)
    assert(state, 'every series is locked before a number is taken')
    const issuedOn = laterDate(invoice.issuedOn, state.lastIssuedOn ?? invoice.issuedOn)
    const number = formatNumber(pattern, { series, issuedOn, number: state.nextNumber })
    const dues = invoice.duesOf(issuedOn)
    const hash = chain(state.lastHash, invoice.contentOf({ number, issuedOn, ...dues }))
    numbered.push({
      id: invoice.id,
      series: key,
      sequence: state.nextNumber,
      number,
      issuedOn,
      ...dues,
      previousHash: state.lastHash,
      hash,
    })
    states.set(key, { nextNumber: state.nextNumber + 1, lastHash: hash, lastIssuedOn: issuedOn })
  }
  await writeNumbers(tx, numbered)
  await writeSeries(tx, states)
  await queuePeerDocuments(
    tx,
    numbered.map(({ id }) => id),
  )
  return new Map(numbered.map(({ id, number }) => [id, number]))
}

/** SHA-256, in hexadecimal. */
export function chain(previousHash: string | null, content: DocumentContent): string {
  return createHash('sha256')
    .update(chainedText(previousHash, canonicalInvoice(content)))
    .digest('hex')
}

/** Test clocks have series of their own: what is not real never touches the numbers that are. */
async function readClockCodes(
  tx: Tx,
  invoices: readonly NumberableInvoice[],
): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(invoices.flatMap(({ testClockId }) => testClockId ?? []))]
  if (ids.length === 0) return new Map()
  const rows = await tx.selectFrom('test_clocks').select(['id', 'number']).where('id', 'in', ids).execute()
  return new Map(rows.map((row) => [row.id, `TEST${row.number}-`]))
}

function seriesOf(
  invoice: NumberableInvoice,
  patterns: NumberPatterns,
  clockCodes: ReadonlyMap<string, string>,
) {
  const { series: own, pattern: text } = patterns[invoice.kind]
  const pattern = { pattern: text, resetsYearly: text.includes('{year}') }
  const series = `${invoice.testClockId === null ? '' : (clockCodes.get(invoice.testClockId) ?? '')}${own}`
  return { series, pattern, key: seriesKey(series, invoice.issuedOn, pattern) }
}

async function readSeries(tx: Tx, codes: readonly string[]): Promise<Map<string, SeriesState>> {
  const rows = await lockSeries(tx, codes)
  return new Map(
    rows.map((row) => [
      row.code,
      {
        nextNumber: row.next_number,
        lastHash: row.last_hash?.toString('hex') ?? null,
        lastIssuedOn: row.last_issued_on,
      },
    ]),
  )
}

async function writeNumbers(tx: Tx, numbered: readonly Numbered[]): Promise<void> {
  await sql`
    update invoices set series = done.series, sequence = done.sequence, number = done.number, issued_on = done."issuedOn",
      due_on = done."dueOn", instalments = done.instalments, previous_hash = decode(done."previousHash", 'hex'), hash = decode(done.hash, 'hex'),
      finalized_at = ${new Date().toISOString()}::timestamptz
    from json_to_recordset(${JSON.stringify(numbered)}::json) as done
      (id uuid, series text, sequence integer, number text, "issuedOn" date, "dueOn" date, instalments jsonb, "previousHash" text,
        hash text)
    where invoices.id = done.id`.execute(tx)
}

async function writeSeries(tx: Tx, states: ReadonlyMap<string, SeriesState>): Promise<void> {
  const rows = [...states].map(([code, state]) => ({ code, ...state }))
  await sql`
    update number_series set next_number = taken."nextNumber", last_hash = decode(taken."lastHash", 'hex'),
      last_issued_on = taken."lastIssuedOn"
    from json_to_recordset(${JSON.stringify(rows)}::json) as taken
      (code text, "nextNumber" integer, "lastHash" text, "lastIssuedOn" date)
    where number_series.code = taken.code`.execute(tx)
}
