import { sql } from 'kysely'
import type { OneOffCharge } from '#domain/invoice/lines.ts'
import type { Db } from './database.ts'

export interface WaitingCharge {
  readonly charge: OneOffCharge
  readonly customerId: string
  readonly testClockId: string | null
  readonly currency: string
}

/**
 * One-offs that wait for the customers' next documents, oldest first. Those that another bill has in hand at this moment are
 * passed by: that one bills them, and the database lets none stand on two.
 */
export async function readWaitingCharges(
  db: Db,
  customerIds: readonly string[],
  { isLocked }: { isLocked: boolean },
): Promise<WaitingCharge[]> {
  if (customerIds.length === 0) return []
  const query = db
    .selectFrom('one_off_charges as charge')
    .selectAll('charge')
    .where('charge.customer_id', '=', sql<string>`any(${customerIds}::uuid[])`)
    .where('charge.withdrawn_at', 'is', null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('invoice_lines')
            .select('invoice_lines.id')
            .whereRef('invoice_lines.one_off_charge_id', '=', 'charge.id'),
        ),
      ),
    )
    .orderBy('charge.id')
  const rows = await (isLocked ? query.forNoKeyUpdate('charge').skipLocked() : query).execute()
  return rows.map((row) => ({
    charge: {
      id: row.id,
      subscriptionId: row.subscription_id,
      productId: row.product_id,
      description: row.description,
      quantity: row.quantity,
      unit: row.unit,
      price: row.price,
      taxCategory: row.tax_category,
      chargedOn: row.charged_on,
    },
    customerId: row.customer_id,
    testClockId: row.test_clock_id,
    currency: row.currency,
  }))
}
