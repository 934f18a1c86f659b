import { encodeId } from '#domain/identifier.ts'
import type { Tx } from './database.ts'
import { insertWorkflowSignal } from './outbox.ts'

/** Tells the workflows of an order's subscriptions what became of it, by rows of the caller's transaction. */
export async function tellWorkflows(
  tx: Tx,
  orderId: string,
  signal: 'orderReleased' | 'orderClosed',
): Promise<void> {
  const subscriptions = await tx
    .selectFrom('subscriptions')
    .select('id')
    .where('order_id', '=', orderId)
    .where('phase', '<>', 'ended')
    .orderBy('id')
    .execute()
  for (const { id } of subscriptions) {
    await insertWorkflowSignal(tx, { workflowId: `subscription/${encodeId('subscription', id)}`, signal })
  }
}
