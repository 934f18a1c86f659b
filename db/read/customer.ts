import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function customers(db: Db) {
  return db
    .selectFrom('customers as customer')
    .leftJoin('price_lists as list', 'list.id', 'customer.price_list_id')
    .leftJoin('customers as payer', 'payer.id', 'customer.payer_id')
    .selectAll('customer')
    .select('payer.code as payer_code')
    .select('list.code as price_list_code')
}

export type CustomerRow = Awaited<ReturnType<typeof listCustomers>>[number]

export async function listCustomers(db: Db, page: PageRequest) {
  return await onPage(customers(db), page, 'customer.id').execute()
}

export async function getCustomer(db: Db, id: string): Promise<CustomerRow> {
  return await customers(db).where('customer.id', '=', id).executeTakeFirstOrThrow()
}
