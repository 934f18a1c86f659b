import { BusinessError, fieldError } from '#domain/errors.ts'
import { mailVerificationDays } from '#domain/order-hold.ts'
import type { Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { newId } from './identifier.ts'
import { settleOrderHold } from './order-hold.ts'

/**
 * Keeps that a token was issued for the mail address that a customer has now. Only its hash is kept.
 * @throws `field_required` where there is no address to verify
 */
export async function insertMailVerification(
  tx: Tx,
  verification: { customerId: string; tokenSha256: Buffer; now: string },
): Promise<{ email: string; expiresAt: string }> {
  const { customerId, tokenSha256, now } = verification
  const { email } = await tx
    .selectFrom('customers')
    .select('email')
    .where('id', '=', customerId)
    .executeTakeFirstOrThrow()
  if (email === null) throw fieldError('/email', 'field_required', 'The customer has no mail address.')
  const expiresAt = new Date(Date.parse(now) + mailVerificationDays * 86_400_000).toISOString()
  await tx
    .insertInto('mail_verifications')
    .values({ id: newId(), customer_id: customerId, email, token_sha256: tokenSha256, expires_at: expiresAt })
    .execute()
  return { email, expiresAt }
}

/**
 * Takes a token, once: the customer's address is known to be its own, and no order of the customer waits for that any more.
 * @throws `verification_invalid` for one that was used, has expired, or was for another address
 */
export async function verifyMail(
  tx: Tx,
  { tokenSha256, actor, now }: { tokenSha256: Buffer; actor: string; now: string },
): Promise<{ customerId: string }> {
  const used = await tx
    .updateTable('mail_verifications')
    .set({ used_at: now })
    .where('token_sha256', '=', tokenSha256)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returning(['customer_id', 'email'])
    .executeTakeFirst()
  const customer =
    used &&
    (await tx
      .updateTable('customers')
      .set({ mail_verified_at: now })
      .where('id', '=', used.customer_id)
      .where('email', '=', used.email)
      .returning('id')
      .executeTakeFirst())
  if (!customer) throw new BusinessError('verification_invalid', 'Nothing was verified.')
  await insertEvent(tx, {
    kind: 'customer.mail_verified',
    customerId: customer.id,
    businessAt: now,
    data: { actor },
  })
  await releaseOrders(tx, customer.id, { actor, now })
  return { customerId: customer.id }
}

/** One that is overdue by its own time ends by itself. */
async function releaseOrders(
  tx: Tx,
  customerId: string,
  { actor, now }: { actor: string; now: string },
): Promise<void> {
  const held = await tx
    .selectFrom('order_holds as hold')
    .innerJoin('orders as order', 'order.id', 'hold.order_id')
    .leftJoin('test_clocks as clock', 'clock.id', 'order.test_clock_id')
    .select('order.id')
    .where('order.customer_id', '=', customerId)
    .where('hold.kind', '=', 'mail_verification')
    .where('hold.settled_at', 'is', null)
    .where((eb) => eb('hold.expires_at', '>', eb.fn.coalesce('clock.now_at', eb.val(now))))
    .orderBy('order.id')
    .execute()
  for (const { id } of held) {
    await settleOrderHold(tx, {
      orderId: id,
      kind: 'mail_verification',
      outcome: 'released',
      actor,
      reason: null,
      now,
    })
  }
}
