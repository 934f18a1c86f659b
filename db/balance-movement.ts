import { sql } from 'kysely'
import { BusinessError } from '#domain/errors.ts'
import { formatMoney } from '#domain/money.ts'
import type { Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { newId } from './identifier.ts'
import { lockOrder } from './order-lock.ts'
import { readSeller } from './seller.ts'
import { closeTasks, openTask } from './task.ts'

export interface BalanceMovement {
  readonly customerId: string
  readonly currency: string
  readonly testClockId: string | null
  readonly kind: 'payment' | 'refund'
  /** Above 0 what came in, below 0 what goes back. */
  readonly amountMinor: number
  readonly paymentRequestId: string
  readonly reference: string | null
  readonly actor: string
  readonly recordedAt: string
}

/** Money that comes in without an invoice, or goes back: the movement and the balance are written together. */
export async function changeBalance(tx: Tx, movement: BalanceMovement): Promise<void> {
  await tx
    .insertInto('balance_movements')
    .values({
      id: newId(),
      customer_id: movement.customerId,
      currency: movement.currency,
      test_clock_id: movement.testClockId,
      kind: movement.kind,
      amount_minor: movement.amountMinor,
      payment_request_id: movement.paymentRequestId,
      reference: movement.reference,
      actor: movement.actor,
      recorded_at: movement.recordedAt,
    })
    .execute()
  if (movement.amountMinor < 0) {
    await tx
      .updateTable('customer_balances')
      .set({ amount_minor: sql<number>`amount_minor + ${movement.amountMinor}` })
      .where('customer_id', '=', movement.customerId)
      .where('currency', '=', movement.currency)
      .where('test_clock_id', 'is not distinct from', movement.testClockId)
      .execute()
    return
  }
  await sql`
    insert into customer_balances (customer_id, currency, test_clock_id, amount_minor)
    values (${movement.customerId}, ${movement.currency}, ${movement.testClockId}, ${movement.amountMinor})
    on conflict (customer_id, currency, test_clock_id)
      do update set amount_minor = customer_balances.amount_minor + excluded.amount_minor`.execute(tx)
}

/**
 * Nothing of a paid order was ever active: by the seller's setting its money stays as balance, or is to be refunded, with a
 * task for who sends it (B-10). What another invoice has used meanwhile is not there to go back. The order is locked.
 */
export async function giveBackPayment(tx: Tx, orderId: string, now: string): Promise<void> {
  const { unbuiltPayments } = await readSeller(tx)
  if (unbuiltPayments === 'balance') return
  const order = await lockOrder(tx, orderId, now)
  const request = await tx
    .selectFrom('payment_requests as request')
    .selectAll('request')
    .where('order_id', '=', orderId)
    .where('state', '=', 'paid')
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('balance_movements')
            .select('id')
            .whereRef('payment_request_id', '=', 'request.id')
            .where('kind', '=', 'refund'),
        ),
      ),
    )
    .executeTakeFirst()
  if (!request) return
  // Back to whoever sent it, whoever pays now.
  const { customer_id: customerId } = await tx
    .selectFrom('balance_movements')
    .select('customer_id')
    .where('payment_request_id', '=', request.id)
    .where('kind', '=', 'payment')
    .executeTakeFirstOrThrow()
  const place = { customerId, currency: request.currency, testClockId: order.test_clock_id }
  const amountMinor = Math.min(request.total_minor, await lockBalance(tx, place))
  if (amountMinor <= 0) return
  await changeBalance(tx, {
    ...place,
    kind: 'refund',
    amountMinor: -amountMinor,
    paymentRequestId: request.id,
    reference: null,
    actor: 'Clouder',
    recordedAt: order.nowAt,
  })
  const amount = formatMoney(amountMinor, request.currency)
  await openTask(tx, {
    kind: 'refund_due',
    subjectKind: 'order',
    subjectId: orderId,
    subject: `${amount} to be refunded`,
    detail: `The order was paid and never built. Send ${amount} back, then record that it was sent.`,
  })
  await insertEvent(tx, {
    kind: 'payment.to_be_refunded',
    customerId: order.customer_id,
    businessAt: order.nowAt,
    data: { amount_minor: amountMinor, currency: request.currency },
  })
}

async function lockBalance(
  tx: Tx,
  place: Pick<BalanceMovement, 'customerId' | 'currency' | 'testClockId'>,
): Promise<number> {
  const row = await tx
    .selectFrom('customer_balances')
    .select('amount_minor')
    .where('customer_id', '=', place.customerId)
    .where('currency', '=', place.currency)
    .where('test_clock_id', 'is not distinct from', place.testClockId)
    .forUpdate()
    .executeTakeFirst()
  return row?.amount_minor ?? 0
}

/**
 * Records that the money of an order was sent back. Of two at once the second is refused.
 * @throws `no_refund_due`
 */
export async function recordRefundSent(
  tx: Tx,
  refund: { orderId: string; reference: string | null; actor: string; now: string },
): Promise<void> {
  const { orderId, reference, actor } = refund
  const order = await lockOrder(tx, orderId, refund.now)
  const sent = await tx
    .updateTable('balance_movements')
    .set({ sent_at: order.nowAt, reference })
    .where('kind', '=', 'refund')
    .where('sent_at', 'is', null)
    .where('payment_request_id', 'in', (request) =>
      request.selectFrom('payment_requests').select('id').where('order_id', '=', orderId),
    )
    .returning(['amount_minor', 'currency'])
    .executeTakeFirst()
  if (!sent) throw new BusinessError('no_refund_due', 'Nothing of this order waits to be sent back.')
  await closeTasks(tx, { kind: 'order', id: orderId, reason: 'sent' }, ['refund_due'])
  await insertEvent(tx, {
    kind: 'payment.refunded',
    customerId: order.customer_id,
    businessAt: order.nowAt,
    data: { amount_minor: -sent.amount_minor, currency: sent.currency, actor },
  })
}
