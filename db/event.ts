import type { Db } from './database.ts'

/** Everything that can be read in a timeline. */
export type EventKind =
  | 'order.confirmed'
  | 'build.started'
  | 'build.step'
  | 'build.done'
  | 'build.failed'
  | 'build.undone'
  | 'unbuild.started'
  | 'unbuild.done'
  | 'unbuild.failed'
  | 'subscription.activated'
  | 'subscription.changed'
  | 'subscription.cancelled'
  | 'subscription.uncancelled'
  | 'subscription.suspended'
  | 'subscription.resumed'
  | 'subscription.parked'
  | 'subscription.unparked'
  | 'subscription.ended'
  | 'limit.applied'
  | 'limit.refused'
  | 'invoice.finalized'
  | 'document.parked'
  | 'usage.read'

export interface NewEvent {
  readonly kind: EventKind
  readonly customerId?: string
  readonly subscriptionId?: string
  readonly buildOrderId?: string
  readonly invoiceId?: string
  readonly data?: Record<string, unknown>
  /** The instant in the subscription's own time, when it lives on a test clock. */
  readonly businessAt?: string
}

/** Writes an event with the change it tells of, in the caller's transaction. */
export async function insertEvent(db: Db, event: NewEvent): Promise<void> {
  await db
    .insertInto('events')
    .values({
      kind: event.kind,
      customer_id: event.customerId ?? null,
      subscription_id: event.subscriptionId ?? null,
      build_order_id: event.buildOrderId ?? null,
      invoice_id: event.invoiceId ?? null,
      data: event.data ?? {},
      business_at: event.businessAt ?? null,
    })
    .execute()
}
