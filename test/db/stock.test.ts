import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { insertProduct } from '#db/product.ts'
import { setStock } from '#db/stock.ts'
import { confirmOrder } from '#db/order.ts'
import { setPhase } from '#db/subscription.ts'
import { BusinessError } from '#domain/errors.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const now = '2026-04-01T09:00:00Z'

async function stocked(code: string, stock: Parameters<typeof setStock>[2]): Promise<string> {
  const productId = await insertProduct(seller.db, {
    code,
    name: code,
    billingType: 'flat',
    billingTiming: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'piece',
    basePrice: perUnitPrice('5'),
    currency: 'USD',
    metric: null,
    limitCode: null,
    applicationIds: [],
  })
  await seller.db.transaction().execute(async (tx) => setStock(tx, productId, stock))
  return productId
}

/** The codes of what orders were refused for; `ok` for those that were confirmed. */
async function outcomes(orders: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const settled = await Promise.allSettled(orders)
  const codes = settled.map((one) =>
    one.status === 'fulfilled'
      ? 'ok'
      : one.reason instanceof BusinessError
        ? one.reason.code
        : String(one.reason),
  )
  return Object.fromEntries([...Map.groupBy(codes, (code) => code)].map(([code, all]) => [code, all.length]))
}

async function takenOf(productId: string): Promise<string> {
  const row = await seller.db
    .selectFrom('stocks')
    .select('taken_quantity')
    .where('product_id', '=', productId)
    .executeTakeFirstOrThrow()
  return row.taken_quantity
}

test('of ten orders at once with three in stock exactly three are confirmed and seven are out of stock', async () => {
  const productId = await stocked('last-three', { quantity: '3' })
  const orders = Array.from({ length: 10 }, async () => seller.order({ product: 'last-three' }))
  assert.deepEqual(await outcomes(orders), { ok: 3, out_of_stock: 7 })
  assert.equal(await takenOf(productId), '3')
})

test('of ten orders of one customer at once with a limit of two exactly two are confirmed', async () => {
  await stocked('two-each', { limitPerCustomer: '2' })
  const orders = Array.from({ length: 10 }, async () => seller.order({ product: 'two-each' }))
  assert.deepEqual(await outcomes(orders), { ok: 2, customer_limit_reached: 8 })
  assert.deepEqual(await outcomes([seller.order({ product: 'two-each', customer: 'north-clinic' })]), {
    ok: 1,
  })
})

test('what is taken goes back once when its subscription ends, unless the product says otherwise', async () => {
  for (const [code, isReturned, left] of [
    ['lent', true, '0'],
    ['spent', false, '1'],
  ] as const) {
    const productId = await stocked(code, { quantity: '1', isReturned })
    const { subscriptionIds } = await seller.order({ product: code })
    for (const phase of ['building', 'unbuilding', 'ended', 'ended'] as const)
      await setPhase(seller.db, subscriptionIds[0] ?? '', { phase, now })
    assert.equal(await takenOf(productId), left, code)
    const again = isReturned ? { ok: 1 } : { out_of_stock: 1 }
    assert.deepEqual(await outcomes([seller.order({ product: code })]), again, code)
  }
})

test('an order that fails after it took from the stock takes nothing', async () => {
  const productId = await stocked('rolled-back', { quantity: '1' })
  const request = await seller.request({ product: 'rolled-back' })
  await assert.rejects(
    seller.db.transaction().execute(async (tx) => {
      await confirmOrder(tx, request)
      throw new Error('killed before the commit')
    }),
  )
  assert.equal(await takenOf(productId), '0')
})

test('what lives by a test clock takes nothing from the stock, and is refused when there is nothing', async () => {
  const productId = await stocked('imagined', { quantity: '1' })
  const testClockId = await seller.clock(now)
  await seller.order({ product: 'imagined', testClockId, now })
  assert.equal(await takenOf(productId), '0')
  const two = seller.order({ product: 'imagined', quantity: '2', testClockId, now })
  assert.deepEqual(await outcomes([two]), { out_of_stock: 1 })
})

test('a stock is not set below what is taken', async () => {
  const productId = await stocked('held', { quantity: '2' })
  await seller.order({ product: 'held', quantity: '2' })
  const set = seller.db.transaction().execute(async (tx) => setStock(tx, productId, { quantity: '1' }))
  await assert.rejects(set, { code: 'field_invalid' })
})
