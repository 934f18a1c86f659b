import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '#db/identifier.ts'
import type { OrderRequest } from '#db/order-context.ts'
import { confirmOrder } from '#db/order.ts'
import { insertProduct } from '#db/product.ts'
import { encodeId } from '#domain/identifier.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { startInstallation, until, type TestInstallation } from '#test/support/installation.ts'
import { countWaiting } from '#test/support/lock-wait.ts'
import { activate } from '#test/support/seller.ts'
import { taskQueues, workflowIds, type BillingRunProgress } from '#workflows/contract.ts'
import { readRuns } from './history.ts'

const dayMs = 86_400_000

let installation: TestInstallation
let productId: string

before(async () => {
  installation = await startInstallation()
  productId = await insertProduct(installation.db, {
    code: 'support',
    name: 'Support',
    billingType: 'flat',
    billingTiming: 'advance',
    recurrence: { count: 30, unit: 'day' },
    unit: 'month',
    basePrice: perUnitPrice('10'),
    currency: 'USD',
    metric: null,
    limitCode: null,
    applicationIds: [],
  })
})
after(async () => await installation.stop())

/**
 * A subscription in real time that was active 70 days ago: its document has had its first bill, and the two after it are
 * due. Its workflow is not started yet.
 */
async function sellLongAgo(customer: string): Promise<{ subscriptionId: string; documentId: string }> {
  const { db } = installation
  const { id: customerId } = await db
    .selectFrom('customers')
    .select('id')
    .where('code', '=', customer)
    .executeTakeFirstOrThrow()
  const then = new Date(Date.now() - 70 * dayMs).toISOString()
  const order: OrderRequest = {
    customerId,
    lines: [{ productId, quantity: '1' }],
    testClockId: null,
    currency: null,
    channel: 'api',
    actor: 'test',
    now: then,
  }
  const { subscriptionIds } = await db.transaction().execute(async (tx) => await confirmOrder(tx, order))
  const [subscriptionId] = subscriptionIds
  assert.ok(subscriptionId)
  await activate(db, subscriptionId, then)
  const document = await db
    .selectFrom('subscription_documents')
    .selectAll()
    .where('customer_id', '=', customerId)
    .executeTakeFirstOrThrow()
  assert.equal(document.next_period_index, 1)
  return { subscriptionId, documentId: document.id }
}

async function startBillingRun() {
  return await installation.client.workflow.start('billingRun', {
    workflowId: workflowIds.billingRun(newId()),
    taskQueue: taskQueues.installation(installation.installationId),
    args: [{ instant: new Date().toISOString() }],
  })
}

/** Holds a document as one who bills it does, so that everybody who comes for it meets at it. */
async function hold(documentId: string) {
  const held = await installation.db.startTransaction().execute()
  await held
    .selectFrom('subscription_documents')
    .select('id')
    .where('id', '=', documentId)
    .forUpdate()
    .execute()
  return { release: async () => await held.commit().execute() }
}

async function untilWaiting(count: number): Promise<void> {
  const look = async () => (await countWaiting(installation.db)) === count
  await until(`${count} wait for the document`, look)
}

async function billedPeriods(documentId: string) {
  return await installation.db
    .selectFrom('billing_periods')
    .innerJoin('invoices', 'invoices.id', 'billing_periods.invoice_id')
    .select(['period_index', 'number', 'sequence', 'total_minor'])
    .where('billing_periods.document_id', '=', documentId)
    .orderBy('period_index')
    .execute()
}

/** What a subscription's own calls of billPeriod answered, as its history has it. */
async function answersTo(subscriptionId: string): Promise<string[]> {
  const workflowId = workflowIds.subscription(encodeId('subscription', subscriptionId))
  const runs = await readRuns(installation.client, workflowId)
  const events = runs.flatMap((run) => run.events)
  return events.flatMap((event) => {
    const payload = event.activityTaskCompletedEventAttributes?.result?.payloads?.[0]?.data
    const result = payload ? (JSON.parse(Buffer.from(payload).toString()) as { invoiceNumber?: string }) : {}
    return result.invoiceNumber ? [result.invoiceNumber] : []
  })
}

test('two billing runs and the subscription that bill one document at once make one invoice a period, and all find it', async () => {
  const { subscriptionId, documentId } = await sellLongAgo('harbour-bakery')
  const document = await hold(documentId)
  const runs = await Promise.all([startBillingRun(), startBillingRun()])
  await installation.relay()
  await untilWaiting(3)
  await document.release()
  const counts: number[] = []
  for (const run of runs) {
    const { billed, ...progress } = (await run.result()) as BillingRunProgress
    assert.deepEqual(progress, { skipped: 0, parked: 0, after: null })
    counts.push(billed)
  }
  // A run counts what it billed itself; where the subscription came first, none did.
  assert.ok(counts.reduce((sum, billed) => sum + billed, 0) <= 1, `counted ${counts.join(' and ')}`)
  const periods = await until('every period is billed', async () => {
    const billed = await billedPeriods(documentId)
    return billed.length >= 3 && billed
  })
  assert.deepEqual(
    periods.map((period) => [period.period_index, period.sequence, period.total_minor]),
    [
      [0, 1, 1000],
      [1, 2, 1000],
      [2, 3, 1000],
    ],
  )
  const invoices = await installation.db.selectFrom('invoices').select('number').execute()
  assert.equal(invoices.length, 3)
  const [firstDue] = await until('the subscription knows the invoice', async () => {
    const answers = await answersTo(subscriptionId)
    return answers.length > 0 && answers
  })
  assert.equal(firstDue, periods[1]?.number)
})

test('a document that is held for longer than a billing run waits for it is billed after it, not parked', async () => {
  const { documentId } = await sellLongAgo('north-clinic')
  const document = await hold(documentId)
  const run = await startBillingRun()
  await untilWaiting(1)
  await sleep(6_000)
  await document.release()
  const progress = (await run.result()) as BillingRunProgress
  assert.deepEqual(progress, { billed: 1, skipped: 0, parked: 0, after: null })
  const periods = await billedPeriods(documentId)
  assert.deepEqual(
    periods.map((period) => [period.period_index, period.sequence]),
    [
      [0, 4],
      [1, 5],
      [2, 6],
    ],
  )
  assert.deepEqual(await installation.db.selectFrom('tasks').select('kind').execute(), [])
})
