import { sql } from 'kysely'
import { startOfDay } from '#domain/calendar.ts'
import type { DocumentDraft, DocumentLineDraft, DocumentTax } from '#domain/invoice/document.ts'
import type { Tx } from './database.ts'
import { newIds } from './identifier.ts'
import { noteUnsettled, settleLateWindows } from './unsettled-window.ts'

/** What a line is of: the subscription, product and instance that pay for it, and what is measured. */
export interface LineSource {
  readonly subscriptionId: string | null
  readonly productId: string | null
  readonly instanceId: string | null
  readonly metric: string | null
  /** In which the days of its usage begin. */
  readonly timeZone: string
}

export interface LinesToWrite {
  readonly draft: DocumentDraft
  readonly revision?: number
  readonly sources: ReadonlyMap<string, LineSource>
  /** Windows that were frozen before, by `windowKey`: what is billed anew is what was measured. */
  readonly windows?: ReadonlyMap<string, string>
}

const noSource: LineSource = {
  subscriptionId: null,
  productId: null,
  instanceId: null,
  metric: null,
  timeZone: 'UTC',
}

/** The rows of a document's lines, with the usage windows that some of them freeze. */
export function toLineRows(invoiceId: string, { draft, revision, sources, windows }: LinesToWrite) {
  const ids = newIds(draft.lines.length)
  return draft.lines.map((line, position) => {
    const source = sources.get(line.subscriptionLineId ?? line.oneOffChargeId ?? '') ?? noSource
    const frozenWindowId = windows?.get(windowKey(line)) ?? null
    const window = frozenWindowId === null ? toWindowRow(line, source) : null
    return {
      id: ids[position] ?? '',
      invoice_id: invoiceId,
      position,
      kind: line.kind,
      subscription_line_id: line.subscriptionLineId,
      subscription_id: source.subscriptionId,
      product_id: source.productId,
      instance_id: source.instanceId,
      usage_window_id: window?.id ?? frozenWindowId,
      description: line.description,
      billing_type: line.billingType,
      quantity: line.quantity,
      unit: line.unit,
      unit_price: line.unitPrice,
      service_period: line.servicePeriod ? `[${line.servicePeriod.start},${line.servicePeriod.end})` : null,
      rated_minor: line.ratedMinor,
      discount_minor: line.discountMinor,
      amount_minor: line.amountMinor,
      tax_category: line.taxCategory,
      tax_rate_percent: line.taxRatePercent,
      tax_minor: line.taxMinor,
      revision: revision ?? 0,
      one_off_charge_id: line.oneOffChargeId,
      credits_line_id: line.creditsLineId,
      is_text: line.isText ?? false,
      explanation: line.explanation,
      window,
      lateEventIds: line.lateEventIds,
    }
  })
}

export function windowKey(
  line: Pick<DocumentLineDraft, 'kind' | 'subscriptionLineId' | 'servicePeriod'>,
): string {
  return `${line.kind} ${line.subscriptionLineId} ${line.servicePeriod?.start}`
}

export type InvoiceLineRow = ReturnType<typeof toLineRows>[number]

type WindowRow = NonNullable<ReturnType<typeof toWindowRow>>

/** The aggregate that a billed line refers to. */
function toWindowRow(line: DocumentLineDraft, source: LineSource) {
  const { usage } = line.explanation
  const { servicePeriod, subscriptionLineId } = line
  if (!usage || !servicePeriod || source.metric === null || subscriptionLineId === null) return null
  if (line.kind !== 'usage' && line.kind !== 'late_usage') return null
  const [id = ''] = newIds(1)
  const from = startOfDay(source.timeZone, servicePeriod.start)
  return {
    id,
    subscription_line_id: subscriptionLineId,
    metric: source.metric,
    quantity: usage.quantity,
    unit: usage.unit,
    window_period: `["${from}","${startOfDay(source.timeZone, servicePeriod.end)}")`,
    reading_count: usage.readingCount,
    event_count: usage.eventCount,
    first_read_at: usage.firstReadAt,
    last_read_at: usage.lastReadAt,
    is_late: line.kind === 'late_usage',
    is_pending: usage.isPending ?? false,
  }
}

/** So many rows are one statement: a text of a few megabytes, which is made while the one before is being written. */
const rowsPerStatement = 2_000

