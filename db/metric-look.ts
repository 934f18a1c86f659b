import { sql } from 'kysely'
import type { ApplicationDefinition } from '#domain/application.ts'
import { encodeId } from '#domain/identifier.ts'
import { isDue } from '#domain/sampling-tick.ts'
import type { Db } from './database.ts'

interface Readable {
  readonly id: string
  readonly serverId: string
  readonly definition: ApplicationDefinition
}

/** What is read of an instance now. */
export interface DueReading<Instance> {
  /** With the metrics alone that are read now. */
  readonly instance: Instance
  /** Of these, those with an interval of their own. */
  readonly timed: readonly string[]
  /** Those that are not read now. */
  readonly unread: readonly string[]
}

/**
 * What is read of instances now: at a tick all metrics without an interval of their own, and always those whose interval is over.
 * Instances of which nothing is read are left out.
 */
export async function listDue<Instance extends Readable>(
  db: Db,
  instances: readonly Instance[],
  at: { readonly nowMs: number; readonly isTick: boolean },
): Promise<DueReading<Instance>[]> {
  const timed = instances.filter(({ definition }) => timedOf(definition).length > 0)
  const looks = await readLooks(
    db,
    timed.map(({ id }) => id),
  )
  return instances.flatMap((instance) => {
    const { id, serverId, definition } = instance
    const all = definition.metrics
    if (at.isTick && timedOf(definition).length === 0) return { instance, timed: [], unread: [] }
    const due = all.filter(({ code, intervalS }) =>
      intervalS === undefined
        ? at.isTick
        : isDue({
            serverId: encodeId('server', serverId),
            intervalMs: intervalS * 1_000,
            lookedAtMs: looks.get(`${id} ${code}`),
            nowMs: at.nowMs,
          }),
    )
    if (due.length === 0) return []
    return {
      instance: { ...instance, definition: { ...definition, metrics: due } },
      timed: timedOf({ metrics: due }),
      unread: all.filter((metric) => !due.includes(metric)).map(({ code }) => code),
    }
  })
}

function timedOf({ metrics }: Pick<ApplicationDefinition, 'metrics'>): string[] {
  return metrics.filter(({ intervalS }) => intervalS !== undefined).map(({ code }) => code)
}

/** In ms since 1970, by instance and metric. */
async function readLooks(db: Db, instanceIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (instanceIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('metric_looks')
    .selectAll()
    .where('instance_id', '=', sql<string>`any(${instanceIds}::uuid[])`)
    .execute()
  return new Map(rows.map((row) => [`${row.instance_id} ${row.metric}`, Date.parse(row.looked_at)]))
}

/** Notes that metrics were looked at, whatever came of it: one that fails is not asked more often than one that answers. */
export async function noteLooks(
  db: Db,
  of: { readonly instanceId: string; readonly metrics: readonly string[]; readonly lookedAtMs: number },
): Promise<void> {
  if (of.metrics.length === 0) return
  await sql`
    insert into metric_looks as known (instance_id, metric, looked_at)
    select ${of.instanceId}, given.metric, ${new Date(of.lookedAtMs).toISOString()}::timestamptz
    from unnest(${of.metrics}::text[]) as given (metric)
    on conflict (instance_id, metric) do update set looked_at = greatest(known.looked_at, excluded.looked_at)`.execute(
    db,
  )
}
