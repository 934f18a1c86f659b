import { sql } from 'kysely'
import type { Db } from './database.ts'
import { refuseTakenExternalId } from './unique.ts'

const tables = {
  customer: 'customers',
  order: 'orders',
  product: 'products',
  subscription: 'subscriptions',
} as const

/** Kinds that other systems know by an id of their own, unique per kind. */
export type ExternalKind = keyof typeof tables

export function isExternalKind(kind: string): kind is ExternalKind {
  return Object.hasOwn(tables, kind)
}

export async function findIdByExternalId(
  db: Db,
  kind: ExternalKind,
  externalId: string,
): Promise<string | undefined> {
  const query = db.selectFrom(tables[kind]).select('id').where('external_id', '=', externalId)
  return (await query.executeTakeFirst())?.id
}

/** Of any number, by external id; those that stand for nothing are left out. */
export async function findIdsByExternalIds(
  db: Db,
  kind: ExternalKind,
  externalIds: readonly string[],
): Promise<Map<string, string>> {
  if (externalIds.length === 0) return new Map()
  const rows = await db
    .selectFrom(tables[kind])
    .select(['id', 'external_id'])
    .where('external_id', '=', sql<string>`any(${externalIds}::text[])`)
    .execute()
  return new Map(rows.flatMap((row) => (row.external_id === null ? [] : [[row.external_id, row.id]])))
}

/** Undefined leaves it as it is, null takes it away. @throws `external_id_taken` */
export async function setExternalId(
  db: Db,
  kind: ExternalKind,
  given: { id: string; externalId: string | null | undefined; pointer?: string },
): Promise<void> {
  const { id, externalId, pointer = '/external_id' } = given
  if (externalId === undefined) return
  await refuseTakenExternalId(externalId, pointer, async () =>
    db.updateTable(tables[kind]).set({ external_id: externalId }).where('id', '=', id).execute(),
  )
}
