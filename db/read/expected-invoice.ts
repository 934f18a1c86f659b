import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { startOfDay } from '#domain/calendar.ts'
import {
  dueParts,
  rateParts,
  type BillableLine,
  type BilledPart,
  type DuePart,
  type InvoiceLineDraft,
} from '#domain/invoice/lines.ts'
import type { UsageQuantity } from '#domain/usage.ts'
import type { Db } from '../database.ts'
import { measureUsage } from '../usage.ts'
import type { SubscriptionRow } from './subscription.ts'

/** The next invoice of a subscription as it would be if nothing more was used and nothing changed. */
export interface ExpectedInvoice {
  readonly on: string
  /** Usage lines hold what was measured so far. */
  readonly lines: readonly InvoiceLineDraft[]
  readonly totalMinor: number
}

/** Undefined when no invoice is to come. The rating is the one of the real invoice. */
export async function readExpectedInvoice(
  db: Db,
  subscription: Pick<SubscriptionRow, 'id' | 'currency' | 'next_invoice_on'>,
): Promise<ExpectedInvoice | undefined> {
  const on = subscription.next_invoice_on
  if (on === null) return undefined
  const rows = await listLinesDueOn(db, subscription.id, on)
  const billed = await listBilledParts(db, subscription.id)
  const lines = rows.map((row) => toBillableLine(row, billed.get(row.id) ?? []))
  const parts = dueParts(lines, on)
  const measured = await measureParts(db, subscription.id, parts, rows)
  const drafts = rateParts(parts, subscription.currency, (part) => {
    const usage = measured.get(part)
    assert(usage, 'every usage part was measured')
    return usage
  })
  return { on, lines: drafts, totalMinor: drafts.reduce((sum, line) => sum + line.amountMinor, 0) }
}

type LineRow = Awaited<ReturnType<typeof listLinesDueOn>>[number]

async function listLinesDueOn(db: Db, subscriptionId: string, on: string) {
  return await db
    .selectFrom('subscription_lines as line')
    .innerJoin('subscription_documents as document', 'document.id', 'line.document_id')
    .selectAll('line')
    .select(['document.billing_cycle_anchor', 'document.time_zone'])
    .where('line.subscription_id', '=', subscriptionId)
    .where('line.starts_on', 'is not', null)
    .where('document.next_invoice_on', '=', on)
    .where('document.closed_at', 'is', null)
    .orderBy('line.position')
    .orderBy('line.starts_on')
    .execute()
}

async function listBilledParts(db: Db, subscriptionId: string) {
  const rows = await db
    .selectFrom('invoice_lines')
    .select(['subscription_line_id', 'kind', 'amount_minor'])
    .select(sql<string | null>`lower(service_period)`.as('start'))
    .select(sql<string | null>`upper(service_period)`.as('end'))
    .where('subscription_id', '=', subscriptionId)
    .execute()
  return Map.groupBy(
    rows.map((row): BilledPart & { lineId: string } => ({
      lineId: row.subscription_line_id,
      kind: row.kind,
      servicePeriod: row.start !== null && row.end !== null ? { start: row.start, end: row.end } : null,
      amountMinor: row.amount_minor,
    })),
    (part) => part.lineId,
  )
}

function toBillableLine(row: LineRow, billed: readonly BilledPart[]): BillableLine {
  return {
    id: row.id,
    description: row.description,
    billingType: row.billing_type,
    billingTiming: row.billing_timing,
    interval:
      row.interval_count !== null && row.interval_unit !== null
        ? { count: row.interval_count, unit: row.interval_unit }
        : null,
    billingCycleAnchor: row.billing_cycle_anchor,
    quantity: row.quantity,
    unit: row.unit,
    unitPrice: row.unit_price,
    startsOn: row.starts_on ?? row.billing_cycle_anchor,
    endsOn: row.ends_on,
    billed,
  }
}

async function measureParts(
  db: Db,
  subscriptionId: string,
  parts: readonly DuePart[],
  rows: readonly LineRow[],
): Promise<Map<DuePart, UsageQuantity>> {
  const measured = new Map<DuePart, UsageQuantity>()
  for (const part of parts) {
    if (part.kind !== 'usage') continue
    const row = rows.find((candidate) => candidate.id === part.line.id)
    assert(row?.metric, 'a usage line names its metric')
    const usage = await measureUsage(db, {
      subscriptionId,
      instanceId: row.instance_id,
      metric: row.metric,
      unit: row.unit,
      window: {
        start: startOfDay(row.time_zone, part.servicePeriod.start),
        end: startOfDay(row.time_zone, part.servicePeriod.end),
      },
      isLast: row.ends_on === part.servicePeriod.end,
    })
    measured.set(part, usage)
  }
  return measured
}
