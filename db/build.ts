import { sql } from 'kysely'
import { planBackup, planSafeUnbuild, type BackupStep, type StepPlan } from '#domain/backup-plan.ts'
import { planBuild, volumeName, type BuildStep } from '#domain/build-plan.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent, type EventKind } from './event.ts'
import { newId } from './identifier.ts'
import { listDeployedInstances } from './instance.ts'
import type { BuildState } from './tables/build.ts'

export interface BuildOrder {
  readonly id: string
  readonly subscriptionId: string
  readonly kind: 'build' | 'unbuild'
  readonly state: BuildState
  readonly failureCode: string | null
  readonly failureDetail: string | null
  readonly steps: readonly PlannedStep[]
}

export interface PlannedStep {
  readonly id: string
  readonly serverId: string
  readonly kind: StepPlan['kind']
  readonly title: string
  readonly state: BuildState
}

/** Opens the build order of a subscription, or finds the one that is open: the plan is written before anything is made. */
export async function openBuildOrder(
  db: Db,
  subscriptionId: string,
  kind: 'build' | 'unbuild',
): Promise<BuildOrder> {
  return await db.transaction().execute(async (tx) => {
    await tx.selectFrom('subscriptions').select('id').where('id', '=', subscriptionId).forUpdate().execute()
    const open = await tx
      .selectFrom('build_orders')
      .select('id')
      .where('subscription_id', '=', subscriptionId)
      .where('kind', '=', kind)
      .where('state', 'in', ['planned', 'running'])
      .executeTakeFirst()
    if (open) return await readBuildOrder(tx, open.id)
    if (kind === 'unbuild') await closeLostBuild(tx, subscriptionId)
    const buildOrderId = await insertBuildOrder(tx, subscriptionId, kind)
    const steps =
      kind === 'build' ? await planSteps(tx, subscriptionId) : await planWayBack(tx, subscriptionId)
    if (steps.length > 0) {
      await tx
        .insertInto('build_steps')
        .values(
          steps.map((step, position) => ({ ...toStepRow(step), build_order_id: buildOrderId, position })),
        )
        .execute()
    }
    return await readBuildOrder(tx, buildOrderId)
  })
}

/**
 * The way back is planned once the build has ended: one that is still open then has lost its workflow, which somebody
 * ended from outside. It must not keep what it made from being removed.
 */
async function closeLostBuild(tx: Tx, subscriptionId: string): Promise<void> {
  await tx
    .updateTable('build_orders')
    .set({
      state: 'failed',
      failure_code: 'cancelled',
      failure_detail: 'Its workflow was ended before it was done.',
      finished_at: new Date().toISOString(),
    })
    .where('subscription_id', '=', subscriptionId)
    .where('kind', '=', 'build')
    .where('state', 'in', ['planned', 'running'])
    .execute()
}

async function insertBuildOrder(tx: Tx, subscriptionId: string, kind: 'build' | 'unbuild'): Promise<string> {
  const id = newId()
  await tx
    .insertInto('build_orders')
    .values({
      id,
      subscription_id: subscriptionId,
      kind,
      number: sql<number>`(select count(*) + 1 from build_orders where subscription_id = ${subscriptionId} and kind = ${kind})`,
      failure_code: null,
      failure_detail: null,
      finished_at: null,
    })
    .execute()
  return id
}

interface StepOfInstance {
  readonly instanceId: string
  readonly serverId: string
  readonly step: StepPlan
}

async function planSteps(tx: Tx, subscriptionId: string): Promise<StepOfInstance[]> {
  const instances = await listDeployedInstances(tx, { subscriptionId })
  return instances.flatMap((instance) =>
    planBuild(instance.definition, instance.planned).map((step) => ({
      instanceId: instance.id,
      serverId: instance.serverId,
      step,
    })),
  )
}

interface BackupOfInstance extends StepOfInstance {
  readonly step: BackupStep
}

