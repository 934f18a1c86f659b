import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function charges(db: Db) {
  return db
    .selectFrom('one_off_charges as charge')
    .leftJoin('products as product', 'product.id', 'charge.product_id')
    .selectAll('charge')
    .select('product.code as product_code')
    .select((eb) =>
      eb
        .selectFrom('invoice_lines as line')
        .select('line.invoice_id')
        .whereRef('line.one_off_charge_id', '=', 'charge.id')
        .orderBy('line.revision', 'desc')
        .limit(1)
        .as('invoice_id'),
    )
}

export type OneOffChargeRow = Awaited<ReturnType<typeof listOneOffCharges>>[number]

export async function listOneOffCharges(
  db: Db,
  page: PageRequest & { customerId: string | null; isWaiting: boolean },
) {
  let query = onPage(charges(db), page, 'charge.id')
  if (page.customerId !== null) query = query.where('charge.customer_id', '=', page.customerId)
  if (page.isWaiting) {
    query = query
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
  }
  return await query.execute()
}

export async function getOneOffCharge(db: Db, id: string): Promise<OneOffChargeRow> {
  return await charges(db).where('charge.id', '=', id).executeTakeFirstOrThrow()
}

/** What the seller owes a customer, by currency, and by the clock on which it came about. */
export async function listCustomerBalances(db: Db, customerId: string) {
  return await db
    .selectFrom('customer_balances')
    .selectAll()
    .where('customer_id', '=', customerId)
    .orderBy('currency')
    .orderBy('test_clock_id')
    .execute()
}
