import { sql } from 'kysely'
import type { Db } from '../database.ts'

/** What tells whether work is done in time. Seconds are by the database's own clock. */
export interface OperationFigures {
  readonly postgresVersion: string
  readonly now: string
  /** Starts of workflows that wait, and for how long the oldest has. */
  readonly outboxWaiting: number
  readonly outboxLagSeconds: number
  /** Documents in real time whose invoice should have been made by a billing run that began a day ago or later. */
  readonly overdueDocuments: number
  readonly samplingIntervalSeconds: number
}

export async function readOperation(db: Db): Promise<OperationFigures> {
  const { rows } = await sql<{
    version: string
    now: string
    waiting: number
    lag: number
    overdue: number
    sampling: number
  }>`
    select
      current_setting('server_version') as version,
      now() as now,
      (select count(*)::int from outbox where done_at is null) as waiting,
      (select coalesce(extract(epoch from now() - min(created_at)), 0)::int from outbox where done_at is null) as lag,
      (select count(*)::int from subscription_documents
        where closed_at is null and parked_reason is null and test_clock_id is null
        and due_on < (now() at time zone time_zone)::date - 1) as overdue,
      (select sampling_interval_seconds from installation) as sampling`.execute(db)
  const row = rows[0]
  if (row === undefined) throw new Error('the database gave no row')
  return {
    postgresVersion: row.version,
    now: row.now,
    outboxWaiting: row.waiting,
    outboxLagSeconds: row.lag,
    overdueDocuments: row.overdue,
    samplingIntervalSeconds: row.sampling ?? 0,
  }
}

/** Every server with what should run on it: when its worker was last there, and its instances. */
export async function listServersWithInstances(db: Db) {
  const [servers, instances] = await Promise.all([
    db
      .selectFrom('servers')
      .select(['id', 'code', 'runner', 'connection', 'draining_since'])
      .select(sql<number | null>`extract(epoch from now() - sampled_at)::int`.as('unread_seconds'))
      .where('resource_kind', '=', 'infrastructure')
      .where('removed_at', 'is', null)
      .execute(),
    db
      .selectFrom('instances')
      .select(['id', 'server_id', 'name', 'state'])
      .where('destroyed_at', 'is', null)
      .execute(),
  ])
  return servers.map((server) => ({
    ...server,
    instances: instances.filter(({ server_id: serverId }) => serverId === server.id),
  }))
}
