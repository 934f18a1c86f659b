import { sql } from 'kysely'
import { dateIn, startOfDay } from '#domain/calendar.ts'
import type { Db } from '../database.ts'
import type { BuildState } from '#domain/build-command.ts'

/** Builds that wait or run, and those that failed and whose subscription still waits for a person. */
export async function listUnsettledBuilds(db: Db, limit: number) {
  return await db
    .selectFrom('build_orders as build')
    .innerJoin('subscriptions as subscription', 'subscription.id', 'build.subscription_id')
    .innerJoin('customers as customer', 'customer.id', 'subscription.customer_id')
    .selectAll('build')
    .select(['subscription.title', 'customer.name as customer_name'])
    .select([
      sql<number>`(select count(*)::int from build_steps where build_order_id = build.id)`.as('step_count'),
      sql<number>`(select count(*)::int from build_steps where build_order_id = build.id and state = 'done')`.as(
        'done_count',
      ),
      sql<
        string | null
      >`(select title from build_steps where build_order_id = build.id and state in ('running', 'failed')
        order by position limit 1)`.as('step_title'),
    ])
    .where((where) =>
      where.or([
        where('build.state', 'in', ['planned', 'running']),
        where.and([
          where('build.state', 'in', ['failed', 'undone']),
          where('subscription.parked_reason', 'is not', null),
          sql<boolean>`build.id = (select max(id::text)::uuid from build_orders newest where newest.subscription_id = build.subscription_id)`,
        ]),
      ]),
    )
    .orderBy('build.id')
    .limit(limit)
    .execute()
}
export type UnsettledBuildRow = Awaited<ReturnType<typeof listUnsettledBuilds>>[number]

export interface Figures {
  readonly activeSubscriptions: number
  readonly testSubscriptions: number
  readonly buildsToday: Readonly<Partial<Record<BuildState, number>>>
  /** Invoices less credit notes of this calendar month, real ones only. */
  readonly invoicedThisMonth: readonly { readonly currency: string; readonly totalMinor: number }[]
}

export async function readFigures(db: Db, at: { now: string; timeZone: string }): Promise<Figures> {
  const today = dateIn(at.timeZone, at.now)
  const [subscriptions, builds, invoiced] = await Promise.all([
    db
      .selectFrom('subscriptions')
      .select([
        sql<number>`count(*) filter (where test_clock_id is null)::int`.as('real'),
        sql<number>`count(*) filter (where test_clock_id is not null)::int`.as('test'),
      ])
      .where('phase', '=', 'active')
      .executeTakeFirstOrThrow(),
    db
      .selectFrom('build_orders')
      .select(['state', sql<number>`count(*)::int`.as('count')])
      .where('kind', '=', 'build')
      .where('created_at', '>=', startOfDay(at.timeZone, today))
      .groupBy('state')
      .execute(),
    db
      .selectFrom('invoices')
      .select(['currency'])
      .select(
        sql<number>`sum(case kind when 'invoice' then total_minor else -total_minor end)::bigint`.as(
          'total_minor',
        ),
      )
      .where('test_clock_id', 'is', null)
      .where('finalized_at', 'is not', null)
      .where('issued_on', '>=', `${today.slice(0, 8)}01`)
      .groupBy('currency')
      .orderBy('currency')
      .execute(),
  ])
  return {
    activeSubscriptions: subscriptions.real,
    testSubscriptions: subscriptions.test,
    buildsToday: Object.fromEntries(builds.map((row) => [row.state, row.count])),
    invoicedThisMonth: invoiced.map((row) => ({ currency: row.currency, totalMinor: row.total_minor })),
  }
}

/** Documents by the date of their next invoice, real ones before those that live on test clocks. */
export async function listNextDueDocuments(db: Db, limit: number) {
  return await db
    .selectFrom('subscription_documents as document')
    .innerJoin('customers as customer', 'customer.id', 'document.customer_id')
    .leftJoin('test_clocks as clock', 'clock.id', 'document.test_clock_id')
    .selectAll('document')
    .select(['customer.name as customer_name', 'clock.name as test_clock_name'])
    .where('document.closed_at', 'is', null)
    .orderBy(sql`document.test_clock_id is not null`)
    .orderBy('document.due_on')
    .orderBy('document.id')
    .limit(limit)
    .execute()
}
export type DueDocumentRow = Awaited<ReturnType<typeof listNextDueDocuments>>[number]

/** Applications whose newest version is a stand-in, with what a person must be told. */
export async function listStandIns(db: Db) {
  return await db
    .selectFrom('applications as application')
    .innerJoinLateral(
      (join) =>
        join
          .selectFrom('application_versions as newest')
          .select([
            sql<boolean>`(newest.definition->>'isStandIn')::boolean`.as('is_stand_in'),
            sql<string | null>`newest.definition->>'notice'`.as('notice'),
          ])
          .whereRef('newest.application_id', '=', 'application.id')
          .orderBy('newest.version', 'desc')
          .limit(1)
          .as('version'),
      (join) => join.onTrue(),
    )
    .select(['application.code', 'application.title', 'version.notice'])
    .where('version.is_stand_in', '=', true)
    .where('application.archived_at', 'is', null)
    .orderBy('application.code')
    .execute()
}
export type StandInRow = Awaited<ReturnType<typeof listStandIns>>[number]

/** What subscriptions are called, for lines that only know their ids. */
export async function readSubscriptionNames(db: Db, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('subscriptions as subscription')
    .innerJoin('customers as customer', 'customer.id', 'subscription.customer_id')
    .select(['subscription.id', 'subscription.title', 'customer.name'])
    .where('subscription.id', 'in', ids)
    .execute()
  return new Map(rows.map((row) => [row.id, `${row.title} for ${row.name}`]))
}
