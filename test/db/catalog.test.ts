import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { saveApplication } from '#db/application.ts'
import { readCatalog, readPriceList } from '#db/catalog.ts'
import { insertKit } from '#db/kit.ts'
import { insertPriceList } from '#db/price-list.ts'
import { insertProduct, type NewProduct } from '#db/product.ts'
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
    basePrice: '0.0000012345',
    currency: 'USD',
    metric: null,
    limitCode: null,
    applicationIds: [],
  }
}

test('a product is read as it was saved, its price to the last digit', async () => {
  const { id: applicationId } = await saveApplication(database.db, { compose: 'shop', definition: shop })
  const id = await insertProduct(database.db, { ...product('support'), applicationIds: [applicationId] })
  const catalog = await readCatalog(database.db)
  assert.deepEqual(catalog.products.get(id), {
    ...product('support'),
    id,
    isArchived: false,
    applicationIds: [applicationId],
  })
})

test('a kit is read with its bill of materials', async () => {
  const productId = await insertProduct(database.db, product('part'))
  const billOfMaterials = [
    { productId, kitId: null, quantity: '2.5', sequence: 20 },
    { productId, kitId: null, quantity: '1', sequence: 10 },
  ]
  const id = await insertKit(database.db, { code: 'bundle', name: 'Bundle', billOfMaterials })
  const catalog = await readCatalog(database.db)
  assert.deepEqual(catalog.kits.get(id), {
    id,
    code: 'bundle',
    name: 'Bundle',
    isArchived: false,
    billOfMaterials,
  })
})

test('a price list is read with its dates half-open, and open ends as none', async () => {
  const item = {
    productId: null,
    minimumQuantity: '10',
    unitPrice: null,
    discountPercent: '12.5',
    startsOn: '2026-04-01',
    endsOn: null,
  }
  const always = { ...item, unitPrice: '0.9', discountPercent: null, startsOn: null, endsOn: '2026-05-01' }
  const id = await insertPriceList(database.db, {
    code: 'partners',
    name: 'Partners',
    currency: 'USD',
    items: [item, always],
  })
  const list = await readPriceList(database.db, id)
  assert.deepEqual(
    list.items
      .map(({ id: _id, ...rest }) => rest)
      .toSorted((a, b) => (a.startsOn ?? '').localeCompare(b.startsOn ?? '')),
    [always, item],
  )
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
