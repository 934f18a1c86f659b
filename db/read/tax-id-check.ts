import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

export type TaxIdCheckRow = Awaited<ReturnType<typeof listTaxIdChecks>>[number]

export async function listTaxIdChecks(db: Db, page: PageRequest & { customerId: string }) {
  return await onPage(db.selectFrom('tax_id_checks as answer').selectAll('answer'), page, 'answer.id')
    .where('answer.customer_id', '=', page.customerId)
    .execute()
}