/** The way back from what was really begun, newest first: a step that was begun may have left something. */
async function planWayBack(tx: Tx, subscriptionId: string): Promise<StepOfInstance[]> {
  const begun = await tx
    .selectFrom('build_steps')
    .innerJoin('build_orders', 'build_orders.id', 'build_steps.build_order_id')
    .select(['instance_id', 'server_id', 'plan'])
    .distinctOn(['instance_id', 'build_steps.kind', 'build_steps.name'])
    .where('build_orders.subscription_id', '=', subscriptionId)
    .where('build_orders.kind', '=', 'build')
    .where('build_steps.state', 'in', ['running', 'done', 'failed'])
    .orderBy('instance_id')
    .orderBy('build_steps.kind')
    .orderBy('build_steps.name')
    .orderBy('build_orders.number', 'desc')
    .select(['build_orders.number', 'build_steps.position'])
    .execute()
  const inOrder = begun.toSorted(
    (first, second) => first.number - second.number || first.position - second.position,
  )
  const made = inOrder.filter((row): row is typeof row & { plan: BuildStep } => row.plan.kind !== 'backup')
  const backups = await planBackups(tx, subscriptionId)
  return planSafeUnbuild(
    made.map((row) => row.plan),
    backups.map((backup) => backup.step),
  ).map((step) => {
    const row = made.find((candidate) => candidate.plan === step)
    if (row) return { instanceId: row.instance_id, serverId: row.server_id, step }
    const backup = backups.find((candidate) => candidate.step === step)
    if (!backup) throw new Error('the way back has a step that was never begun')
    return backup
  })
}

/** Of volumes that were made: one whose making was never seen to end holds nothing. */
async function planBackups(tx: Tx, subscriptionId: string): Promise<BackupOfInstance[]> {
  const instances = await listDeployedInstances(tx, { subscriptionId })
  const backups: BackupOfInstance[] = []
  for (const { id, serverId, definition, planned } of instances) {
    const volumes = await tx
      .selectFrom('resources')
      .select('name')
      .where('instance_id', '=', id)
      .where('kind', '=', 'volume')
      .where('removed_at', 'is', null)
      .execute()
    const names = new Set(volumes.map(({ name }) => name))
    const made = definition.volumes.filter((volume) => names.has(volumeName(planned, volume)))
    const step = planBackup(definition, planned, made)
    if (step !== null) backups.push({ instanceId: id, serverId, step })
  }
  return backups
}

function toStepRow({ instanceId, serverId, step }: StepOfInstance) {
  return {
    id: newId(),
    instance_id: instanceId,
    server_id: serverId,
    kind: step.kind,
    name: step.name,
    title: step.title,
    plan: step,
    started_at: null,
    finished_at: null,
    progress: null,
    failure_code: null,
    failure_detail: null,
  }
}

/** A build order with its steps in order. */
export async function readBuildOrder(db: Db, buildOrderId: string): Promise<BuildOrder> {
  const order = await db
    .selectFrom('build_orders')
    .selectAll()
    .where('id', '=', buildOrderId)
    .executeTakeFirstOrThrow()
  const steps = await db
    .selectFrom('build_steps')
    .select(['id', 'server_id', 'kind', 'title', 'state'])
    .where('build_order_id', '=', buildOrderId)
    .orderBy('position')
    .execute()
  return {
    id: order.id,
    subscriptionId: order.subscription_id,
    kind: order.kind,
    state: order.state,
    failureCode: order.failure_code,
    failureDetail: order.failure_detail,
    steps: steps.map((step) => ({
      id: step.id,
      serverId: step.server_id,
      kind: step.kind,
      title: step.title,
      state: step.state,
    })),
  }
}

/** Moves a build order on and tells of it; telling twice is telling once. */
export async function setBuildState(
  db: Db,
  buildOrderId: string,
  to: { state: BuildState; event: EventKind; failure?: { code: string; detail: string } },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const isFinal = to.state !== 'running'
    const order = await tx
      .updateTable('build_orders')
      .set({
        state: to.state,
        finished_at: isFinal ? new Date().toISOString() : null,
        ...(to.failure ? { failure_code: to.failure.code, failure_detail: to.failure.detail } : {}),
      })
      .where('id', '=', buildOrderId)
      .where('state', '<>', to.state)
      .returning(['subscription_id', 'kind'])
      .executeTakeFirst()
    if (!order) return
    const subscription = await tx
      .selectFrom('subscriptions')
      .select('customer_id')
      .where('id', '=', order.subscription_id)
      .executeTakeFirstOrThrow()
    await insertEvent(tx, {
      kind: to.event,
      customerId: subscription.customer_id,
      subscriptionId: order.subscription_id,
      buildOrderId,
      data: { build: encodeId('buildOrder', buildOrderId), ...to.failure },
    })
  })
}
