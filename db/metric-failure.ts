import { sql } from 'kysely'
import type { MetricFailure } from '#domain/runner.ts'
import type { Db } from './database.ts'
import { closeTasks, openTask } from './task.ts'

/** What one look at the metrics of an instance gave. */
export interface MetricLook {
  readonly instanceId: string
  readonly instanceName: string
  readonly subscriptionId: string
  readonly failures: readonly MetricFailure[]
  /** Metrics of the instance that this look left out: what is known of them stays. */
  readonly unread?: readonly string[]
  readonly now: string
}

/** Those of the instances that something could not be read of when they were looked at last. */
export async function listFailingInstances(
  db: Db,
  instanceIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('metric_failures')
    .select('instance_id')
    .where('instance_id', '=', sql<string>`any(${instanceIds}::uuid[])`)
    .execute()
  return new Set(rows.map((row) => row.instance_id))
}

/** A look that fails once may have met a restart. */
const failuresUntilTask = 3

/**
 * Keeps what could not be read of an instance, and forgets what could be again. A metric that failed three times in a row has
 * one task, which is closed when everything of the subscription's instances is read again.
 */
export async function noteMetricLook(db: Db, look: MetricLook): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const metrics = look.failures.map(({ metric }) => metric)
    const { numDeletedRows: settled } = await tx
      .deleteFrom('metric_failures')
      .where('instance_id', '=', look.instanceId)
      .where('metric', '<>', sql<string>`all(${[...metrics, ...(look.unread ?? [])]}::text[])`)
      .executeTakeFirstOrThrow()
    if (settled > 0n) await closeIfAllIsRead(tx, look.subscriptionId)
    if (look.failures.length === 0) return
    const { rows } = await sql<{ metric: string; detail: string }>`
      insert into metric_failures as kept (instance_id, metric, detail, code, failing_since, failed_at)
      select ${look.instanceId}, given.*, ${look.now}::timestamptz, ${look.now}::timestamptz
      from unnest(${metrics}::text[], ${look.failures.map(({ detail }) => detail)}::text[],
        ${look.failures.map(({ code }) => code ?? null)}::text[]) as given
      on conflict (instance_id, metric) do update set detail = excluded.detail, code = excluded.code,
        failed_at = greatest(kept.failed_at, excluded.failed_at), failures = kept.failures + 1
      returning case when failures >= ${failuresUntilTask} then metric end as metric, detail`.execute(tx)
    const [lasting] = rows.filter(({ metric }) => metric !== null)
    if (lasting) await openMetricTask(tx, look, lasting)
  })
}

async function closeIfAllIsRead(tx: Db, subscriptionId: string): Promise<void> {
  const failing = await tx
    .selectFrom('metric_failures')
    .innerJoin('instances', 'instances.id', 'metric_failures.instance_id')
    .select('metric')
    .where('instances.subscription_id', '=', subscriptionId)
    .executeTakeFirst()
  if (failing !== undefined) return
  const subject = { kind: 'subscription', id: subscriptionId, reason: 'everything is read again' } as const
  await closeTasks(tx, subject, ['metric_failed'])
}

/** One task a subscription: what is said of it is what failed last. */
export async function openMetricTask(
  db: Db,
  of: Pick<MetricLook, 'subscriptionId' | 'instanceName'>,
  failure: { readonly metric: string; readonly detail: string },
): Promise<void> {
  const { title } = await db
    .selectFrom('subscriptions')
    .select('title')
    .where('id', '=', of.subscriptionId)
    .executeTakeFirstOrThrow()
  await openTask(db, {
    kind: 'metric_failed',
    subjectKind: 'subscription',
    subjectId: of.subscriptionId,
    subject: `${title}: what ${of.instanceName} used could not be read`,
    detail: `Metric ${failure.metric}: ${failure.detail} Usage since the last reading is not billed until it can be read.`,
  })
}
