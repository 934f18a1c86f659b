import { billOpening, billPeriod } from '#db/billing.ts'
import { beginStep, finishStep } from '#db/build-step.ts'
import { closeBuildOrder, openBuildOrder } from '#db/build.ts'
import { announce } from '#db/announcement.ts'
import { takeChangeRequest } from '#db/change-request.ts'
import { recordResource } from '#db/resource.ts'
import { setInstanceState } from '#db/instance.ts'
import { noteSoldLimit, recordLimit } from '#db/limit.ts'
import { insertPaymentRequest } from '#db/payment-request.ts'
import { activateSubscription } from '#db/activation.ts'
import { setPhase } from '#db/subscription.ts'
import { openTask } from '#db/task.ts'
import { listSoldLimits } from '#db/sold-limit.ts'
import { warnOfLimits } from '#db/usage-warning.ts'
import { reserveUnits } from '#db/unit-reservation.ts'
import { insertReadings } from '#db/usage.ts'
import { decodeId } from '#domain/identifier.ts'
import type { TestApi } from './api.ts'

const compose = `
services:
  web:
    image: web:1
    expose: ['8069']
x-clouder:
  title: Web
  public: { service: web, port: 8069 }
  metrics:
    - { code: network, title: Network, unit: GiB, kind: counter, aggregation: sum, source: { type: engine-network } }
  limits:
    - { code: users, title: Users, service: web, set: [set, '{value}'], read: [read], use: [use] }
    - { code: seats, title: Seats, reserved: true }
`

export interface Life {
  readonly subscriptionId: string
  readonly instanceId: string
  readonly documentId: string
}

/**
 * One subscription as workflows would have lived it, written by the functions that they call: sold on 1 January, built,
 * active, metered and billed twice. The API reads what is then there.
 */
export async function liveOneLife(api: TestApi): Promise<Life> {
  await seedSold(api)
  const { body } = await api.post('/v1/orders', { customer: 'life', lines: [{ kit: 'config' }] })
  const publicId = (body['subscriptions'] as { id: string }[])[0]?.id ?? ''
  const subscriptionId = decodeId('subscription', publicId)
  const startedAt = '2026-01-01T09:00:00Z'
  const instanceId = await build(api, subscriptionId, startedAt)
  await activateSubscription(api.db, subscriptionId, startedAt)
  await billOpening(api.db, subscriptionId, startedAt)
  await meter(api, instanceId)
  const document = await api.db.selectFrom('subscription_documents').selectAll().executeTakeFirstOrThrow()
  await billPeriod(
    api.db,
    { documentId: document.id, periodIndex: document.next_period_index },
    '2026-02-01T10:00:00Z',
  )
  await api.post('/v1/billing-runs', {})
  await api.db.transaction().execute(async (tx) => {
    const orderId = decodeId('order', String(body['id']))
    const at = { openedAt: startedAt, expiresAt: '2026-01-15T09:00:00Z' }
    await insertPaymentRequest(tx, { orderId, currency: 'USD', totalMinor: 500, ...at })
  })
  await openTask(api.db, {
    kind: 'limit_refused',
    subjectKind: 'subscription',
    subjectId: subscriptionId,
    subject: 'A limit was refused',
    detail: 'Free some users first.',
  })
  const warnedAt = '2026-01-10T09:00:00Z'
  const sold = await listSoldLimits(api.db, { instanceIds: [instanceId] }, warnedAt)
  await warnOfLimits(api.db, sold, [{ instanceId, code: 'users', used: '4' }], warnedAt)
  await askForUsers(api, subscriptionId)
  await tellOfPrice(api, subscriptionId)
  return { subscriptionId, instanceId, documentId: document.id }
}

async function askForUsers(api: TestApi, subscriptionId: string): Promise<void> {
  const line = await api.db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', subscriptionId)
    .where('limit_code', '=', 'users')
    .executeTakeFirstOrThrow()
  await takeChangeRequest(api.db, {
    subscriptionId,
    subscriptionLineId: line.id,
    plan: { quantity: '6' },
    message: null,
    actor: 'the customer',
    requestId: 'asked in this life',
    now: '2026-02-01T10:00:00Z',
  })
}

