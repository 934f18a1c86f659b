import { sql } from 'kysely'
import type { ReversedEvent } from '#domain/usage-reversal.ts'
import type { UsageProperties } from '#domain/usage-filter.ts'
import type { Db } from './database.ts'

export interface EventName {
  readonly source: string
  readonly eventId: string
}

export interface ReversedEventRow extends ReversedEvent, EventName {
  readonly id: string
  readonly occurredMs: number
  readonly properties: UsageProperties | null
}

/** The named events with what has reversed them, held so that no two transactions reverse the same one. */
export async function lockReversedEvents(tx: Db, names: readonly EventName[]): Promise<ReversedEventRow[]> {
  const { rows } = await sql<EventRow>`
    select event.* from unnest(${names.map(({ source }) => source)}::text[], ${names.map(({ eventId }) => eventId)}::text[])
      as named (source, event_id)
    join usage_events event using (source, event_id)
    order by event.id for no key update of event`.execute(tx)
  const { rows: reversals } = await sql<{ reverses_id: string; event_id: string }>`
    select reverses_id, event_id from usage_events where reverses_id = any(${rows.map(({ id }) => id)}::uuid[])`.execute(
    tx,
  )
  const reversedBy = new Map(reversals.map((row) => [row.reverses_id, row.event_id]))
  return rows.map((row) => ({
    id: row.id,
    source: row.source,
    eventId: row.event_id,
    subscriptionId: row.subscription_id,
    metric: row.metric,
    quantity: row.quantity,
    unit: row.unit,
    occurredMs: Date.parse(row.occurred_at),
    properties: row.properties,
    isReversal: row.reverses_id !== null,
    reversedBy: reversedBy.get(row.id) ?? null,
  }))
}

interface EventRow {
  readonly id: string
  readonly source: string
  readonly event_id: string
  readonly subscription_id: string
  readonly metric: string
  readonly quantity: string
  readonly unit: string
  readonly occurred_at: string
  readonly properties: UsageProperties | null
  readonly reverses_id: string | null
}
