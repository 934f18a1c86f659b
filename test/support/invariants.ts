import assert from 'node:assert/strict'
import { sql } from 'kysely'
import type { Db } from '#db/database.ts'
import { findBrokenHashes } from './invariants/hashes.ts'
import type { Invariant } from './invariants/invariant.ts'
import { moneyInvariants } from './invariants/money.ts'
import { periodInvariants } from './invariants/periods.ts'
import { reservationInvariants } from './invariants/reservations.ts'
import { seriesInvariants } from './invariants/series.ts'
import { settlementInvariants } from './invariants/settlement.ts'
import { usageInvariants } from './invariants/usage.ts'

/** What must never be, whatever happened: each query returns no row. */
export const invariants: readonly Invariant[] = [
  ...periodInvariants,
  ...usageInvariants,
  ...moneyInvariants,
  ...settlementInvariants,
  ...seriesInvariants,
  ...reservationInvariants,
]

export const contentIsHashed =
  'does a document hold something else than what was hashed when it was finalized'

/** What a query finds, one text a breach. */
export async function findBreaches(db: Db, { query }: Invariant): Promise<string[]> {
  const { rows } = await sql.raw<{ found: string }>(query).execute(db)
  return rows.map(({ found }) => found)
}

/** Fails with all that is wrong in the database, by what must never be. */
export async function assertInvariants(db: Db, { isUnderWay = false } = {}): Promise<void> {
  const broken: Record<string, string[]> = {}
  for (const invariant of invariants) {
    if (isUnderWay && invariant.isOfSettledBooks) continue
    const found = await findBreaches(db, invariant)
    if (found.length > 0) broken[`never ${invariant.never}`] = found.slice(0, 5)
  }
  const changed = await findBrokenHashes(db)
  if (changed.length > 0) broken[`never ${contentIsHashed}`] = changed.slice(0, 5)
  assert.deepEqual(broken, {})
}
