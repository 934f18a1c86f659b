import { moveAnchor } from '#domain/billing-cycle.ts'
import type { Tx } from './database.ts'
import { lockDocumentBetweenPeriods } from './document.ts'
import { insertEvent } from './event.ts'

/**
 * Gives a document another rhythm from its next period on (C-45): that one is a bridge to the first full period. What is in
 * arrears for the days before is billed by the former anchor.
 * @throws `not_found`, `action_not_allowed` for a closed document, and what `moveAnchor` refuses
 */
export async function moveDocumentAnchor(
  tx: Tx,
  documentId: string,
  move: { firstFullOn: string; actor: string },
): Promise<void> {
  const document = await lockDocumentBetweenPeriods(tx, documentId)
  const { next_invoice_on: nextInvoiceOn, next_period_index: nextPeriodIndex } = document
  const interval = { count: document.interval_count, unit: document.interval_unit }
  const moved = moveAnchor({ interval, nextPeriodIndex, nextInvoiceOn }, move.firstFullOn)
  const isMovedAgain = document.anchor_moved_on === nextInvoiceOn
  await tx
    .updateTable('subscription_documents')
    .set({
      billing_cycle_anchor: moved.anchor,
      next_period_index: moved.periodIndex,
      former_anchor: isMovedAgain ? document.former_anchor : document.billing_cycle_anchor,
      anchor_moved_on: nextInvoiceOn,
    })
    .where('id', '=', documentId)
    .execute()
  await insertEvent(tx, {
    kind: 'document.moved',
    customerId: document.customer_id,
    data: { from: nextInvoiceOn, first_full_period_on: move.firstFullOn, actor: move.actor },
  })
}
