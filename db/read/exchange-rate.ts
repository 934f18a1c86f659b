import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

export type ExchangeRateRow = Awaited<ReturnType<typeof listExchangeRatePage>>[number]

export async function listExchangeRatePage(db: Db, page: PageRequest) {
  return await onPage(db.selectFrom('exchange_rates as rate').selectAll('rate'), page, 'rate.id').execute()
}

export async function getExchangeRateRow(db: Db, id: string): Promise<ExchangeRateRow> {
  return await db.selectFrom('exchange_rates').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}
