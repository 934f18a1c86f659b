import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { changeSubscription } from '#db/plan.ts'
import { confirmOrder } from '#db/order.ts'
import { insertProduct } from '#db/product.ts'
import { stopSubscriptionLine } from '#db/stopped-line.ts'
import { listProducts } from '#db/read/product.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { listServedLines } from '#test/support/lines.ts'
import { activate, createSeller, type Seller } from '#test/support/seller.ts'

// An add-on is sold beside another product only: with it in one order, or into a subscription that has it.

let seller: Seller
let hosting: string
let mail: string
let backup: string
before(async () => {
  seller = await createSeller()
  hosting = await newProduct('hosting', '10')
  mail = await newProduct('mail', '4')
  backup = await newProduct('daily-backup', '2', [hosting])
})
after(async () => seller.drop())

const now = '2026-04-01T08:00:00Z'

async function newProduct(code: string, price: string, addOnOf: string[] = []): Promise<string> {
  return await insertProduct(seller.db, {
    code,
    name: code,
    billingType: 'flat',
    billingTiming: 'arrears',
    recurrence: { count: 1, unit: 'month' },
    unit: 'month',
    basePrice: perUnitPrice(price),
    currency: 'USD',
    metric: null,
    limitCode: null,
    addOnOf,
    applicationIds: [],
  })
}

async function order(
  lines: { productId: string; joins?: string }[],
  at: { testClockId: string; now: string },
) {
  const request = await seller.request({ product: 'hosting', ...at })
  const asked = { ...request, lines: lines.map((line) => ({ ...line, quantity: '1' })) }
  const { subscriptionIds } = await seller.db.transaction().execute(async (tx) => confirmOrder(tx, asked))
  return subscriptionIds
}

/** Hosting with its backup, active since 1 April, by a clock of its own. */
async function sellWithBackup() {
  const testClockId = await seller.clock(now)
  const [subscriptionId = ''] = await order([{ productId: backup }, { productId: hosting }], {
    testClockId,
    now,
  })
  await activate(seller.db, subscriptionId, now)
  const lineOf = async (productId: string) => {
    const row = await seller.db
      .selectFrom('subscription_lines')
      .select('id')
      .where('subscription_id', '=', subscriptionId)
      .where('product_id', '=', productId)
      .executeTakeFirstOrThrow()
    return row.id
  }
  const command = (requestId: string, day: string) => ({
    subscriptionId,
    requestId,
    actor: 'test',
    now: `${day}T12:00:00Z`,
  })
  return { testClockId, subscriptionId, lineOf, command }
}

test('an add-on is a line of its own of the subscription that has its main product', async () => {
  const { subscriptionId } = await sellWithBackup()
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '1 hosting from 2026-04-01 to open',
    '1 daily-backup from 2026-04-01 to open',
  ])
})

test('it is not sold alone, nor beside or into what it does not fit', async () => {
  const testClockId = await seller.clock(now)
  const at = { testClockId, now }
  const refused = { code: 'addon_not_available' }
  await assert.rejects(order([{ productId: backup }], at), refused)
  await assert.rejects(order([{ productId: mail }, { productId: backup }], at), refused)
  const [joins = ''] = await order([{ productId: mail }], at)
  await activate(seller.db, joins, now)
  await assert.rejects(order([{ productId: backup, joins }], at), refused)
  const page = { limit: 10, cursor: null, direction: 'after' } as const
  assert.deepEqual(await listProducts(seller.db, { ...page, besideSubscriptionId: joins }, '2026-04-01'), [])
})

test('cancelled on 10 April it ends, and the main line goes on; ordered again it joins on its own day', async () => {
  const { testClockId, subscriptionId, lineOf, command } = await sellWithBackup()
  const stop = { subscriptionLineId: await lineOf(backup), endsOn: '2026-04-10' }
  await stopSubscriptionLine(seller.db, command('stop', '2026-04-10'), stop)
  const served = ['1 hosting from 2026-04-01 to open', '1 daily-backup from 2026-04-01 to 2026-04-10']
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), served)
  const page = { limit: 10, cursor: null, direction: 'after' } as const
  const offered = await listProducts(
    seller.db,
    { ...page, besideSubscriptionId: subscriptionId },
    '2026-04-20',
  )
  assert.deepEqual(
    offered.map(({ code }) => code),
    ['daily-backup'],
  )
  const later = '2026-04-20T12:00:00Z'
  await seller.db.updateTable('test_clocks').set({ now_at: later }).where('id', '=', testClockId).execute()
  await order([{ productId: backup, joins: subscriptionId }], { testClockId, now: later })
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    ...served,
    '1 daily-backup from 2026-04-20 to open',
  ])
})

test('it ends with its main line', async () => {
  const { subscriptionId, lineOf, command } = await sellWithBackup()
  const stop = { subscriptionLineId: await lineOf(hosting), endsOn: '2026-04-15' }
  await stopSubscriptionLine(seller.db, command('stop', '2026-04-10'), stop)
  assert.deepEqual(await listServedLines(seller.db, subscriptionId), [
    '1 hosting from 2026-04-01 to 2026-04-15',
    '1 daily-backup from 2026-04-01 to 2026-04-15',
  ])
})

test('it ends where the main line becomes what it does not fit', async () => {
  const { subscriptionId, lineOf, command } = await sellWithBackup()
  const subscriptionLineId = await lineOf(hosting)
  await changeSubscription(seller.db, command('change', '2026-04-10'), {
    subscriptionLineId,
    productId: mail,
  })
  const rows = await seller.db
    .selectFrom('subscription_lines')
    .select(['product_id', 'ends_on'])
    .where('subscription_id', '=', subscriptionId)
    .where('product_id', 'in', [hosting, backup])
    .execute()
  assert.notEqual(rows[0]?.ends_on, null)
  assert.equal(new Set(rows.map(({ ends_on }) => ends_on)).size, 1)
})
