import type { Db } from '../database.ts'

/** How many builds were ordered before this one and are not finished. */
export async function countBuildsAhead(db: Db, buildOrderId: string): Promise<number> {
  const row = await db
    .selectFrom('build_orders')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('state', 'in', ['planned', 'running'])
    .where('id', '<', buildOrderId)
    .executeTakeFirstOrThrow()
  return row.count
}
