import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { saveApplication } from '#db/application.ts'
import { readCatalog, readPriceLists } from '#db/catalog.ts'
import { insertKit } from '#db/kit.ts'
import { insertPriceList } from '#db/price-list.ts'
import { insertProduct, type NewProduct } from '#db/product.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { shop } from '#test/domain/application-fixture.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'

let database: TestDatabase
before(async () => {
  database = await createTestDatabase()
})
after(async () => database.drop())

function product(code: string): NewProduct {
  return {
    code,
    name: code,
    billingType: 'flat',
    billingTiming: 'advance',
    recurrence: { count: 1, unit: 'quarter' },
    unit: 'month',
    basePrice: perUnitPrice('0.0000012345'),
    terms: { proration: 'none' },
    category: 'hosting',
    attributes: { size: 'large' },
    variantOf: null,
    taxCategory: 'reduced',
    currency: 'USD',
    metric: null,
    limitCode: null,
    applicationIds: [],
  }
}

test('a product is read as it was saved, its price to the last digit', async () => {
  const { id: applicationId } = await saveApplication(database.db, { compose: 'shop', definition: shop })
  const id = await insertProduct(database.db, { ...product('support'), applicationIds: [applicationId] })
  const catalog = await readCatalog(database.db, '2026-11-25')
  assert.deepEqual(catalog.products.get(id), {
    ...product('support'),
    id,
    version: 1,
    isArchived: false,
    isHidden: false,
    applicationIds: [applicationId],
    quantityAttribute: null,
    addOnOf: [],
    options: [],
    orderFields: [],
    features: {},
  })
})

test('a kit is read with its bill of materials', async () => {
  const productId = await insertProduct(database.db, product('part'))
  const billOfMaterials = [
    { productId, kitId: null, quantity: '2.5', sequence: 20 },
    { productId, kitId: null, quantity: '1', sequence: 10 },
  ]
  const kit = { code: 'bundle', name: 'Bundle', priceProductId: productId, billOfMaterials }
  const id = await insertKit(database.db, kit)
  const catalog = await readCatalog(database.db, '2026-11-25')
  assert.deepEqual(catalog.kits.get(id), { ...kit, id, version: 1, isArchived: false, isHidden: false })
})

test('a price list is read with its dates half-open, open ends as none, and the list it is based on', async () => {
  const item = {
    customerId: null,
    target: { kind: 'category', category: 'hosting' },
    minimumQuantity: '10',
    startsOn: '2026-04-01',
    endsOn: null,
    season: { from: '11-01', until: '03-01' },
    pricing: { kind: 'discount', percent: '12.5' },
  } as const
  const always = {
    ...item,
    target: { kind: 'all' },
    startsOn: null,
    endsOn: '2026-05-01',
    season: null,
    pricing: { kind: 'fixed', price: perUnitPrice('0.9') },
  } as const
  const list = { name: 'List', currency: 'USD' }
  const baseId = await insertPriceList(database.db, {
    ...list,
    code: 'standard',
    basePriceListId: null,
    items: [always],
  })
  const id = await insertPriceList(database.db, {
    ...list,
    code: 'partners',
    basePriceListId: baseId,
    items: [item],
  })
  const lists = await readPriceLists(database.db, [id], [])
  const itemsOf = (listId: string) => lists.get(listId)?.items.map(({ id: _id, ...rest }) => rest)
  assert.deepEqual(itemsOf(baseId), [{ ...always, currency: null }])
  const base = { kind: 'price_list', priceListId: baseId }
  assert.deepEqual(itemsOf(id), [{ ...item, currency: null, pricing: { ...item.pricing, base } }])
})

test('of ten that take one code at once one gets it', async () => {
  const tries = await Promise.allSettled(
    Array.from({ length: 10 }, async () => insertProduct(database.db, product('wanted'))),
  )
  const refusals = tries.filter((result) => result.status === 'rejected').map((result) => result.reason.code)
  assert.deepEqual(
    refusals,
    Array.from({ length: 9 }, () => 'code_taken'),
  )
})

test('the same compose file is the same version, another one the next', async () => {
  const save = async (compose: string) =>
    (await saveApplication(database.db, { compose, definition: { ...shop, code: 'blog' } })).version
  assert.deepEqual([await save('one'), await save('one'), await save('two'), await save('one')], [1, 1, 2, 1])
  const versions = await Promise.all(
    ['three', 'four', 'five'].map(async (compose) =>
      database.db
        .transaction()
        .execute(
          async (tx) =>
            (await saveApplication(tx, { compose, definition: { ...shop, code: 'blog' } })).version,
        ),
    ),
  )
  assert.deepEqual(
    versions.toSorted((first, second) => first - second),
    [3, 4, 5],
  )
})
