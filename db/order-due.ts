import { sql } from 'kysely'
import { activateSubscription } from './activation.ts'
import { billOpening } from './billing.ts'
import type { Tx } from './database.ts'
import { inVain } from './in-vain.ts'

/**
 * What the first invoices of subscriptions come to, with tax, were they active at this instant: they are made by the
 * functions that make them, and taken back. Nothing is kept, no number is used up.
 * @throws what the first invoices would be refused with
 */
export async function foreseeDue(tx: Tx, subscriptionIds: readonly string[], now: string): Promise<number> {
  if (subscriptionIds.length === 0) return 0
  return await inVain(tx, async (vain) => {
    for (const subscriptionId of subscriptionIds) await activateSubscription(vain, subscriptionId, now)
    for (const subscriptionId of subscriptionIds) await billOpening(vain, subscriptionId, now)
    const { rows } = await sql<{ due_minor: number }>`
      select coalesce(sum(total_minor), 0)::bigint as due_minor from invoices
      where kind = 'invoice' and id in (
        select invoice_id from invoice_lines where subscription_id = any(${subscriptionIds}::uuid[]))`.execute(
      vain,
    )
    return rows[0]?.due_minor ?? 0
  })
}