async function tellOfPrice(api: TestApi, subscriptionId: string): Promise<void> {
  const line = await api.db
    .selectFrom('subscription_lines')
    .innerJoin('subscriptions', 'subscriptions.id', 'subscription_id')
    .select(['subscription_lines.first_line_id', 'customer_id'])
    .where('subscription_id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  const change = {
    subscription: { id: subscriptionId, customer_id: line.customer_id },
    firstLineId: line.first_line_id,
    before: { price: '1 USD' },
    after: { price: '2 USD' },
    effectiveOn: '2026-03-01',
  }
  await api.db.transaction().execute(async (tx) => await announce(tx, 'dearer', [change]))
}

async function seedSold(api: TestApi): Promise<void> {
  const product = {
    billing_timing: 'arrears',
    recurrence: { count: 1, unit: 'month' },
    currency: 'USD',
    base_price: '1',
    applications: ['web'],
  }
  const requests: readonly [string, object][] = [
    ['/v1/applications', { code: 'web', compose }],
    ['/v1/customers', { code: 'life', name: 'Life' }],
    ['/v1/products', { ...product, code: 'users', name: 'Users', billing_type: 'threshold', billing_timing: 'advance', unit: 'user', limit: 'users' }],
    ['/v1/products', { ...product, code: 'network', name: 'Network', billing_type: 'usage', unit: 'GiB', metric: 'network' }],
    ['/v1/kits', { code: 'config', name: 'Config', bill_of_materials: [{ product: 'users', quantity: 5, sequence: 1 }, { product: 'network', quantity: 1, sequence: 2 }] }],
  ] // prettier-ignore
  for (const [path, body] of requests) {
    const reply = await api.post(path, body)
    if (reply.status !== 201) throw new Error(`${path}: ${JSON.stringify(reply.body)}`)
  }
}

async function build(api: TestApi, subscriptionId: string, now: string): Promise<string> {
  await setPhase(api.db, subscriptionId, { phase: 'building', now })
  const order = await openBuildOrder(api.db, subscriptionId, 'build')
  const steps = await api.db.selectFrom('build_steps').selectAll().orderBy('position').execute()
  for (const step of steps) {
    await beginStep(api.db, step.id, 1)
    await finishStep(api.db, step.id, 'made')
  }
  const buildOrderId = steps[0]?.build_order_id ?? order.id
  await closeBuildOrder(api.db, buildOrderId, { state: 'done', event: 'build.done' })
  const instance = await api.db.selectFrom('instances').selectAll().executeTakeFirstOrThrow()
  const at = { instanceId: instance.id, serverId: instance.server_id }
  await recordResource(api.db, { ...at, kind: 'container', name: 'web', externalId: 'abc' })
  await recordLimit(api.db, {
    instanceId: instance.id,
    code: 'users',
    quantity: '5',
    inForce: 5,
    commands: [{ command: ['set', '5'], exitCode: 0, answer: 'ok', durationMs: 12 }],
  })
  await setInstanceState(api.db, instance.id, 'building')
  await setInstanceState(api.db, instance.id, 'running')
  await noteSoldLimit(api.db, { instanceId: instance.id, code: 'seats', quantity: '2' })
  const units = { instanceId: instance.id, code: 'seats', quantity: '1', reference: 'ada', actor: 'key_1' }
  await reserveUnits(api.db, units)
  return instance.id
}

/** 3 GiB in January, and one more in February that is not billed yet. */
async function meter(api: TestApi, instanceId: string): Promise<void> {
  const read = async (readAt: string, value: string, isOpening: boolean) =>
    insertReadings(api.db, { instanceId, isOpening, sampledAt: readAt, readAt }, [
      { metric: 'network', series: 'container:a', value, unit: 'GiB' },
    ])
  await read('2026-01-01T09:00:00Z', '1', true)
  await read('2026-01-20T09:00:00Z', '4', false)
  await read('2026-02-01T09:30:00Z', '5', false)
}
