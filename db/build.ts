import { sql } from 'kysely'
import { planBackup, planSafeUnbuild, type BackupStep, type StepPlan } from '#domain/backup-plan.ts'
import type { BuildState } from '#domain/build-command.ts'
import { planSale, volumeName, type BuildStep } from '#domain/build-plan.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { orderBuild, orderUnbuild, type PlacedStep, type StepOrder } from '#domain/step-order.ts'
import { releaseUndone } from './capacity.ts'
import { carryDecisionsOver } from './build-command.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent, type EventKind } from './event.ts'
import { newId } from './identifier.ts'
import { listDeployedInstances } from './instance.ts'
import { reserveAgain } from './placement.ts'

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
  /** Positions of the steps that it waits for; null in plans of before, whose steps are walked one by one. */
  readonly waitsFor: readonly number[] | null
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
    else await waitForCapacity(tx, subscriptionId)
    const buildOrderId = await insertBuildOrder(tx, subscriptionId, kind)
    const plan =
      kind === 'build' ? await planSteps(tx, subscriptionId) : await planWayBack(tx, subscriptionId)
    await insertSteps(tx, buildOrderId, plan)
    await carryDecisionsOver(tx, buildOrderId)
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

/**
 * Whoever asks for a retry has reserved what was undone before. A build that comes here without that waits until there is
 * room: this is no refusal, so it is tried again.
 */
async function waitForCapacity(tx: Tx, subscriptionId: string): Promise<void> {
  try {
    await reserveAgain(tx, subscriptionId)
  } catch (error) {
    if (!(error instanceof BusinessError)) throw error
    throw new Error(`waits for capacity: ${error.message}`, { cause: error })
  }
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

async function insertSteps(tx: Tx, buildOrderId: string, { steps, order }: OrderedSteps): Promise<void> {
  if (steps.length === 0) return
  const rows = steps.map((step, position) => ({
    ...toStepRow(step),
    build_order_id: buildOrderId,
    position,
    waits_for: [...(order[position] ?? [])],
  }))
  await tx.insertInto('build_steps').values(rows).execute()
}

interface StepOfInstance extends PlacedStep {
  readonly instanceId: string
  readonly serverId: string
}

interface OrderedSteps {
  readonly steps: readonly StepOfInstance[]
  readonly order: StepOrder
}

async function planSteps(tx: Tx, subscriptionId: string): Promise<OrderedSteps> {
  const instances = await listDeployedInstances(tx, { subscriptionId })
  const steps = instances.flatMap(({ id, serverId, sequence, definition, planned }) =>
    planSale(definition, planned).map((step) => ({ instanceId: id, serverId, sequence, step })),
  )
  return { steps, order: orderBuild(steps) }
}

interface BackupOfInstance extends StepOfInstance {
  readonly step: BackupStep
}

/** The way back from what was really begun, newest first: a step that was begun may have left something. */
async function planWayBack(tx: Tx, subscriptionId: string): Promise<OrderedSteps> {
  const made = await readBegun(tx, subscriptionId)
  const backups = await planBackups(tx, subscriptionId)
  const planned = planSafeUnbuild(
    made.map(({ step }) => step),
    backups.map(({ step }) => step),
  ).map((step) => {
    const found = [...backups, ...made].find((candidate) => candidate.step === step)
    if (!found) throw new Error('the way back has a step that was never begun')
    return step.kind === 'peer' ? { ...found, sequence: beforeAll } : found
  })
  const steps = planned.toSorted((first, second) => second.sequence - first.sequence)
  return { steps, order: orderUnbuild(steps) }
}

interface MadeStep extends StepOfInstance {
  readonly step: BuildStep
}

/** Each thing once, as it was begun last, in the order in which things were begun. */
async function readBegun(tx: Tx, subscriptionId: string): Promise<MadeStep[]> {
  const begun = await tx
    .selectFrom('build_steps')
    .innerJoin('build_orders', 'build_orders.id', 'build_steps.build_order_id')
    .innerJoin('instances', 'instances.id', 'build_steps.instance_id')
    .select(['instance_id', 'build_steps.server_id', 'plan', 'sequence'])
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
  return begun
    .toSorted((first, second) => first.number - second.number || first.position - second.position)
    .flatMap(({ instance_id: instanceId, server_id: serverId, sequence, plan }) =>
      plan.kind === 'backup' ? [] : [{ instanceId, serverId, sequence, step: plan }],
    )
}

/** Nothing is removed while something is to be saved. */
const beforeAll = Number.POSITIVE_INFINITY

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
    if (step !== null) backups.push({ instanceId: id, serverId, sequence: beforeAll, step })
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
    .select(['id', 'server_id', 'kind', 'title', 'state', 'waits_for'])
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
      waitsFor: step.waits_for,
    })),
  }
}

/** The turn of an order has come: it runs from now on. One that runs already is left as it is. */
export async function beginOrder(tx: Tx, buildOrderId: string, now: string): Promise<void> {
  const order = await tx
    .updateTable('build_orders')
    .set({ state: 'running', begun_at: now })
    .where('id', '=', buildOrderId)
    .where('state', '=', 'planned')
    .returning(['subscription_id', 'kind'])
    .executeTakeFirst()
  if (order) await tell(tx, { ...order, id: buildOrderId }, `${order.kind}.started`)
}

/** Closes a build order and tells of it; telling twice is telling once. */
export async function closeBuildOrder(
  db: Db,
  buildOrderId: string,
  to: { state: BuildState; event: EventKind; failure?: { code: string; detail: string } },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const order = await tx
      .updateTable('build_orders')
      .set({
        state: to.state,
        finished_at: new Date().toISOString(),
        ...(to.failure ? { failure_code: to.failure.code, failure_detail: to.failure.detail } : {}),
      })
      .where('id', '=', buildOrderId)
      .where('state', '<>', to.state)
      .returning(['subscription_id', 'kind'])
      .executeTakeFirst()
    if (!order) return
    if (order.kind === 'build' && to.state === 'undone') await releaseUndone(tx, order.subscription_id)
    await tell(tx, { ...order, id: buildOrderId }, to.event, to.failure)
  })
}

async function tell(
  tx: Tx,
  order: { id: string; subscription_id: string },
  kind: EventKind,
  failure?: { code: string; detail: string },
): Promise<void> {
  const subscription = await tx
    .selectFrom('subscriptions')
    .select('customer_id')
    .where('id', '=', order.subscription_id)
    .executeTakeFirstOrThrow()
  await insertEvent(tx, {
    kind,
    customerId: subscription.customer_id,
    subscriptionId: order.subscription_id,
    buildOrderId: order.id,
    data: { build: encodeId('buildOrder', order.id), ...failure },
  })
}
