import type { Db } from '#db/database.ts'

/** `5 odoo-user from 2026-04-01 to 2026-04-10`, in order; lines without a day of service are left out. */
export async function listServedLines(db: Db, subscriptionId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('subscription_lines')
    .innerJoin('products', 'products.id', 'product_id')
    .select(['quantity', 'code', 'starts_on', 'ends_on'])
    .where('subscription_id', '=', subscriptionId)
    .where((eb) => eb.or([eb('ends_on', 'is', null), eb('ends_on', '>', eb.ref('starts_on'))]))
    .orderBy('starts_on')
    .orderBy('subscription_lines.position')
    .orderBy('subscription_lines.id')
    .execute()
  return rows.map((row) => `${row.quantity} ${row.code} from ${row.starts_on} to ${row.ends_on ?? 'open'}`)
}
