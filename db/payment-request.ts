import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'

/** Asks for what is to be paid before the build. It is no invoice: it has no number, and nothing is owed by it. */
export async function insertPaymentRequest(
  tx: Tx,
  request: { orderId: string; currency: string; totalMinor: number; openedAt: string; expiresAt: string },
): Promise<void> {
  await tx
    .insertInto('payment_requests')
    .values({
      id: newId(),
      order_id: request.orderId,
      currency: request.currency,
      total_minor: request.totalMinor,
      opened_at: request.openedAt,
      expires_at: request.expiresAt,
    })
    .execute()
}

/** @throws `not_found` */
export async function getPaymentRequest(tx: Tx, id: string) {
  const row = await tx.selectFrom('payment_requests').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row)
    throw new BusinessError('not_found', `There is no payment request ${encodeId('paymentRequest', id)}.`)
  return row
}

export async function getOrderIdOf(db: Db, paymentRequestId: string): Promise<string> {
  const row = await db
    .selectFrom('payment_requests')
    .select('order_id')
    .where('id', '=', paymentRequestId)
    .executeTakeFirstOrThrow()
  return row.order_id
}

/** No order that came to its end asks for money any more. */
export async function closePaymentRequests(
  tx: Tx,
  orderId: string,
  to: { state: 'expired' | 'closed'; now: string },
): Promise<void> {
  await tx
    .updateTable('payment_requests')
    .set({ state: to.state, settled_at: to.now })
    .where('order_id', '=', orderId)
    .where('state', '=', 'open')
    .execute()
}
