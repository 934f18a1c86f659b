import { BusinessError } from '#domain/errors.ts'
import type { Tx } from './database.ts'
import { settleOrderHold } from './order-hold.ts'
import { lockOrder, lockSubscriptionsOf } from './order-lock.ts'

/** What an operator says of an order that waits for it. */
export interface OrderDecision {
  readonly orderId: string
  readonly actor: string
  readonly reason: string | null
  readonly now: string
}

/**
 * Accepts an order, or refuses it: acceptance and review are one decision of a person. An accepted one is built once nothing
 * else is waited for; a refused one ends with nothing built (B-08, B-15).
 * @throws `order_not_held`
 */
export async function decideOrder(
  tx: Tx,
  decision: OrderDecision,
  outcome: 'released' | 'refused',
): Promise<void> {
  await lockSubscriptionsOf(tx, decision.orderId)
  await lockOrder(tx, decision.orderId, decision.now)
  const open = await tx
    .selectFrom('order_holds')
    .select('kind')
    .where('order_id', '=', decision.orderId)
    .where('kind', 'in', ['acceptance', 'review'])
    .where('settled_at', 'is', null)
    .orderBy('kind')
    .execute()
  const [first] = open
  if (first === undefined) throw new BusinessError('order_not_held', 'The order waits for no decision.')
  // The end of an order ends its other holds as well.
  const asked = outcome === 'refused' ? [first] : open
  for (const { kind } of asked) await settleOrderHold(tx, { ...decision, kind, outcome })
}
