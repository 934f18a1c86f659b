import { sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import { encodeId } from '#domain/identifier.ts'
import type { InstanceState } from '#domain/instance.ts'
import { spendLimit } from '#domain/limit-hold.ts'
import { untilNextTickMs } from '#domain/sampling-tick.ts'
import type { Db } from '../database.ts'
import { readingBefore } from '../stored-reading.ts'
import { onPage, type PageRequest } from './page.ts'

/** Which version of which application has the icon. */
interface IconOf {
  readonly application: string
  readonly version: number
}

function instances(db: Db) {
  return db
    .selectFrom('instances as instance')
    .innerJoin('application_versions as version', 'version.id', 'instance.application_version_id')
    .innerJoin('applications as application', 'application.id', 'version.application_id')
    .innerJoin('servers as server', 'server.id', 'instance.server_id')
    .innerJoin('environments as environment', 'environment.id', 'instance.environment_id')
    .selectAll('instance')
    .select([
      'application.code as application_code',
      'application.title as application_title',
      'version.version as application_version',
      'server.code as server_code',
      'environment.prefix as environment_prefix',
      'environment.name as environment_name',
      sql<IconOf | null>`case when version.icon is not null
        then json_build_object('application', application.id, 'version', version.version) end`.as('icon'),
      sql<string | null>`version.definition->>'notice'`.as('notice'),
      sql<
        string | null
      >`(select parent.name from instances parent where parent.id = instance.parent_instance_id)`.as(
        'parent_name',
      ),
    ])
    .select((instance) => [
      jsonArrayFrom(
        instance
          .selectFrom('limits as limit')
          .select([
            'limit.code',
            sql<string>`"limit".sold_quantity::text`.as('sold_quantity'),
            sql<string | null>`"limit".in_force_quantity::text`.as('in_force_quantity'),
            sql<string | null>`"limit".used_quantity::text`.as('used_quantity'),
            'limit.unit',
            'limit.enforcement',
            'limit.reached_at',
            'limit.hold',
            'limit.held_at',
            'limit.hold_failure',
          ])
          .whereRef('limit.instance_id', '=', 'instance.id')
          // What usage may cost is a limit of nothing while no cap stops.
          .where((limit) =>
            limit.or([limit('limit.code', '<>', spendLimit), limit('limit.reached_at', 'is not', null)]),
          )
          .orderBy('limit.code'),
      ).as('limits'),
      jsonArrayFrom(
        instance
          .selectFrom('instances as part')
          .select(['part.id', 'part.name', 'part.display_name', 'part.state', 'part.observed_state'])
          .whereRef('part.parent_instance_id', '=', 'instance.id')
          .orderBy('part.sequence')
          .orderBy('part.id'),
      ).as('parts'),
      jsonArrayFrom(
        instance
          .selectFrom('instance_images as image')
          .select((image) => [
            'image.service',
            'image.reference',
            image.fn.coalesce('image.repository_digest', 'image.image_id').as('digest'),
            'image.image_id',
          ])
          .whereRef('image.instance_id', '=', 'instance.id')
          .orderBy('image.service'),
      ).as('images'),
      jsonArrayFrom(
        instance
          .selectFrom('resources as resource')
          .select(['resource.kind', 'resource.name', 'resource.component', 'resource.external_id'])
          .whereRef('resource.instance_id', '=', 'instance.id')
          .where('resource.removed_at', 'is', null)
          .orderBy('resource.made_at'),
      ).as('resources'),
    ])
}

export type InstanceRow = Awaited<ReturnType<typeof listInstances>>[number]

/** Of a server, those that are there: what is destroyed is not. */
export async function listInstances(
  db: Db,
  page: PageRequest & {
    subscriptionId: string | null
    serverId: string | null
    state?: InstanceState | null
  },
) {
  let query = onPage(instances(db), page, 'instance.id')
  if (page.subscriptionId !== null) query = query.where('instance.subscription_id', '=', page.subscriptionId)
  const { state = null } = page
  if (state !== null) query = query.where('instance.state', '=', state)
  if (page.serverId !== null)
    query = query.where('instance.server_id', '=', page.serverId).where('instance.destroyed_at', 'is', null)
  return await query.execute()
}

export async function listInstancesOf(db: Db, subscriptionId: string): Promise<InstanceRow[]> {
  return await instances(db)
    .where('instance.subscription_id', '=', subscriptionId)
    .orderBy('instance.sequence')
    .execute()
}

export async function getInstance(db: Db, id: string): Promise<InstanceRow> {
  return await instances(db).where('instance.id', '=', id).executeTakeFirstOrThrow()
}

/** The log of limit commands, newest first: what was sent, what was answered, what was read back. */
export async function listLimitCommands(db: Db, instanceId: string) {
  return await db
    .selectFrom('limit_commands')
    .selectAll()
    .where('instance_id', '=', instanceId)
    .orderBy('sent_at', 'desc')
    .limit(100)
    .execute()
}
export type LimitCommandRow = Awaited<ReturnType<typeof listLimitCommands>>[number]

/** What each metric of an instance was at last, when it is read next, and since when it cannot be, by its code. */
export async function listMetricStates(db: Db, instanceId: string) {
  const { rows } = await sql<{
    metric: string
    value: string | null
    unit: string | null
    read_at: string | null
    failing_since: string | null
    failure: string | null
    failure_code: string | null
    interval_seconds: number
    server_id: string
    is_read: boolean
    now: string
  }>`
    with metric as (
      select value->>'code' as code, instances.server_id,
        coalesce((value->>'intervalS')::integer, (select sampling_interval_seconds from installation)) as interval_seconds,
        instances.state in ('running', 'limited') and subscription.phase = 'active' as is_read
      from instances join subscriptions subscription on subscription.id = instances.subscription_id
        join application_versions version on version.id = instances.application_version_id,
        jsonb_array_elements(version.definition->'metrics')
      where instances.id = ${instanceId}
    ), newest as (
      select series.metric, series.unit, read.value, read.read_at,
        rank() over (partition by series.metric order by read.sampled_at desc) as age
      from reading_series series
      cross join lateral (${readingBefore(sql`series.id`, sql`'infinity'::timestamptz`)}) read
      where series.instance_id = ${instanceId}
    )
    select metric.code as metric, last.value, last.unit, last.read_at, failed.failing_since, failed.detail as failure, failed.code as failure_code,
      metric.interval_seconds, metric.server_id, metric.is_read, now() as now
    from metric
    left join lateral (
      select sum(value)::text as value, min(unit) as unit, max(read_at) as read_at
      from newest where newest.metric = metric.code and age = 1
      having count(*) > 0
    ) last on true
    left join metric_failures failed on failed.instance_id = ${instanceId} and failed.metric in (metric.code, 'all')
    order by metric.code`.execute(db)
  return rows.map(({ server_id: serverId, is_read: isRead, now, ...row }) => {
    const intervalMs = row.interval_seconds * 1_000
    const nowMs = Date.parse(now)
    const nextMs = nowMs + untilNextTickMs({ serverId: encodeId('server', serverId), intervalMs, nowMs })
    return { ...row, next_reading_at: isRead ? new Date(nextMs).toISOString() : null }
  })
}
export type MetricStateRow = Awaited<ReturnType<typeof listMetricStates>>[number]
