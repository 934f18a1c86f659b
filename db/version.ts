import { sql, type RawBuilder } from 'kysely'
import type { Db } from './database.ts'

/** Of each product the version that orders of a day get: of several from one day, the last that was made. */
export function productVersionsOn(db: Db, on: string) {
  return db
    .selectFrom('product_versions')
    .distinctOn('product_id')
    .selectAll()
    .where((version) => version.or([version('effective_on', 'is', null), version('effective_on', '<=', on)]))
    .orderBy('product_id')
    .orderBy('effective_on', (order) => order.desc().nullsLast())
    .orderBy('version', 'desc')
}

/** The same of kits. */
export function kitVersionsOn(db: Db, on: string) {
  return db
    .selectFrom('kit_versions')
    .distinctOn('kit_id')
    .selectAll()
    .where((version) => version.or([version('effective_on', 'is', null), version('effective_on', '<=', on)]))
    .orderBy('kit_id')
    .orderBy('effective_on', (order) => order.desc().nullsLast())
    .orderBy('version', 'desc')
}

/** What a version of a product builds, of a table or alias that holds one. */
export function applicationIds(version: string): RawBuilder<string[]> {
  const [productId, number] = [sql.ref(`${version}.product_id`), sql.ref(`${version}.version`)]
  return sql<
    string[]
  >`coalesce((select array_agg(application_id::text order by application_id) from product_applications link
    where link.product_id = ${productId} and link.version = ${number}), '{}')`
}
