import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

/** With how much refers to each: applications whose newest version reads it, and products that bill it. */
function metrics(db: Db) {
  return db
    .selectFrom('metrics')
    .selectAll()
    .select([
      sql<number>`(select count(*)::int from applications application
        join lateral (select definition from application_versions version where version.application_id = application.id
          order by version.version desc limit 1) newest on true
        where newest.definition -> 'metrics' @> jsonb_build_array(jsonb_build_object('code', metrics.code, 'isShared', true)))`.as(
        'application_count',
      ),
      sql<number>`(select count(distinct product_id)::int from product_versions where metric = metrics.code)`.as(
        'product_count',
      ),
    ])
}

export type SharedMetricRow = Awaited<ReturnType<typeof listMetricPage>>[number]

export async function listMetricPage(db: Db, page: PageRequest) {
  return await onPage(metrics(db), page, 'metrics.id').execute()
}

export async function getMetric(db: Db, id: string): Promise<SharedMetricRow> {
  return await metrics(db).where('metrics.id', '=', id).executeTakeFirstOrThrow()
}
