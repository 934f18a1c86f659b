import { changeSubscription } from '#db/plan.ts'
import type { AskedPlan } from '#domain/change.ts'
import { listDocumentIds } from './invoices.ts'
import type { Seller } from './seller.ts'

/** Five users at 1.00 a month from 1 April 2026 on, billed in advance, by a clock of their own. */
export async function sellUsers(seller: Seller, product = 'odoo-user') {
  const now = '2026-04-01T08:00:00Z'
  const testClockId = await seller.clock(now)
  const subscriptionId = await seller.sell({ product, quantity: '5', testClockId, now })
  const { id: subscriptionLineId } = await seller.db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionId)
  const command = (requestId: string, day: string) => ({
    subscriptionId,
    requestId,
    actor: 'test',
    now: `${day}T12:00:00Z`,
  })
  const change = async (requestId: string, day: string, plan: AskedPlan) =>
    await changeSubscription(seller.db, command(requestId, day), { subscriptionLineId, ...plan })
  return { subscriptionId, subscriptionLineId, documentId, command, change }
}