export async function insertInvoiceLines(tx: Tx, lines: readonly InvoiceLineRow[]): Promise<void> {
  await inParts(
    lines.flatMap(({ window }) => window ?? []),
    async (windows) => insertWindows(tx, windows),
  )
  await inParts(
    lines.map(({ window: _window, lateEventIds: _lateEventIds, ...row }) => row),
    async (rows) => insertRows(tx, rows),
  )
  await bindLateEvents(tx, lines)
}

async function inParts<Row>(
  rows: readonly Row[],
  write: (part: readonly Row[]) => Promise<void>,
): Promise<void> {
  const parts = Math.ceil(rows.length / rowsPerStatement)
  for (let part = 0; part < parts; part += 1) {
    await write(rows.slice(part * rowsPerStatement, (part + 1) * rowsPerStatement))
  }
}

async function insertRows(tx: Tx, rows: readonly object[]): Promise<void> {
  await sql`
    insert into invoice_lines (id, invoice_id, position, kind, subscription_line_id, subscription_id, product_id, instance_id,
      usage_window_id, description, billing_type, quantity, unit, unit_price, service_period, rated_minor, discount_minor,
      amount_minor, tax_category, tax_rate_percent, tax_minor, revision, one_off_charge_id, credits_line_id, is_text, explanation)
    select * from json_to_recordset(${JSON.stringify(rows)}::json) as line (id uuid, invoice_id uuid, position integer,
      kind text, subscription_line_id uuid, subscription_id uuid, product_id uuid, instance_id uuid, usage_window_id uuid,
      description text, billing_type text, quantity numeric, unit text, unit_price numeric, service_period daterange,
      rated_minor bigint, discount_minor bigint, amount_minor bigint, tax_category text, tax_rate_percent numeric,
      tax_minor bigint, revision integer, one_off_charge_id uuid, credits_line_id uuid, is_text boolean,
      explanation jsonb)`.execute(tx)
}

async function insertWindows(tx: Tx, windows: readonly WindowRow[]): Promise<void> {
  await sql`
    insert into usage_windows (id, subscription_line_id, metric, quantity, unit, window_period, reading_count, event_count,
      first_read_at, last_read_at, is_late, is_pending)
    select * from json_to_recordset(${JSON.stringify(windows)}::json) as frozen (id uuid, subscription_line_id uuid,
      metric text, quantity numeric, unit text, window_period tstzrange, reading_count integer, event_count integer,
      first_read_at timestamptz, last_read_at timestamptz, is_late boolean, is_pending boolean)`.execute(tx)
  await noteUnsettled(
    tx,
    windows.filter((window) => window.is_pending).map(({ id }) => id),
  )
  await settleLateWindows(
    tx,
    windows.filter((window) => window.is_late),
  )
}

/** What came late is in one late window of each line that it is late for, and never in another one. */
async function bindLateEvents(tx: Tx, lines: readonly InvoiceLineRow[]): Promise<void> {
  const bound = lines.flatMap(({ lateEventIds, subscription_line_id: lineId, window }) =>
    lateEventIds.map((eventId) => ({ eventId, lineId, windowId: window?.id ?? null })),
  )
  if (bound.length === 0) return
  await sql`
    update late_usage_events late set usage_window_id = bound."windowId"
    from json_to_recordset(${JSON.stringify(bound)}::json) as bound ("eventId" uuid, "lineId" uuid, "windowId" uuid)
    where late.usage_event_id = bound."eventId" and late.subscription_line_id = bound."lineId" and late.usage_window_id is null`.execute(
    tx,
  )
}

export async function insertInvoiceTaxes(
  tx: Tx,
  documents: readonly { readonly invoiceId: string; readonly taxes: readonly DocumentTax[] }[],
): Promise<void> {
  const rows = documents.flatMap(({ invoiceId, taxes }) =>
    taxes.map((tax, position) => ({ invoiceId, position, ...tax })),
  )
  if (rows.length === 0) return
  await sql`
    insert into invoice_taxes (invoice_id, position, category, name, rate_percent, base_minor, tax_minor, note)
    select * from json_to_recordset(${JSON.stringify(rows)}::json) as tax ("invoiceId" uuid, position integer, category text,
      name text, "ratePercent" numeric, "baseMinor" bigint, "taxMinor" bigint, note text)`.execute(tx)
}
