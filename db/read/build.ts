import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { onPage, type PageRequest } from './page.ts'

function builds(db: Db) {
  return db
    .selectFrom('build_orders as build')
    .innerJoin('subscriptions as subscription', 'subscription.id', 'build.subscription_id')
    .selectAll('build')
    .select(['subscription.title as subscription_title', 'subscription.phase as subscription_phase'])
    .select([
      sql<boolean>`subscription.parked_reason is not null`.as('is_subscription_parked'),
      sql<number>`(select count(*)::int from build_steps step where step.build_order_id = build.id)`.as(
        'step_count',
      ),
      sql<number>`(select count(*)::int from build_steps step
        where step.build_order_id = build.id and step.state = 'done')`.as('done_count'),
      // What was done is undone: one of its steps has failed or is undone, or an operator cancelled it.
      sql<boolean>`exists (select 1 from build_steps step
          where step.build_order_id = build.id and step.state in ('failed', 'undone'))
        or exists (select 1 from build_commands command
          where command.build_order_id = build.id and command.kind = 'cancel')`.as('is_undoing'),
      sql<string[]>`array(select step.title from build_steps step
        where step.build_order_id = build.id and step.state = 'running' order by step.position)`.as(
        'running_titles',
      ),
      sql<boolean>`not exists (select 1 from build_orders later
        where later.subscription_id = build.subscription_id and later.id > build.id)`.as('is_newest'),
    ])
}

export type BuildRow = Awaited<ReturnType<typeof listBuilds>>[number]

export async function listBuilds(db: Db, page: PageRequest & { subscriptionId: string | null }) {
  const query = onPage(builds(db), page, 'build.id')
  return await (
    page.subscriptionId === null ? query : query.where('build.subscription_id', '=', page.subscriptionId)
  ).execute()
}

export async function listBuildsOf(db: Db, subscriptionId: string): Promise<BuildRow[]> {
  return await builds(db)
    .where('build.subscription_id', '=', subscriptionId)
    .orderBy('build.id', 'desc')
    .limit(100)
    .execute()
}

/** Builds of all that an order sold, the newest first. */
export async function listBuildsOfOrder(
  db: Db,
  { orderId, limit }: { orderId: string; limit: number },
): Promise<BuildRow[]> {
  return await builds(db)
    .where('subscription.order_id', '=', orderId)
    .orderBy('build.id', 'desc')
    .limit(limit)
    .execute()
}

export async function getBuild(db: Db, id: string): Promise<BuildRow> {
  return await builds(db).where('build.id', '=', id).executeTakeFirstOrThrow()
}

export async function listBuildSteps(db: Db, buildOrderId: string) {
  return await db
    .selectFrom('build_steps as step')
    .innerJoin('servers as server', 'server.id', 'step.server_id')
    .leftJoin('build_commands as decision', (join) =>
      join.onRef('decision.build_step_id', '=', 'step.id').on('decision.kind', 'in', ['skip', 'mark_done']),
    )
    .selectAll('step')
    .select('server.code as server_code')
    .select([
      'decision.kind as decision',
      'decision.actor as decided_by',
      'decision.reason as decision_reason',
      'decision.asked_at as decided_at',
    ])
    .where('step.build_order_id', '=', buildOrderId)
    .orderBy('step.position')
    .execute()
}
export type BuildStepRow = Awaited<ReturnType<typeof listBuildSteps>>[number]
