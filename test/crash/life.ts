import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '#db/identifier.ts'
import { decodeId } from '#domain/identifier.ts'
import type { SubscriptionPhase } from '#domain/subscription.ts'
import { createDiary } from '#test/support/customer-diary.ts'
import { listObjects, until, type Json, type TestInstallation } from '#test/support/installation.ts'

/** Longer than a life with ten deaths: each is noticed after 10 s. */
const patienceMs = 480_000
const pauseMs = 500

/**
 * Sold on 1 April, billed for April and May, cancelled on 10 May, unbuilt: a whole life of Config 1.
 * The story is what must come out alike however often a worker died on the way: no ids, no times of day.
 */
export async function liveThrough(installation: TestInstallation) {
  const diary = createDiary(installation)
  const clock = await diary.createClock('2026-04-01T09:00:00Z')
  const subscription = await diary.order([{ kit: 'odoo-config-1' }], { clock })
  await untilPhase(installation, 'active')
  await untilBilled(installation, 1)
  const madeOnServer = await listMade(installation)
  const limitsInForce = await listLimits(installation)
  const events = [
    { source: 'crash', id: 'network-april', subscription, metric: 'network', quantity: '3' },
    { source: 'crash', id: 'disk-april', subscription, metric: 'disk', quantity: '2' },
  ]
  await diary.pushUsage(...events)
  await insist(installation, `/v1/test-clocks/${clock}/advance`, { to: '2026-05-10T10:00:00Z' })
  await untilBilled(installation, 2)
  await untilSlowly(
    'the clock stands',
    async () => (await diary.get(`/v1/test-clocks/${clock}`))['is_advancing'] === false,
  )
  const reason = 'closing down'
  await insist(installation, `/v1/subscriptions/${subscription}/cancel`, { when: 'now', reason })
  await untilPhase(installation, 'ended')
  const ended = await diary.subscription(subscription)
  const { containers, volumes, networks } = await listObjects(installation.installationId)
  return {
    subscription,
    story: {
      madeOnServer,
      limitsInForce,
      leftOnServer: [...containers, ...volumes, ...networks].map((object) => JSON.stringify(object)),
      standing: [ended['phase'], ended['parked_reason'], ended['starts_on'], ended['ends_on']],
      ...(await readRows(installation, subscription)),
      invoices: (await diary.invoices(subscription)).map(toPlainInvoice),
    },
  }
}

export type LivedLife = Awaited<ReturnType<typeof liveThrough>>

/** A worker that is dead does not answer in time: the same request is sent again, as the refusal says, and is carried out once. */
async function insist({ call }: TestInstallation, address: string, body: Json): Promise<void> {
  const key = { 'idempotency-key': newId() }
  await untilSlowly(`POST ${address} is answered`, async () => {
    const reply = await call('POST', address, body, key)
    assert.ok([200, 202, 503].includes(reply.status), `POST ${address}: ${JSON.stringify(reply.body)}`)
    return reply.status !== 503
  })
}

/** The rows are asked, and seldom: many lives are lived at once. */
async function untilPhase({ db }: TestInstallation, phase: SubscriptionPhase): Promise<void> {
  await untilSlowly(`the subscription is ${phase}`, async () => {
    const row = await db
      .selectFrom('subscriptions')
      .select(['phase', 'parked_reason'])
      .executeTakeFirstOrThrow()
    assert.equal(row.parked_reason, null)
    return row.phase === phase
  })
}

async function untilBilled({ db }: TestInstallation, count: number): Promise<void> {
  await untilSlowly(`there are ${count} invoices`, async () => {
    const invoices = await db.selectFrom('invoices').select('id').execute()
    return invoices.length >= count
  })
}

async function untilSlowly(what: string, look: () => Promise<boolean>): Promise<void> {
  await until(what, async () => (await look()) || (await sleep(pauseMs, false)), patienceMs)
}

