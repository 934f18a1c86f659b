import { sql } from 'kysely'
import type { BillingInterval } from '#domain/calendar.ts'
import { boundDays, type BoundStretch } from '#domain/invoice/bound-stretch.ts'
import type { SubscriptionBounds } from '#domain/invoice/document.ts'
import type { BillToRead } from './bill-input.ts'
import type { LineContext } from './billable-line.ts'
import type { Db } from './database.ts'

export type BoundsOf = (bill: BillToRead, own: readonly LineContext[]) => SubscriptionBounds[]

/**
 * What the subscriptions of bills come to at least and at most, where that is held, and what is settled of it. A bill of a
 * document holds what lies on it, a subscription's own bill all of the subscription. Where nobody has bounds, nothing is asked.
 */
export async function readBounds(
  db: Db,
  bills: readonly BillToRead[],
  contexts: readonly (readonly LineContext[])[],
): Promise<BoundsOf> {
  const bounded = [
    ...new Set(
      contexts
        .flat()
        .filter(isBounded)
        .map(({ subscription }) => subscription.id),
    ),
  ]
  if (bounded.length === 0) return () => []
  const lines = await readLines(db, bounded)
  const asked = bills.flatMap(({ asOf }, index) => {
    const own = new Set((contexts[index] ?? []).map(({ subscription }) => subscription.id))
    return lines
      .filter((line) => own.has(line.subscription_id))
      .map((line) => ({ documentId: line.document_id, asOf }))
  })
  const settled = await readLastBills(db, asked)
  const bySubscription = Map.groupBy(lines, (line) => line.subscription_id)
  return (bill, own) => {
    const subscriptions = new Map(
      own.filter(isBounded).map(({ subscription }) => [subscription.id, subscription]),
    )
    return [...subscriptions.values()].flatMap(({ id, leastAmount, greatestAmount }) =>
      stretchesOf(
        bySubscription.get(id) ?? [],
        (documentId) => settled.get(keyOf(documentId, bill.asOf)) ?? null,
      )
        .filter(({ documentId }) => bill.reason !== 'period' || documentId === bill.document?.id)
        .map(({ held }) => ({ subscriptionId: id, leastAmount, greatestAmount, held })),
    )
  }
}

function isBounded({ subscription }: Pick<LineContext, 'subscription'>): boolean {
  return subscription.leastAmount !== null || subscription.greatestAmount !== null
}

interface LineRow {
  readonly id: string
  readonly subscription_id: string
  readonly document_id: string
  readonly starts_on: string
  readonly ends_on: string | null
  readonly anchor: string
  readonly count: number
  readonly unit: BillingInterval['unit']
}

async function readLines(db: Db, subscriptionIds: readonly string[]): Promise<LineRow[]> {
  const { rows } = await sql<LineRow>`
    select line.id, line.subscription_id, line.document_id, line.starts_on, line.ends_on,
      document.billing_cycle_anchor as anchor, document.interval_count as count, document.interval_unit as unit
    from subscription_lines line join subscription_documents document on document.id = line.document_id
    where line.subscription_id = any(${subscriptionIds}::uuid[]) and line.interval_unit is not null
      and line.starts_on is not null`.execute(db)
  return rows
}

/** The day of each document's last bill before another day. A bill of nothing settled nothing. */
async function readLastBills(
  db: Db,
  asked: readonly { readonly documentId: string; readonly asOf: string }[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ document_id: string; as_of: string; billed_on: string | null }>`
    select asked.document_id, asked.as_of, (
      select max(coalesce(due_on, lower(period))) from billing_periods
      where document_id = asked.document_id and invoice_id is not null
        and coalesce(due_on, lower(period)) < asked.as_of
    ) as billed_on
    from (select distinct * from json_to_recordset(${JSON.stringify(asked)}::json) as one ("documentId" uuid, "asOf" date)
    ) as asked (document_id, as_of)`.execute(db)
  return new Map(
    rows.flatMap((row) =>
      row.billed_on === null ? [] : [[keyOf(row.document_id, row.as_of), row.billed_on]],
    ),
  )
}

function keyOf(documentId: string, asOf: string): string {
  return `${documentId} ${asOf}`
}

function stretchesOf(
  lines: readonly LineRow[],
  settledUntil: (documentId: string) => string | null,
): { documentId: string; held: BoundStretch }[] {
  const documented = lines.map((line) => ({
    documentId: line.document_id,
    interval: { count: line.count, unit: line.unit },
    startsOn: line.starts_on,
    endsOn: line.ends_on,
  }))
  const endsOn = documented.reduce<string | null>(
    (last, line) => (last === null || line.endsOn === null ? null : last > line.endsOn ? last : line.endsOn),
    '',
  )
  return boundDays(documented).flatMap(({ documentId, days }) => {
    const own = lines.filter((line) => line.document_id === documentId)
    const [line] = own
    if (!line) return []
    const cycles = { anchor: line.anchor, interval: { count: line.count, unit: line.unit } }
    const lineIds = new Set(own.map(({ id }) => id))
    return [{ documentId, held: { cycles, days, lineIds, endsOn, settledUntil: settledUntil(documentId) } }]
  })
}
