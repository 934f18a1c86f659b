import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { billLoneOneOffs } from '#db/lone-one-off.ts'
import { insertOneOffCharge } from '#db/one-off-charge.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const start = '2026-03-01T08:00:00Z'

async function charge(testClockId: string, currency: string, amount: string): Promise<void> {
  const { id: customerId } = await seller.db
    .selectFrom('customers')
    .select('id')
    .where('code', '=', 'harbour-bakery')
    .executeTakeFirstOrThrow()
  await insertOneOffCharge(seller.db, {
    customerId,
    subscriptionId: null,
    testClockId,
    productId: null,
    currency,
    description: 'Work',
    quantity: '1',
    unit: 'hour',
    price: perUnitPrice(amount),
    taxCategory: 'standard',
    reference: null,
    chargedOn: '2026-03-01',
  })
}

async function bill(testClockId: string, day: string): Promise<string[]> {
  await billLoneOneOffs(seller.db, { testClockId, now: `2026-03-${day}T09:00:00Z` })
  const rows = await seller.db
    .selectFrom('invoices')
    .select(['currency', 'total_minor'])
    .where('test_clock_id', '=', testClockId)
    .where('billing_key', 'like', 'one-off/%')
    .orderBy('id')
    .execute()
  return rows.map((row) => `${row.currency} ${row.total_minor}`)
}

test('one-offs in a currency in which nothing recurs are billed alone, those of a day together, once', async () => {
  const testClockId = await seller.clock(start)
  await seller.sell({ testClockId, now: start })
  await charge(testClockId, 'EUR', '12')
  await charge(testClockId, 'EUR', '8')
  await charge(testClockId, 'USD', '5')
  assert.deepEqual(await bill(testClockId, '01'), [])
  assert.deepEqual(await bill(testClockId, '02'), ['EUR 2000'])
  assert.deepEqual(await bill(testClockId, '03'), ['EUR 2000'])
})

test('they wait for the first bill of what is still being built', async () => {
  const testClockId = await seller.clock(start)
  await charge(testClockId, 'USD', '5')
  await seller.order({ testClockId, now: start })
  assert.deepEqual(await bill(testClockId, '02'), [])
})
