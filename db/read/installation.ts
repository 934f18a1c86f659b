import type { Db } from '../database.ts'

export interface Installation {
  readonly id: string
  readonly sellerName: string
  readonly currency: string
  readonly timeZone: string
  readonly settlementWindowMs: number
}

/** The one installation: its id, who sells, and what a new customer gets when its request leaves it out. */
export async function getInstallation(db: Db): Promise<Installation> {
  const row = await db
    .selectFrom('installation')
    .select(['id', 'seller', 'currency', 'time_zone', 'settlement_window_seconds'])
    .executeTakeFirstOrThrow()
  return {
    id: row.id,
    sellerName: row.seller.name,
    currency: row.currency,
    timeZone: row.time_zone,
    settlementWindowMs: row.settlement_window_seconds * 1_000,
  }
}
