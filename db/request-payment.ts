import { BusinessError } from '#domain/errors.ts'
import { formatMoney } from '#domain/money.ts'
import { changeBalance } from './balance-movement.ts'
import type { Tx } from './database.ts'
import { settleOrderHold } from './order-hold.ts'
import { readPayerId } from './payer.ts'
import { lockOrder, lockSubscriptionsOf } from './order-lock.ts'
import { getPaymentRequest } from './payment-request.ts'

export interface RequestPayment {
  readonly paymentRequestId: string
  readonly amountMinor: number
  readonly currency: string
  /** As the bank statement has it. */
  readonly reference: string | null
  readonly actor: string
  readonly now: string
}

/**
 * Records the money of a request: it becomes balance of whoever pays for the customer, which settles the first invoice at activation, and the
 * order waits for it no more (B-10). It is all or nothing: a part is not worth a build.
 * @throws `not_found`, `payment_request_closed`, `currency_mismatch`, `payment_not_as_requested`
 */
export async function recordRequestPayment(tx: Tx, payment: RequestPayment): Promise<void> {
  const { order_id: orderId } = await getPaymentRequest(tx, payment.paymentRequestId)
  await lockSubscriptionsOf(tx, orderId)
  const order = await lockOrder(tx, orderId, payment.now)
  const request = await getPaymentRequest(tx, payment.paymentRequestId)
  const isLate = Date.parse(request.expires_at) <= Date.parse(order.nowAt)
  if (request.state !== 'open' || isLate) {
    const state = request.state === 'open' ? 'expired' : request.state
    throw new BusinessError(
      'payment_request_closed',
      `The payment request is ${state}; nothing was recorded.`,
    )
  }
  if (payment.currency !== request.currency) {
    throw new BusinessError('currency_mismatch', `It is to be paid in ${request.currency}.`)
  }
  if (payment.amountMinor !== request.total_minor) {
    const asked = formatMoney(request.total_minor, request.currency)
    throw new BusinessError('payment_not_as_requested', `${asked} was asked for, all of it at once.`)
  }
  await tx
    .updateTable('payment_requests')
    .set({ state: 'paid', settled_at: order.nowAt })
    .where('id', '=', request.id)
    .execute()
  await settleOrderHold(tx, {
    orderId,
    kind: 'payment',
    outcome: 'released',
    actor: payment.actor,
    reason: `${formatMoney(payment.amountMinor, request.currency)} received`,
    now: payment.now,
  })
  await changeBalance(tx, {
    // Whoever pays for the customer now is who sent it, and whose invoice it will pay.
    customerId: await readPayerId(tx, order.customer_id),
    currency: request.currency,
    testClockId: order.test_clock_id,
    kind: 'payment',
    amountMinor: payment.amountMinor,
    paymentRequestId: request.id,
    reference: payment.reference,
    actor: payment.actor,
    recordedAt: order.nowAt,
  })
}
