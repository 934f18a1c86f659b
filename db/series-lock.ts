import type { Selectable } from 'kysely'
import type { Tx } from './database.ts'
import type { NumberSeriesTable } from './tables/invoice.ts'

/**
 * Locks series to the end of the transaction, those that have no document yet, too; in the order of their codes, so that two who need
 * several never wait for each other. Peers are locked after series, by everybody.
 */
export async function lockSeries(
  tx: Tx,
  codes: readonly string[],
): Promise<readonly Selectable<NumberSeriesTable>[]> {
  const ordered = [...new Set(codes)].toSorted()
  if (ordered.length === 0) return []
  const read = async () =>
    await tx
      .selectFrom('number_series')
      .selectAll()
      .where('code', 'in', ordered)
      .orderBy('code')
      .forUpdate()
      .execute()
  const rows = await read()
  if (rows.length === ordered.length) return rows
  await tx
    .insertInto('number_series')
    .values(ordered.map((code) => ({ code, last_hash: null, last_issued_on: null })))
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return await read()
}
