import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

/** Warnings that customer and operator were given, newest first. */
export async function listUsageWarnings(
  db: Db,
  page: PageRequest & { readonly subscriptionId: string | null },
) {
  const query = onPage(db.selectFrom('usage_warnings').selectAll(), page, 'usage_warnings.id')
  if (page.subscriptionId === null) return await query.execute()
  return await query.where('subscription_id', '=', page.subscriptionId).execute()
}
export type UsageWarningRow = Awaited<ReturnType<typeof listUsageWarnings>>[number]
