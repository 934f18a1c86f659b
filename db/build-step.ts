import type { StepPlan } from '#domain/backup-plan.ts'
import { encodeId } from '#domain/identifier.ts'
import { beginOrder } from './build.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import type { BuildState } from '#domain/build-command.ts'

export interface StepDetail {
  readonly id: string
  readonly buildOrderId: string
  readonly instanceId: string
  readonly serverId: string
  readonly position: number
  readonly plan: StepPlan
}

/** A step with its plan. */
export async function getBuildStep(db: Db, stepId: string): Promise<StepDetail> {
  const row = await db
    .selectFrom('build_steps')
    .selectAll()
    .where('id', '=', stepId)
    .executeTakeFirstOrThrow()
  return {
    id: row.id,
    buildOrderId: row.build_order_id,
    instanceId: row.instance_id,
    serverId: row.server_id,
    position: row.position,
    plan: row.plan,
  }
}

/**
 * Containers of the same instance that an earlier step had made, and that the plan wants otherwise by now: its port was moved
 * meanwhile. They are made again first.
 */
export async function listOutdatedSteps(db: Db, step: StepDetail): Promise<StepDetail[]> {
  const rows = await db
    .selectFrom('build_steps')
    .select('id')
    .where('build_order_id', '=', step.buildOrderId)
    .where('instance_id', '=', step.instanceId)
    .where('kind', '=', 'container')
    .where('position', '<', step.position)
    .where('state', '=', 'planned')
    // Begun before: one that was never begun waits for its own turn.
    .where('attempt', '>', 0)
    .orderBy('position')
    .execute()
  return await Promise.all(rows.map(async ({ id }) => await getBuildStep(db, id)))
}

/**
 * Notes an attempt before anything is touched: what was begun will be undone. With the first step of an order its turn in the
 * queue has come.
 */
export async function beginStep(db: Db, stepId: string, attempt: number): Promise<void> {
  const startedAt = new Date().toISOString()
  await moveStep(
    db,
    stepId,
    {
      state: 'running',
      attempt,
      started_at: startedAt,
      finished_at: null,
      progress: null,
      progress_at: null,
    },
    { state: 'running', attempt },
    async (tx, buildOrderId) => beginOrder(tx, buildOrderId, startedAt),
  )
}

export async function setStepProgress(db: Db, stepId: string, progress: string): Promise<void> {
  await db
    .updateTable('build_steps')
    .set({ progress: progress.slice(0, 500), progress_at: new Date().toISOString() })
    .where('id', '=', stepId)
    .execute()
}

export async function finishStep(db: Db, stepId: string, detail: string): Promise<void> {
  await moveStep(db, stepId, { state: 'done', ...toldNow(detail) }, { state: 'done', detail })
}

export async function failStep(
  db: Db,
  stepId: string,
  failure: { code: string; detail: string; isFinal: boolean },
): Promise<void> {
  await moveStep(
    db,
    stepId,
    {
      ...(failure.isFinal ? { state: 'failed' as const, finished_at: new Date().toISOString() } : {}),
      failure_code: failure.code,
      failure_detail: failure.detail,
    },
    { state: failure.isFinal ? 'failed' : 'retrying', code: failure.code, detail: failure.detail },
  )
}

export async function markStepUndone(db: Db, stepId: string, detail: string): Promise<void> {
  await moveStep(db, stepId, { state: 'undone', ...toldNow(detail) }, { state: 'undone', detail })
}

function toldNow(detail: string) {
  const now = new Date().toISOString()
  return { progress: detail.slice(0, 500), progress_at: now, finished_at: now }
}

type StepChange = Partial<{
  state: BuildState
  attempt: number
  started_at: string
  finished_at: string | null
  progress: string | null
  progress_at: string | null
  failure_code: string
  failure_detail: string
}>

async function moveStep(
  db: Db,
  stepId: string,
  change: StepChange,
  data: Record<string, unknown>,
  before: (tx: Tx, buildOrderId: string) => Promise<void> = async () => {},
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const step = await tx
      .updateTable('build_steps')
      .set(change)
      .where('id', '=', stepId)
      .returning(['build_order_id', 'title', 'position', 'kind'])
      .executeTakeFirstOrThrow()
    const order = await tx
      .selectFrom('build_orders')
      .innerJoin('subscriptions', 'subscriptions.id', 'build_orders.subscription_id')
      .select(['subscription_id', 'customer_id', 'build_orders.kind'])
      .where('build_orders.id', '=', step.build_order_id)
      .executeTakeFirstOrThrow()
    await before(tx, step.build_order_id)
    await insertEvent(tx, {
      kind: 'build.step',
      customerId: order.customer_id,
      subscriptionId: order.subscription_id,
      buildOrderId: step.build_order_id,
      data: { step: encodeId('buildStep', stepId), title: step.title, position: step.position, ...data },
    })
  })
}
