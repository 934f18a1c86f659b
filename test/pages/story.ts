import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { seedCatalog } from '#bin/demo-catalog.ts'
import { saveApplication } from '#db/application.ts'
import { billOpening, billPeriod } from '#db/billing.ts'
import { beginStep, failStep, finishStep } from '#db/build-step.ts'
import { closeBuildOrder, openBuildOrder } from '#db/build.ts'
import { recordResource } from '#db/resource.ts'
import type { Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import { setInstanceState } from '#db/instance.ts'
import { recordLimit } from '#db/limit.ts'
import { confirmOrder } from '#db/order.ts'
import { activateSubscription } from '#db/activation.ts'
import { setParked, setPhase } from '#db/subscription.ts'
import { changeSubscription } from '#db/plan.ts'
import { openTask } from '#db/task.ts'
import { insertReadings } from '#db/usage.ts'
import { readApplication } from '#docker/applications.ts'
import { encodeId } from '#domain/identifier.ts'

const applications = path.join(import.meta.dirname, '../../applications')

/** The demo's catalog and customers, and one server: rows only, nothing is deployed. */
export async function seedStory(db: Db, runner: 'docker' | 'dry-run' = 'docker'): Promise<void> {
  for (const code of ['odoo-stand-in', 'static-site']) {
    const compose = await readFile(path.join(applications, code, 'compose.yaml'), 'utf8')
    await saveApplication(db, { compose, definition: await readApplication(applications, code) })
  }
  await seedCatalog(db, { odoo: 'odoo-stand-in' })
  await db
    .insertInto('servers')
    .values({
      id: newId(),
      code: 'local',
      runner,
      port_range: '[42000,42100)',
      last_seen_at: new Date().toISOString(),
    })
    .onConflict((conflict) =>
      conflict.column('code').doUpdateSet({ runner, last_seen_at: new Date().toISOString() }),
    )
    .execute()
}

export interface Sold {
  readonly id: string
  readonly publicId: string
}

/** Sells a kit or product of the demo to Harbour Bakery, or another customer; `now` is the subscription's own time when it is on a clock. */
export async function sell(
  db: Db,
  what: { kit: string } | { product: string },
  on: { now?: string; isOnClock?: boolean; customer?: string } = {},
): Promise<Sold> {
  const now = on.now ?? new Date().toISOString()
  const customer = await idOf(db, 'customers', on.customer ?? 'harbour-bakery')
  const testClockId = on.isOnClock === true ? await createClock(db, now) : null
  const line =
    'kit' in what
      ? { kitId: await idOf(db, 'kits', what.kit), quantity: '1' }
      : { productId: await idOf(db, 'products', what.product), quantity: '1' }
  const { subscriptionIds } = await db.transaction().execute(async (tx) =>
    confirmOrder(tx, {
      customerId: customer,
      lines: [line],
      testClockId,
      currency: null,
      channel: 'api',
      actor: 'key_01kb0000000000000000000000',
      now,
    }),
  )
  const [id = ''] = subscriptionIds
  return { id, publicId: encodeId('subscription', id) }
}

async function createClock(db: Db, now: string): Promise<string> {
  const id = newId()
  await db.insertInto('test_clocks').values({ id, name: 'spring', now_at: now, target_at: null }).execute()
  return id
}

async function idOf(db: Db, table: 'customers' | 'kits' | 'products', code: string): Promise<string> {
  const row = await db.selectFrom(table).select('id').where('code', '=', code).executeTakeFirstOrThrow()
  return row.id
}

/** Walks the build as the worker's activities write it. Stops inside a step, fails it for good, or goes to its end. */
export async function build(
  db: Db,
  sold: Sold,
  until: { runningStep: number } | { failedStep: number } | 'done',
): Promise<{ buildOrderId: string; stepIds: string[] }> {
  const order = await openBuildOrder(db, sold.id, 'build')
  const instances = await db
    .selectFrom('instances')
    .select(['id', 'server_id'])
    .where('subscription_id', '=', sold.id)
    .execute()
  if (order.state === 'planned') {
    await setPhase(db, sold.id, { phase: 'building', now: new Date().toISOString() })
    for (const instance of instances) await setInstanceState(db, instance.id, 'building')
  }
  const stepIds = order.steps.map((step) => step.id)
  const last =
    until === 'done' ? stepIds.length : 'runningStep' in until ? until.runningStep : until.failedStep
  for (const [position, step] of order.steps.entries()) {
    if (position > last) break
    await beginStep(db, step.id, 1)
    if (position < last) await finishStep(db, step.id, 'made')
  }
  if (until === 'done') await finishBuild(db, order.id, instances)
  if (until !== 'done' && 'failedStep' in until) {
    await failBuild(db, sold, { orderId: order.id, stepId: stepIds[last] ?? '' })
  }
  return { buildOrderId: order.id, stepIds }
}

async function finishBuild(
  db: Db,
  buildOrderId: string,
  instances: readonly { id: string; server_id: string }[],
): Promise<void> {
  for (const { id, server_id: serverId } of instances) {
    for (const kind of ['network', 'volume', 'container'] as const) {
      await recordResource(db, {
        instanceId: id,
        serverId,
        kind,
        name: `harbour-bakery_${kind}`,
        externalId: `${kind}1`,
      })
    }
    await setInstanceState(db, id, 'running')
  }
  await closeBuildOrder(db, buildOrderId, { state: 'done', event: 'build.done' })
}

export const failure = {
  code: 'image_unreachable',
  detail: 'registry.invalid did not answer within 30 s.',
} as const

async function failBuild(db: Db, sold: Sold, at: { orderId: string; stepId: string }): Promise<void> {
  await failStep(db, at.stepId, { ...failure, isFinal: true })
  await closeBuildOrder(db, at.orderId, { state: 'undone', event: 'build.undone', failure })
  await setParked(db, sold.id, { reason: failure.code, now: new Date().toISOString() })
  await openTask(db, {
    kind: 'build_failed',
    subjectKind: 'subscription',
    subjectId: sold.id,
    subject: 'Odoo Config 1 could not be built',
    detail: `${failure.detail} Make the registry reachable, then retry the build.`,
  })
}

/** From ready to the first invoice: limits in force, opening readings, recurrence begins. */
export async function activate(db: Db, sold: Sold, now: string): Promise<void> {
  const instances = await listInstances(db, sold)
  for (const { id } of instances) {
    const limits = await db.selectFrom('limits').selectAll().where('instance_id', '=', id).execute()
    for (const limit of limits) await applyLimit(db, id, limit.code, limit.sold_quantity)
    await read(db, id, { now, network: '0', disk: '0', isOpening: true })
  }
  await activateSubscription(db, sold.id, now)
  await billOpening(db, sold.id, now)
}

async function listInstances(db: Db, sold: Sold) {
  return await db.selectFrom('instances').select('id').where('subscription_id', '=', sold.id).execute()
}

async function applyLimit(db: Db, instanceId: string, code: string, quantity: string): Promise<void> {
  await recordLimit(db, {
    instanceId,
    code,
    quantity,
    inForce: Number(quantity),
    commands: [
      {
        command: ['/bin/set-limit', code, quantity],
        exitCode: 0,
        answer: `limit of ${code} is ${quantity} now`,
        durationMs: 41,
      },
    ],
  })
}

async function read(
  db: Db,
  instanceId: string,
  reading: { now: string; network: string; disk: string; isOpening?: boolean },
): Promise<void> {
  const at = {
    instanceId,
    isOpening: reading.isOpening ?? false,
    sampledAt: reading.now,
    readAt: reading.now,
  }
  await insertReadings(db, at, [
    { metric: 'network', series: 'web', value: reading.network, unit: 'GiB' },
    { metric: 'disk', series: 'data', value: reading.disk, unit: 'GiB' },
  ])
}

/** Readings of all instances of a subscription. */
async function meter(
  db: Db,
  sold: Sold,
  reading: { now: string; network: string; disk: string },
): Promise<void> {
  for (const { id } of await listInstances(db, sold)) await read(db, id, reading)
}

/** Moves the subscription's clock and bills the next period of its document. */
export async function billNextPeriod(db: Db, sold: Sold, now: string): Promise<void> {
  const document = await db
    .selectFrom('subscription_documents as document')
    .innerJoin('subscription_lines as line', 'line.document_id', 'document.id')
    .select(['document.id', 'document.next_period_index'])
    .where('line.subscription_id', '=', sold.id)
    .executeTakeFirstOrThrow()
  await moveClock(db, sold, now)
  await billPeriod(db, { documentId: document.id, periodIndex: document.next_period_index }, now)
}

async function moveClock(db: Db, sold: Sold, now: string): Promise<void> {
  await db
    .updateTable('test_clocks')
    .set({ now_at: now })
    .where('id', 'in', (select) =>
      select
        .selectFrom('subscriptions')
        .select('test_clock_id')
        .where('id', '=', sold.id)
        .where('test_clock_id', 'is not', null)
        .$castTo<{ test_clock_id: string }>(),
    )
    .execute()
}

/** Sells another quantity of the line with this limit, as the workflow does once the instance holds it. */
async function changeQuantity(
  db: Db,
  sold: Sold,
  change: { limitCode: string; quantity: string; now: string; requestId?: string },
): Promise<void> {
  const line = await db
    .selectFrom('subscription_lines')
    .select(['id', 'instance_id'])
    .where('subscription_id', '=', sold.id)
    .where('limit_code', '=', change.limitCode)
    .where('ends_on', 'is', null)
    .executeTakeFirstOrThrow()
  if (line.instance_id !== null) await applyLimit(db, line.instance_id, change.limitCode, change.quantity)
  await moveClock(db, sold, change.now)
  await changeSubscription(
    db,
    {
      subscriptionId: sold.id,
      requestId: change.requestId ?? newId(),
      actor: 'key_01kb0000000000000000000000',
      now: change.now,
    },
    { subscriptionLineId: line.id, quantity: change.quantity },
  )
}

/**
 * Two months of Odoo Config 1 on a test clock, told from 31 January: 3 GiB of traffic and 2 GiB of disk by the end of
 * February, a sixth user from 10 March on.
 */
export async function tellTwoMonths(db: Db): Promise<Sold> {
  const sold = await sell(db, { kit: 'odoo-config-1' }, { now: '2026-01-31T09:00:00Z', isOnClock: true })
  await build(db, sold, 'done')
  await activate(db, sold, '2026-01-31T09:02:00Z')
  await meter(db, sold, { now: '2026-02-27T12:00:00Z', network: '3', disk: '2' })
  // Of the end of the period: nothing is waited for when it is billed.
  await meter(db, sold, { now: '2026-02-28T00:00:00Z', network: '3', disk: '2' })
  await billNextPeriod(db, sold, '2026-02-28T08:00:00Z')
  await changeQuantity(db, sold, { limitCode: 'users', quantity: '6', now: '2026-03-10T10:00:00Z' })
  await meter(db, sold, { now: '2026-03-12T12:00:00Z', network: '4.25', disk: '2.5' })
  await moveClock(db, sold, '2026-03-13T08:00:00Z')
  return sold
}
