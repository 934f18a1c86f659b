import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { billFinal, billPeriod } from '#db/billing.ts'
import { insertKit } from '#db/kit.ts'
import { insertProduct } from '#db/product.ts'
import { changeSubscription } from '#db/plan.ts'
import { cancelSubscription, uncancelSubscription, type CommandKey } from '#db/subscription-command.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { listDocumentIds } from '#test/support/invoices.ts'
import { activate, createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const start = '2026-01-01T00:00:00Z'
const periodEnd = { when: 'period_end', reason: 'moved' } as const

/** Several subscriptions of five users on one document, by a clock of their own. */
async function sellTogether(count: number) {
  const testClockId = await seller.clock(start)
  const subscriptionIds: string[] = []
  for (let number = 0; number < count; number += 1) {
    subscriptionIds.push(await seller.sell({ product: 'odoo-user', quantity: '5', testClockId, now: start }))
  }
  const [documentId = ''] = await listDocumentIds(seller.db, subscriptionIds[0] ?? '')
  return { testClockId, subscriptionIds, documentId }
}

async function change(key: CommandKey, quantity: string): Promise<void> {
  const { id } = await seller.db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', key.subscriptionId)
    .orderBy('id')
    .executeTakeFirstOrThrow()
  await changeSubscription(seller.db, key, { subscriptionLineId: id, quantity })
}

test('a document is billed while its subscriptions are changed and cancelled, and nobody is turned away', async () => {
  const { subscriptionIds, documentId } = await sellTogether(8)
  for (let round = 1; round <= 6; round += 1) {
    const now = `2026-0${round + 1}-01T00:00:00Z`
    const bill = async () => await billPeriod(seller.db, { documentId, periodIndex: round }, now)
    const commands = subscriptionIds.map(async (id, index) => {
      const key = (kind: string) => ({
        subscriptionId: id,
        requestId: `${kind} ${round}`,
        actor: 'test',
        now: `2026-0${round}-20T00:00:00Z`,
      })
      await change(key('up'), String(10 + round))
      await change(key('down'), String(2 + round))
      if (index % 2 === 0) await cancelSubscription(seller.db, key('end'), periodEnd)
      if (index % 2 === 0) await uncancelSubscription(seller.db, key('stay'))
    })
    await Promise.all([bill(), ...commands, bill(), bill()])
  }
  const periods = await seller.db
    .selectFrom('billing_periods')
    .select('invoice_id')
    .where('document_id', '=', documentId)
    .execute()
  assert.equal(new Set(periods.map((period) => period.invoice_id)).size, 7)
})

test('subscriptions join and leave a document while it is billed, and nobody is turned away', async () => {
  const { testClockId, subscriptionIds, documentId } = await sellTogether(6)
  const { subscriptionIds: joining } = await seller.order({
    kit: 'odoo-config-2',
    quantity: '6',
    testClockId,
  })
  const now = '2026-02-01T00:00:00Z'
  await Promise.all([
    ...subscriptionIds.map(async (id) => {
      const key = { subscriptionId: id, requestId: 'end', actor: 'test', now }
      await cancelSubscription(seller.db, key, { when: 'now', reason: 'moved' })
      await billFinal(seller.db, id, now)
    }),
    ...joining.map(async (id) => activate(seller.db, id, now)),
    billPeriod(seller.db, { documentId, periodIndex: 1 }, now),
  ])
  const charged = await seller.db
    .selectFrom('invoice_lines')
    .innerJoin('subscriptions', 'subscriptions.id', 'subscription_id')
    .select((eb) => eb.fn.sum<string>('amount_minor').as('minor'))
    .where('test_clock_id', '=', testClockId)
    .executeTakeFirstOrThrow()
  assert.equal(Number(charged.minor), 6 * 500 + 6 * 1000)
})

test('twenty subscriptions of two intervals each, named in either order, come to life at once', async () => {
  const monthly = await insertPlan('monthly', 'month')
  const yearly = await insertPlan('yearly', 'year')
  const testClockId = await seller.clock(start)
  const subscriptionIds: string[] = []
  for (const [code, parts] of Object.entries({ rising: [monthly, yearly], falling: [yearly, monthly] })) {
    const billOfMaterials = parts.map((productId, sequence) => ({
      productId,
      kitId: null,
      quantity: '1',
      sequence,
    }))
    await insertKit(seller.db, { code, name: code, billOfMaterials })
    const order = await seller.order({ kit: code, quantity: '10', testClockId })
    subscriptionIds.push(...order.subscriptionIds)
  }
  await Promise.all(subscriptionIds.map(async (id) => activate(seller.db, id, start)))
  const documents = await Promise.all(subscriptionIds.map(async (id) => listDocumentIds(seller.db, id)))
  assert.deepEqual(new Set(documents.map((ids) => ids.length)), new Set([2]))
  assert.equal(new Set(documents.flat()).size, 2)
})

async function insertPlan(code: string, unit: 'month' | 'year'): Promise<string> {
  return await insertProduct(seller.db, {
    code,
    name: code,
    billingType: 'flat',
    billingTiming: 'advance',
    recurrence: { count: 1, unit },
    unit: 'month',
    basePrice: perUnitPrice('10'),
    currency: 'USD',
    metric: null,
    limitCode: null,
    applicationIds: [],
  })
}
