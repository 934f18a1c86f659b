import Big from 'big.js'
import { sql } from 'kysely'
import { convertUnit } from '#domain/unit.ts'
import type { Db } from '../database.ts'
import {
  countedReadings,
  dayWithin,
  eventsOf,
  findUsageWindow,
  listWindowDays,
  type OpenedWindow,
} from './usage-window.ts'

/** Whose windows: of parts whose first day is `from` or later, and before `until`. */
export interface ExportedSpan {
  readonly subscriptionId: string
  readonly from: string | null
  readonly until: string | null
}

export interface ExportedWindow {
  readonly id: string
  readonly subscription_line_id: string
  readonly product_code: string
  readonly description: string
  readonly metric: string
  readonly first_on: string
  readonly ends_on: string
  readonly starts_at: string
  readonly ends_at: string
  readonly quantity: string
  readonly unit: string
  readonly billed_quantity: string
  readonly amount_minor: number
  readonly currency: string
  readonly is_late: boolean
  readonly is_pending: boolean
  readonly reading_count: number
  readonly event_count: number
  readonly invoice_id: string
  readonly invoice_number: string | null
}

const windowsAtOnce = 500

/** Billed windows with the line that bills each, in the order in which they were billed. No connection is held between pieces. */
export async function* readExportedWindows(
  db: Db,
  { subscriptionId, from, until }: ExportedSpan,
): AsyncGenerator<ExportedWindow[]> {
  let after: string | null = null
  for (;;) {
    const { rows }: { rows: ExportedWindow[] } = await sql<ExportedWindow>`
      select opened.id, opened.metric, opened.quantity, opened.unit, opened.is_late, opened.is_pending, opened.reading_count,
        opened.event_count, lower(opened.window_period) as starts_at, upper(opened.window_period) as ends_at,
        line.id as subscription_line_id, product.code as product_code, billed.description, billed.quantity as billed_quantity,
        billed.amount_minor, lower(billed.service_period) as first_on, upper(billed.service_period) as ends_on,
        invoice.id as invoice_id, invoice.number as invoice_number, invoice.currency
      from subscription_lines line
      join usage_windows opened on opened.subscription_line_id = line.id
      join products product on product.id = line.product_id
      cross join lateral (
        select * from invoice_lines where subscription_line_id = line.id and usage_window_id = opened.id
        order by revision desc limit 1
      ) billed
      join invoices invoice on invoice.id = billed.invoice_id
      where line.subscription_id = ${subscriptionId}
        and (${from}::date is null or lower(billed.service_period) >= ${from}::date)
        and (${until}::date is null or lower(billed.service_period) < ${until}::date)
        and (${after}::uuid is null or opened.id > ${after}::uuid)
      order by opened.id limit ${windowsAtOnce}`.execute(db)
    yield rows
    after = rows.at(-1)?.id ?? null
    if (rows.length < windowsAtOnce) return
  }
}

/** A reading or a pushed event that a window is made of. */
export interface ExportedUse {
  readonly window: OpenedWindow
  readonly kind: 'reading' | 'event'
  readonly at: string
  /** Of a reading its series, of an event its source. */
  readonly of: string
  readonly eventId: string | null
  readonly value: string
  readonly unit: string
  /** What it adds to the quantity, in the window's unit; null for a gauge. */
  readonly counted: string | null
}

/** All that one window is made of, without the bound that its page has. */
export async function* readWindowUse(db: Db, window: OpenedWindow): AsyncGenerator<ExportedUse[]> {
  yield* readReadings(db, window)
  yield* readEvents(db, window)
}

/**
 * What the windows of a span are made of, each reading and each event once. Readings that came late belong to the window of their
 * time; the late window, which bills the difference, has its events alone.
 */
export async function* readUse(db: Db, span: ExportedSpan): AsyncGenerator<ExportedUse[]> {
  for await (const windows of readExportedWindows(db, span)) {
    for (const { id } of windows) {
      const window = await findUsageWindow(db, id)
      if (window === null) continue
      if (!window.is_late) yield* readReadings(db, window)
      yield* readEvents(db, window)
    }
  }
}

interface ReadingRow {
  readonly series: string
  readonly unit: string
  readonly value: string
  readonly read_at: string
  readonly counted: string
}

/** Day by day: a year of readings is never held at once. */
async function* readReadings(db: Db, window: OpenedWindow): AsyncGenerator<ExportedUse[]> {
  for (const { on, readings } of await listWindowDays(db, window)) {
    if (readings === 0) continue
    const { rows } = await sql<ReadingRow>`
      select series, unit, value, read_at, counted from (${countedReadings(window, dayWithin(window, on))}) as read
      order by read_at, sampled_at, series_id`.execute(db)
    yield rows.map((row) => toUseOfReading(window, row))
  }
}

function toUseOfReading(window: OpenedWindow, row: ReadingRow): ExportedUse {
  return {
    window,
    kind: 'reading',
    at: row.read_at,
    of: row.series,
    eventId: null,
    value: new Big(row.value).toFixed(),
    unit: row.unit,
    counted: window.is_counter ? convertUnit(new Big(row.counted), row.unit, window.unit).toFixed() : null,
  }
}

interface EventRow {
  readonly id: string
  readonly source: string
  readonly event_id: string
  readonly quantity: string
  readonly unit: string
  readonly occurred_at: string
  /** The same instant in full, from which the next piece goes on. */
  readonly place: string
}

const eventsAtOnce = 5_000

async function* readEvents(db: Db, window: OpenedWindow): AsyncGenerator<ExportedUse[]> {
  let last: EventRow | undefined
  for (;;) {
    const { rows }: { rows: EventRow[] } = await sql<EventRow>`
      select id, source, event_id, quantity, unit, occurred_at, occurred_at::text as place from (${eventsOf(window)}) as event
      where ${last === undefined} or (occurred_at, id) > (${last?.place ?? null}::timestamptz, ${last?.id ?? null}::uuid)
      order by occurred_at, id limit ${eventsAtOnce}`.execute(db)
    yield rows.map((row) => toUseOfEvent(window, row))
    last = rows.at(-1)
    if (rows.length < eventsAtOnce) return
  }
}

function toUseOfEvent(window: OpenedWindow, row: EventRow): ExportedUse {
  const quantity = new Big(row.quantity)
  return {
    window,
    kind: 'event',
    at: row.occurred_at,
    of: row.source,
    eventId: row.event_id,
    value: quantity.toFixed(),
    unit: row.unit,
    counted: window.is_counter ? convertUnit(quantity, row.unit, window.unit).toFixed() : null,
  }
}