/** What the engine has by our label, which is exactly what the rows say was made and the plan says should be. */
async function listMade(installation: TestInstallation): Promise<string[]> {
  const { containers, volumes, networks } = await listObjects(installation.installationId)
  const onServer = [
    ...containers.map((one) => `container ${one.Names[0]?.slice(1)}`),
    ...volumes.map((one) => `volume ${one.Name}`),
    ...networks.map((one) => `network ${one.Name}`),
  ]
  const kinds = ['container', 'volume', 'network'] as const
  const recorded = await installation.db
    .selectFrom('resources')
    .select(['kind', 'name'])
    .where('removed_at', 'is', null)
    .where('kind', 'in', kinds)
    .execute()
  const planned = await installation.db
    .selectFrom('build_steps')
    .select(['kind', 'name'])
    .where('kind', 'in', kinds)
    .execute()
  assert.deepEqual(onServer.toSorted(), recorded.map((row) => `${row.kind} ${row.name}`).toSorted())
  assert.deepEqual(onServer.toSorted(), planned.map((row) => `${row.kind} ${row.name}`).toSorted())
  return onServer.map((name) => name.split(' ')[0] ?? '')
}

async function listLimits({ db }: TestInstallation): Promise<string[]> {
  const rows = await db.selectFrom('limits').selectAll().orderBy('code').execute()
  return rows.map((row) => `${row.code}: ${row.in_force_quantity} of ${row.sold_quantity}`)
}

async function readRows({ db }: TestInstallation, subscription: string) {
  const subscriptionId = decodeId('subscription', subscription)
  const steps = await db
    .selectFrom('build_steps')
    .innerJoin('build_orders', 'build_orders.id', 'build_steps.build_order_id')
    .select(['build_orders.kind as order', 'build_orders.state as order_state'])
    .select(['build_orders.number', 'build_steps.kind', 'build_steps.state'])
    .orderBy('build_orders.kind')
    .orderBy('build_orders.number')
    .orderBy('position')
    .execute()
  const instances = await db.selectFrom('instances').select('state').execute()
  const resources = await db.selectFrom('resources').select(['kind', 'removed_at']).execute()
  const periods = await db
    .selectFrom('billing_periods')
    .leftJoin('invoices', 'invoices.id', 'billing_periods.invoice_id')
    .select(['period_index', 'period', 'sequence'])
    .orderBy('period_index')
    .execute()
  // Hashes hold ids, which differ from life to life.
  const series = await db
    .selectFrom('number_series')
    .select(['code', 'next_number', 'last_issued_on'])
    .orderBy('code')
    .execute()
  const events = await db
    .selectFrom('events')
    .select('kind')
    .where('subscription_id', '=', subscriptionId)
    // A step and a limit are told of at every attempt: that is what their log is for.
    .where('kind', 'not in', ['build.step', 'limit.applied'])
    .orderBy('id')
    .execute()
  const tasks = await db.selectFrom('tasks').select('kind').execute()
  return {
    steps: steps.map((row) => `${row.order} ${row.number} ${row.order_state}: ${row.kind} ${row.state}`),
    instances: instances.map((row) => row.state),
    resources: resources
      .map((row) => `${row.kind} ${row.removed_at === null ? 'kept' : 'removed'}`)
      .toSorted(),
    periods: periods.map((row) => `${row.period_index} ${row.period} on ${row.sequence}`),
    series,
    events: events.map((row) => row.kind),
    tasks: tasks.map((row) => row.kind),
  }
}

/** As the customer sees it. What busybox itself sends and stores is a few bytes, never twice the same, and costs nothing. */
function toPlainInvoice(invoice: Json) {
  const lines = invoice['lines'] as Json[]
  return {
    kind: invoice['kind'],
    number: invoice['number'],
    issuedOn: invoice['issued_on'],
    total: invoice['total'],
    lines: lines.map((line) => [
      line['kind'],
      line['product'],
      line['service_period'],
      line['usage_events'],
      line['amount'],
    ]),
  }
}
