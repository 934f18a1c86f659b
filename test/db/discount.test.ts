import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { insertDiscount, takeDiscount } from '#db/discount.ts'
import { insertProduct } from '#db/product.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'
import { sellUsers } from '#test/support/users.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

test('ten per cent for three months are not ten per cent of a year where the line moves to a yearly plan', async () => {
  const { db } = seller
  const productId = await insertProduct(db, {
    code: 'user-year',
    name: 'User, by the year',
    billingType: 'threshold',
    billingTiming: 'advance',
    recurrence: { count: 1, unit: 'year' },
    unit: 'user',
    basePrice: perUnitPrice('20'),
    currency: 'USD',
    metric: null,
    limitCode: null,
    applicationIds: [],
  })
  const { subscriptionId, documentId, change } = await sellUsers(seller)
  const { customer_id: customerId } = await db
    .selectFrom('subscriptions')
    .select('customer_id')
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  const discountId = await insertDiscount(db, {
    code: null,
    name: 'Welcome',
    percent: '10',
    amount: null,
    scope: 'line',
    productId: null,
    periodCount: 3,
    startsOn: null,
    endsOn: null,
    maximumUses: null,
    isOncePerCustomer: false,
  })
  const use = { customerId, subscriptionIds: [subscriptionId], startsOn: '2026-04-01', pointer: '' }
  await db.transaction().execute(async (tx) => takeDiscount(tx, discountId, use))
  for (const day of ['05', '06', '07', '08']) await billDue(db, documentId, `2026-${day}-01T00:00:00Z`)
  await change('yearly', '2026-08-01', { productId })
  const { document_id: yearly } = await db
    .selectFrom('subscription_lines')
    .select('document_id')
    .where('subscription_id', '=', subscriptionId)
    .where('starts_on', '=', '2026-08-01')
    .executeTakeFirstOrThrow()
  await billDue(db, yearly ?? '', '2026-08-01T12:00:00Z')
  const lines = await db
    .selectFrom('invoice_lines')
    .select(['rated_minor', 'discount_minor'])
    .where('subscription_id', '=', subscriptionId)
    .where('kind', '=', 'recurring')
    .orderBy('id')
    .execute()
  assert.deepEqual(
    lines.map((line) => [line.rated_minor, line.discount_minor]),
    // The first month was billed before the discount was given.
    [[500, 0], [500, 50], [500, 50], [500, 0], [500, 0], [10000, 0]], // prettier-ignore
  )
})
