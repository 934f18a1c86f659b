import { encodeId } from '#domain/identifier.ts'
import type { EventPosition, EventRow } from './event.ts'

/** An event as everybody outside sees it: in lists, in streams, in webhooks. */
export function toEventJson(row: EventRow) {
  return {
    id: eventIdOf(row),
    kind: row.kind,
    customer: row.customer_id === null ? null : encodeId('customer', row.customer_id),
    subscription: row.subscription_id === null ? null : encodeId('subscription', row.subscription_id),
    build: row.build_order_id === null ? null : encodeId('buildOrder', row.build_order_id),
    invoice: row.invoice_id === null ? null : encodeId('invoice', row.invoice_id),
    data: row.data,
    business_at: row.business_at,
    occurred_at: row.occurred_at,
  }
}

type PlacedRow = Pick<EventRow, 'transaction_id' | 'id'>

export function positionOf(row: PlacedRow): EventPosition {
  return { transactionId: row.transaction_id, id: row.id }
}

/** The id of an event, which is a cursor too. */
export function eventIdOf(row: PlacedRow): string {
  return encodePosition(positionOf(row))
}

/** The id of the event at a place. */
export function encodePosition(position: EventPosition): string {
  return `evt_${position.transactionId}-${position.id}`
}
