import { sql } from 'kysely'
import type { BillableLine, BilledPart } from '#domain/invoice/lines.ts'
import type { Tx } from './database.ts'

/** Whose lines are billed together. */
export type BilledOf = { readonly documentId: string } | { readonly subscriptionId: string }

/** A line with what an invoice line and its usage window need to know of it. */
export interface LineContext {
  readonly line: BillableLine
  readonly subscriptionId: string
  readonly customerId: string
  readonly productId: string
  readonly instanceId: string | null
  readonly metric: string | null
  readonly timeZone: string
  readonly testClockId: string | null
  readonly currency: string
  readonly documentId: string | null
}

export async function lockLines(tx: Tx, of: BilledOf): Promise<LineContext[]> {
  let query = tx
    .selectFrom('subscription_lines as line')
    .innerJoin('subscriptions', 'subscriptions.id', 'line.subscription_id')
    .innerJoin('customers', 'customers.id', 'subscriptions.customer_id')
    .leftJoin('subscription_documents as document', 'document.id', 'line.document_id')
    .selectAll('line')
    .select(['subscriptions.customer_id', 'subscriptions.currency', 'subscriptions.test_clock_id'])
    .select(['document.billing_cycle_anchor', 'customers.time_zone'])
    .select('document.time_zone as document_time_zone')
    .where('line.starts_on', 'is not', null)
    .orderBy('line.id')
    .forNoKeyUpdate('line')
  query =
    'documentId' in of
      ? query.where('line.document_id', '=', of.documentId)
      : query.where('line.subscription_id', '=', of.subscriptionId)
  const rows = await query.execute()
  const billed = await readBilledParts(
    tx,
    rows.map((row) => row.id),
  )
  return rows
    .toSorted(
      (first, second) =>
        first.subscription_id.localeCompare(second.subscription_id) ||
        first.position - second.position ||
        (first.starts_on ?? '').localeCompare(second.starts_on ?? ''),
    )
    .map((row) => ({
      line: {
        id: row.id,
        description: row.description,
        billingType: row.billing_type,
        billingTiming: row.billing_timing,
        interval:
          row.interval_count && row.interval_unit
            ? { count: row.interval_count, unit: row.interval_unit }
            : null,
        billingCycleAnchor: row.billing_cycle_anchor ?? row.starts_on ?? '',
        quantity: row.quantity,
        unit: row.unit,
        unitPrice: row.unit_price,
        startsOn: row.starts_on ?? '',
        endsOn: row.ends_on,
        billed: billed.get(row.id) ?? [],
      },
      subscriptionId: row.subscription_id,
      customerId: row.customer_id,
      productId: row.product_id,
      instanceId: row.instance_id,
      metric: row.metric,
      // The document's zone holds for its life: windows tile, wherever the customer moves.
      timeZone: row.document_time_zone ?? row.time_zone,
      testClockId: row.test_clock_id,
      currency: row.currency,
      documentId: row.document_id,
    }))
}

/**
 * What was billed of each line. A closed line needs all of its parts, an open one only the newest: earlier parts can
 * neither be due again nor be credited, so that the thirty-sixth month costs what the first did.
 */
async function readBilledParts(tx: Tx, lineIds: readonly string[]): Promise<Map<string, BilledPart[]>> {
  if (lineIds.length === 0) return new Map()
  const rows = await tx
    .selectFrom('invoice_lines')
    .innerJoin('subscription_lines as line', 'line.id', 'invoice_lines.subscription_line_id')
    .select(['subscription_line_id', 'kind', 'amount_minor'])
    .select(sql<string | null>`lower(service_period)`.as('start'))
    .select(sql<string | null>`upper(service_period)`.as('end'))
    .where('subscription_line_id', 'in', lineIds)
    .where(
      sql<boolean>`(service_period is null or line.ends_on is not null and upper(service_period) > line.ends_on or upper(service_period) =
        (select max(upper(newest.service_period)) from invoice_lines newest where newest.subscription_line_id = line.id and newest.kind <> 'credit'))`,
    )
    .execute()
  return Map.groupBy(
    rows.map((row) => ({
      lineId: row.subscription_line_id,
      kind: row.kind,
      servicePeriod: row.start && row.end ? { start: row.start, end: row.end } : null,
      amountMinor: row.amount_minor,
    })),
    (part) => part.lineId,
  )
}
