import { sql } from 'kysely'
import { fieldError } from '#domain/errors.ts'
import { pushedSource, type SharedMetric } from '#domain/shared-metric.ts'
import { checkConvertible } from '#domain/unit.ts'
import type { Db } from './database.ts'
import { newId } from './identifier.ts'
import { refuseTakenCode } from './unique.ts'

type MetricRow = Awaited<ReturnType<ReturnType<typeof metrics>['execute']>>[number]

function metrics(db: Db) {
  return db.selectFrom('metrics').selectAll()
}

export function toSharedMetric(row: MetricRow): SharedMetric {
  return {
    code: row.code,
    title: row.title,
    unit: row.unit,
    kind: row.kind,
    aggregation: row.aggregation,
    ...(row.percent === null ? {} : { percent: Number(row.percent) }),
    ...(row.bucket_seconds === null ? {} : { bucketSeconds: row.bucket_seconds }),
    ...(row.rounding === null ? {} : { rounding: row.rounding }),
    level: row.level,
    sourceType: row.source_type,
    needsHistory: row.needs_history,
  }
}

/** All that are defined, archived ones too: what names one goes on with it. */
export async function listSharedMetrics(db: Db): Promise<SharedMetric[]> {
  return (await metrics(db).orderBy('code').execute()).map(toSharedMetric)
}

/** Those that no application reads. */
export async function listPushedMetrics(db: Db): Promise<SharedMetric[]> {
  return (await metrics(db).where('source_type', '=', pushedSource).execute()).map(toSharedMetric)
}

export async function findSharedMetric(db: Db, code: string): Promise<SharedMetric | undefined> {
  const row = await metrics(db).where('code', '=', code).executeTakeFirst()
  return row && toSharedMetric(row)
}

/**
 * Defines a metric. Products may bill amounts that were pushed under its code before: to them it may not come to mean another thing.
 * @throws `code_taken`
 */
export async function insertSharedMetric(tx: Db, metric: SharedMetric): Promise<string> {
  const id = newId()
  await refuseTakenCode(metric.code, async () =>
    tx
      .insertInto('metrics')
      .values({
        id,
        code: metric.code,
        title: metric.title,
        unit: metric.unit,
        kind: metric.kind,
        aggregation: metric.aggregation,
        percent: metric.percent === undefined ? null : String(metric.percent),
        bucket_seconds: metric.bucketSeconds ?? null,
        rounding: metric.rounding === undefined ? null : JSON.stringify(metric.rounding),
        level: metric.level,
        source_type: metric.sourceType,
        needs_history: metric.needsHistory,
        archived_at: null,
      })
      .execute(),
  )
  await refuseOtherMeaning(tx, metric)
  return id
}

async function refuseOtherMeaning(tx: Db, metric: SharedMetric): Promise<void> {
  const { rows: pushed } = await sql<{ unit: string }>`
    select distinct version.unit from product_versions version
    where version.metric = ${metric.code} and not exists (select from product_applications built
      where built.product_id = version.product_id and built.version = version.version)`.execute(tx)
  const isSum = metric.kind === 'event' && metric.aggregation === 'sum' && metric.rounding === undefined
  if (pushed.every(({ unit }) => isSum && isConvertible(metric.unit, unit))) return
  const detail = `Products bill ${metric.code} already, as the sum of what is pushed in ${pushed.map(({ unit }) => unit).join(', ')}. Choose another code.`
  throw fieldError('/code', 'code_taken', detail)
}

function isConvertible(from: string, to: string): boolean {
  try {
    checkConvertible(from, to)
    return true
  } catch {
    return false
  }
}

/**
 * Refuses what is named anew and is archived; what named it before goes on with it.
 * @param pointer of the field that names it
 * @throws `metric_archived`
 */
export async function refuseArchivedMetrics(
  db: Db,
  codes: readonly string[],
  pointer: string,
): Promise<void> {
  if (codes.length === 0) return
  const archived = await metrics(db)
    .where('code', '=', sql<string>`any(${codes}::text[])`)
    .where('archived_at', 'is not', null)
    .executeTakeFirst()
  if (archived)
    throw fieldError(pointer, 'metric_archived', `${archived.code} is archived: nothing new names it.`)
}

/** What people read of it changes; what it measures never does. */
export async function retitleMetric(tx: Db, id: string, title: string): Promise<void> {
  await tx.updateTable('metrics').set({ title }).where('id', '=', id).execute()
}
