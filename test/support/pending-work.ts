import { decodeId, encodeId } from '#domain/identifier.ts'
import type { TestInstallation } from './installation.ts'

/** What a subscription waits for: where it stands, its open steps, and what is being tried in vain; read when a test fails. */
export async function describePendingWork(
  { db, client }: Pick<TestInstallation, 'db' | 'client'>,
  subscription: string,
): Promise<string> {
  const id = decodeId('subscription', subscription)
  const row = await db
    .selectFrom('subscriptions')
    .select(['phase', 'parked_reason'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const builds = await db
    .selectFrom('build_orders')
    .select(['id', 'kind', 'state'])
    .where('subscription_id', '=', id)
    .orderBy('number')
    .execute()
  const workflows = [
    `subscription/${subscription}`,
    ...builds.map((build) => `${build.kind}/${encodeId('buildOrder', build.id)}`),
  ]
  const pending = await Promise.all(
    workflows.map(async (workflow) => await listPendingActivities(client, workflow)),
  )
  return [
    `it is ${row.phase}, parked: ${String(row.parked_reason)}`,
    ...(await listOpenSteps(db, id)),
    ...pending.flat(),
  ].join('\n  ')
}

async function listOpenSteps(db: TestInstallation['db'], subscriptionId: string): Promise<string[]> {
  const steps = await db
    .selectFrom('build_steps as step')
    .innerJoin('build_orders as build', 'build.id', 'step.build_order_id')
    .select(['step.title', 'step.state', 'step.attempt', 'step.progress', 'step.failure_detail'])
    .where('build.subscription_id', '=', subscriptionId)
    .where('step.state', '<>', 'done')
    .orderBy('step.position')
    .execute()
  return steps.map((step) => `step: ${JSON.stringify(step)}`)
}

async function listPendingActivities(
  client: TestInstallation['client'],
  workflow: string,
): Promise<string[]> {
  try {
    const { raw, status } = await client.workflow.getHandle(workflow).describe()
    const activities = (raw.pendingActivities ?? []).map(
      ({ activityType, attempt, lastFailure }) =>
        `${workflow} tries ${activityType?.name ?? ''}, attempt ${attempt ?? 1}: ${lastFailure?.message ?? 'no failure yet'}`,
    )
    return [`${workflow} is ${status.name}`, ...activities]
  } catch (error) {
    return [`${workflow}: ${String(error)}`]
  }
}
