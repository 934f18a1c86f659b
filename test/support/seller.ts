import { seedCatalog } from '#bin/demo-catalog.ts'
import { saveApplication } from '#db/application.ts'
import { billOpening, billPeriod, type BilledDocument } from '#db/billing.ts'
import type { Db } from '#db/database.ts'
import { newId } from '#db/identifier.ts'
import type { OrderRequest } from '#db/order-context.ts'
import { confirmOrder } from '#db/order.ts'
import { activateSubscription } from '#db/activation.ts'
import { setPhase } from '#db/subscription.ts'
import { insertTestClock } from '#db/test-clock.ts'
import { shop } from '#test/domain/application-fixture.ts'
import { createTestDatabase } from './database.ts'
import { storeUsageEvent } from './usage-events.ts'

/** What is ordered, by the codes of the demo catalog. */
export interface TestOrder {
  readonly kit?: string
  readonly product?: string
  readonly quantity?: string
  readonly customer?: string
  readonly testClockId?: string
  readonly now?: string
}

/** An installation on a database of its own that sells the demo catalog, with one server. */
export async function createSeller(options: { ports?: number } = {}) {
  const database = await createTestDatabase()
  const { db } = database
  await insertInstallation(db)
  const serverId = await insertServer(db, options.ports ?? 100)
  await saveApplications(db)
  await seedCatalog(db, { odoo: 'odoo' })
  const request = async (order: TestOrder): Promise<OrderRequest> => await orderRequest(db, order)
  return {
    ...database,
    serverId,
    request,
    clock: async (nowAt: string) => await insertTestClock(db, { name: 'test', nowAt }),
    order: async (order: TestOrder) => {
      const wanted = await request(order)
      return await db.transaction().execute(async (tx) => confirmOrder(tx, wanted))
    },
    /** Orders one subscription and brings it to life at an instant. */
    sell: async (order: TestOrder & { now: string }) => {
      const wanted = await request(order)
      const { subscriptionIds } = await db.transaction().execute(async (tx) => confirmOrder(tx, wanted))
      const [subscriptionId] = subscriptionIds
      if (subscriptionId === undefined) throw new Error('the order made no subscription')
      await activate(db, subscriptionId, order.now)
      return subscriptionId
    },
  }
}
export type Seller = Awaited<ReturnType<typeof createSeller>>

async function insertInstallation(db: Db): Promise<void> {
  await db
    .insertInto('installation')
    .values({
      id: newId(),
      seller: JSON.stringify({ name: 'Seller', address: '', taxId: null }),
      currency: 'USD',
      time_zone: 'UTC',
      demo_seeded_at: null,
    })
    .execute()
}

async function insertServer(db: Db, ports: number): Promise<string> {
  const id = newId()
  await db
    .insertInto('servers')
    .values({
      id,
      code: 'local',
      runner: 'dry-run',
      port_range: `[20000,${20_000 + ports})`,
      last_seen_at: null,
    })
    .execute()
  return id
}

/** Odoo meters network as a counter and disk as a gauge, and enforces users; the site does neither. */
async function saveApplications(db: Db): Promise<void> {
  await saveApplication(db, {
    compose: 'odoo',
    definition: {
      ...shop,
      code: 'odoo',
      metrics: [
        {
          code: 'network',
          title: 'Network',
          unit: 'B',
          kind: 'counter',
          aggregation: 'sum',
          source: { type: 'engine-network' },
        },
        {
          code: 'disk',
          title: 'Disk',
          unit: 'B',
          kind: 'gauge',
          aggregation: 'max',
          source: { type: 'volume-disk', volume: 'data' },
        },
      ],
    },
  })
  await saveApplication(db, {
    compose: 'static-site',
    definition: { ...shop, code: 'static-site', limits: [] },
  })
}

async function orderRequest(db: Db, order: TestOrder): Promise<OrderRequest> {
  const quantity = order.quantity ?? '1'
  return {
    customerId: await idOf(db, 'customers', order.customer ?? 'harbour-bakery'),
    lines: [
      order.product === undefined
        ? { kitId: await idOf(db, 'kits', order.kit ?? 'odoo-config-2'), quantity }
        : { productId: await idOf(db, 'products', order.product), quantity },
    ],
    testClockId: order.testClockId ?? null,
    currency: null,
    channel: 'api',
    actor: 'test',
    now: order.now ?? '2026-01-31T09:00:00Z',
  }
}

async function idOf(db: Db, table: 'customers' | 'kits' | 'products', code: string): Promise<string> {
  const row = await db.selectFrom(table).select('id').where('code', '=', code).executeTakeFirstOrThrow()
  return row.id
}

/** What the workflow does once the application was observed ready. */
export async function activate(db: Db, subscriptionId: string, now: string): Promise<void> {
  await setPhase(db, subscriptionId, { phase: 'building', now })
  await activateSubscription(db, subscriptionId, now)
  await billOpening(db, subscriptionId, now)
}

/** Bills a document period by period as long as one is due: what the billing run does with it. */
export async function billDue(db: Db, documentId: string, now: string): Promise<BilledDocument> {
  const { next_period_index } = await db
    .selectFrom('subscription_documents')
    .select('next_period_index')
    .where('id', '=', documentId)
    .executeTakeFirstOrThrow()
  let billed = await billPeriod(db, { documentId, periodIndex: next_period_index }, now)
  while (billed.next !== null && Date.parse(billed.next.dueAt) <= Date.parse(now)) {
    billed = await billPeriod(db, { documentId, periodIndex: billed.next.periodIndex }, now)
  }
  return billed
}

/** Pushes so many GiB of a metric at an instant. */
export async function pushUsage(
  db: Db,
  event: { subscriptionId: string; metric: string; quantity: string; occurredAt: string; unit?: string },
): Promise<void> {
  await storeUsageEvent(db, { unit: 'GiB', ...event, source: 'test', eventId: newId() })
}
