import { sql } from 'kysely'
import type { Db } from './database.ts'

/** Everything that can be read in a timeline. */
export type EventKind =
  | 'application.permission_granted'
  | 'order.confirmed'
  | 'order.terms_accepted'
  | 'order.placed_again'
  | 'order.held'
  | 'order.hold_released'
  | 'order.released'
  | 'order.refused'
  | 'order.cancelled'
  | 'order.expired'
  | 'payment.to_be_refunded'
  | 'payment.refunded'
  | 'customer.mail_verified'
  | 'backup.kept'
  | 'backup.failed'
  | 'backup.deleted'
  | 'restore.started'
  | 'restore.done'
  | 'restore.undone'
  | 'restore.failed'
  | 'build.cancel_asked'
  | 'build.resumed'
  | 'build.started'
  | 'build.step'
  | 'build.step_marked_done'
  | 'build.step_skipped'
  | 'build.done'
  | 'build.failed'
  | 'build.undone'
  | 'unbuild.started'
  | 'unbuild.done'
  | 'unbuild.failed'
  | 'subscription.activated'
  | 'subscription.changed'
  | 'subscription.change_requested'
  | 'subscription.change_refused'
  | 'subscription.change_waits'
  | 'subscription.change_unfit'
  | 'subscription.change_given_up'
  | 'subscription.cancelled'
  | 'subscription.uncancelled'
  | 'subscription.pause_planned'
  | 'subscription.pause_withdrawn'
  | 'subscription.paused'
  | 'subscription.line_stopped'
  | 'subscription.line_cancelled'
  | 'subscription.line_uncancelled'
  | 'subscription.line_delayed'
  | 'subscription.line_deleted'
  | 'subscription.successor_planned'
  | 'subscription.handed_over'
  | 'subscription.term_agreed'
  | 'subscription.recurrence_set'
  | 'subscription.renewed'
  | 'subscription.trial_ending'
  | 'subscription.suspended'
  | 'subscription.suspension_lifted'
  | 'subscription.resumed'
  | 'subscription.parked'
  | 'subscription.unparked'
  | 'subscription.ended'
  | 'subscription.reinstated'
  | 'instance.action_run'
  | 'instance.command_refused'
  | 'instance.logged_in'
  | 'instance.login_link_made'
  | 'instance.repaired'
  | 'instance.repair_failed'
  | 'instance.changed'
  | 'instance.secrets_exported'
  | 'instance.port_moved'
  | 'instance.replaced'
  | 'instance.replacement_failed'
  | 'server.added'
  | 'server.changed'
  | 'server.removed'
  | 'server.joined'
  | 'server.unreachable'
  | 'server.reachable'
  | 'instance.restarted'
  | 'instance.secret_rotated'
  | 'instance.secret_shown'
  | 'limit.applied'
  | 'limit.held'
  | 'limit.lifted'
  | 'limit.reached'
  | 'limit.refused'
  | 'link.made'
  | 'link.taken_back'
  | 'invoice.credited'
  | 'invoice.finalized'
  | 'invoice.marked_collectible'
  | 'invoice.marked_uncollectible'
  | 'invoice.payment_recorded'
  | 'invoice.voided'
  | 'document.forced'
  | 'document.moved'
  | 'document.parked'
  | 'environment.renamed'
  | 'peer.closed'
  | 'peer.halted'
  | 'peer.key_made'
  | 'peer.key_pinned'
  | 'peer.key_revoked'
  | 'peer.message_refused'
  | 'peer.paired'
  | 'peer.resumed'
  | 'registry.login_set'
  | 'registry.removed'
  | 'spend.cap_changed'
  | 'spend.cap_lifted'
  | 'spend.cap_reached'
  | 'spend.warned'
  | 'limit.warned'
  | 'usage.billed_early'
  | 'supplier_invoice.received'
  | 'supplier_invoice.standing_told'
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
  await insertEvents(db, [event])
}

/** Writes any number of events by one statement. */
export async function insertEvents(db: Db, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return
  await sql`
    insert into events (kind, customer_id, subscription_id, build_order_id, invoice_id, data, business_at)
    select kind, "customerId", "subscriptionId", "buildOrderId", "invoiceId", coalesce(data, '{}'), "businessAt"
    from json_to_recordset(${JSON.stringify(events)}::json) as event (kind text, "customerId" uuid, "subscriptionId" uuid,
      "buildOrderId" uuid, "invoiceId" uuid, data jsonb, "businessAt" timestamptz)`.execute(db)
}
