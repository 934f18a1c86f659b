import assert from 'node:assert/strict'
import test from 'node:test'
import { BusinessError } from '#domain/errors.ts'
import { explodeKit } from '#domain/kit.ts'
import { buildSequence, planOrder, type Catalog, type OrderRequestLine } from '#domain/order.ts'
import { perUnitPrice, unitPriceOf } from '#domain/pricing/unit-price.ts'
import { catalogKit, catalogOf, catalogProduct, demoCatalog } from '#test/support/catalog.ts'

const terms = {
  customerId: 'acme',
  currency: 'USD',
  on: '2026-04-10',
  startsOn: '2026-04-10',
  priceList: null,
  otherLists: new Map(),
}

function plan(lines: readonly OrderRequestLine[], catalog: Catalog = demoCatalog) {
  return planOrder(lines, catalog, terms)
}

/** The refusal of an order, as the API would tell it. */
function refusal(lines: readonly OrderRequestLine[], catalog: Catalog = demoCatalog) {
  try {
    plan(lines, catalog)
  } catch (error) {
    assert.ok(error instanceof BusinessError, String(error))
    return { code: error.code, pointers: error.fields.map((field) => field.pointer) }
  }
  return assert.fail('the order was not refused')
}

test('a kit ordered three times makes three subscriptions', () => {
  const planned = plan([{ kitId: 'config-2', quantity: '3' }])
  assert.deepEqual(
    planned.map(({ kitId, lines }) => [kitId, lines.length, lines[0]?.amountMinor]),
    [
      ['config-2', 1, 1000],
      ['config-2', 1, 1000],
      ['config-2', 1, 1000],
    ],
  )
})

test('five of a product are one subscription with one line of five', () => {
  const [subscription, ...others] = plan([{ productId: 'user', quantity: '5' }])
  assert.equal(others.length, 0)
  assert.equal(subscription?.lines[0]?.quantity, '5')
  assert.equal(subscription?.lines[0]?.amountMinor, 500)
})

test('a kit keeps the order of its bill of materials, and what is metered begins with nothing', () => {
  const [subscription] = plan([{ kitId: 'config-1', quantity: '1' }])
  assert.deepEqual(
    subscription?.lines.map(({ product, quantity, amountMinor }) => [product.id, quantity, amountMinor]),
    [
      ['user', '5', 500],
      ['network', '0', 0],
      ['email', '5', 500],
    ],
  )
})

test('a kit’s own price stands for its flat and threshold components, and what is metered is billed beside it', () => {
  const own = catalogProduct('own-price', { basePrice: perUnitPrice('8') })
  const kit = { ...catalogKit('bundle', [['kit', 'config-1', '1']]), priceProductId: own.id }
  const catalog = catalogOf([...demoCatalog.products.values(), own], [...demoCatalog.kits.values(), kit])
  const [subscription] = plan([{ kitId: 'bundle', quantity: '1' }], catalog)
  assert.deepEqual(
    subscription?.lines.map(({ product, quantity, price, amountMinor }) => [
      product.id,
      quantity,
      unitPriceOf(price.price),
      amountMinor,
    ]),
    [
      ['own-price', '1', '8', 800],
      ['user', '5', '0', 0],
      ['network', '0', '1', 0],
      ['email', '5', '0', 0],
    ],
  )
  assert.deepEqual(subscription?.applicationIds, ['odoo'])
})

test('an application that several products name is built once', () => {
  assert.deepEqual(plan([{ kitId: 'config-1', quantity: '1' }])[0]?.applicationIds, ['odoo'])
})

test('kits inside kits multiply their quantities and stand where the inner kit stands', () => {
  const catalog = catalogOf(
    [catalogProduct('a'), catalogProduct('b'), catalogProduct('c')],
    [
      catalogKit('inner', [
        ['product', 'a', '2', 20],
        ['product', 'b', '1.5', 10],
      ]),
      catalogKit('outer', [
        ['product', 'c', '1', 30],
        ['kit', 'inner', '3', 5],
      ]),
    ],
  )
  const [subscription] = plan([{ kitId: 'outer', quantity: '1' }], catalog)
  assert.deepEqual(
    subscription?.lines.map(({ product, quantity }) => [product.id, quantity]),
    [
      ['b', '4.5'],
      ['a', '6'],
      ['c', '1'],
    ],
  )
})

test('applications of one place in a bill of materials are built side by side, those of a lower one before them', () => {
  const building = (code: string) => catalogProduct(code, { applicationIds: [`app-${code}`] })
  const catalog = catalogOf(
    ['a', 'b', 'c', 'd', 'e'].map((code) => building(code)),
    [
      catalogKit('inner', [
        ['product', 'a', '1', 20],
        ['product', 'b', '1', 10],
      ]),
      catalogKit('outer', [
        ['product', 'd', '1', 30],
        ['kit', 'inner', '1', 5],
        ['product', 'e', '1', 30],
        ['product', 'c', '1', 40],
      ]),
    ],
  )
  const [subscription] = plan([{ kitId: 'outer', quantity: '1' }], catalog)
  assert.deepEqual(
    [...buildSequence(subscription?.lines ?? [])],
    [
      ['app-b', 0],
      ['app-a', 1],
      ['app-d', 2],
      ['app-e', 2],
      ['app-c', 3],
    ],
  )
})

test('a kit that contains itself is refused, at any depth', () => {
  const catalog = catalogOf(
    [],
    [
      catalogKit('self', [['kit', 'self', '1']]),
      catalogKit('one', [['kit', 'two', '1']]),
      catalogKit('two', [['kit', 'one', '1']]),
    ],
  )
  assert.deepEqual(refusal([{ kitId: 'self', quantity: '1' }], catalog), {
    code: 'kit_cycle',
    pointers: ['/lines/0/kit'],
  })
  assert.equal(refusal([{ kitId: 'two', quantity: '1' }], catalog).code, 'kit_cycle')
})

test('the same kit twice side by side is no cycle', () => {
  const catalog = catalogOf(
    [catalogProduct('a')],
    [
      catalogKit('inner', [['product', 'a', '1']]),
      catalogKit('outer', [
        ['kit', 'inner', '1'],
        ['kit', 'inner', '2'],
      ]),
    ],
  )
  assert.equal(plan([{ kitId: 'outer', quantity: '1' }], catalog)[0]?.lines.length, 2)
})

test('kits are five deep at most', () => {
  const kits = [1, 2, 3, 4, 5].map((depth) => catalogKit(`kit-${depth}`, [['kit', `kit-${depth + 1}`, '1']]))
  const catalog = catalogOf([catalogProduct('a')], [...kits, catalogKit('kit-6', [['product', 'a', '1']])])
  assert.equal(plan([{ kitId: 'kit-2', quantity: '1' }], catalog)[0]?.lines.length, 1)
  assert.deepEqual(refusal([{ kitId: 'kit-1', quantity: '1' }], catalog), {
    code: 'kit_too_deep',
    pointers: ['/lines/0/kit'],
  })
})

test('a kit with a component that is gone is refused', () => {
  const catalog = catalogOf([], [catalogKit('broken', [['product', 'gone', '1']])])
  assert.throws(() => explodeKit(catalogKit('broken', [['kit', 'gone', '1']]), catalog), {
    code: 'product_unknown',
  })
  assert.equal(refusal([{ kitId: 'broken', quantity: '1' }], catalog).code, 'product_unknown')
})

test('a one-time fee joins the first subscription of its order', () => {
  const planned = plan([
    { productId: 'set-up', quantity: '1' },
    { kitId: 'config-2', quantity: '2' },
  ])
  assert.deepEqual(
    planned.map(({ kitId, lines }) => [kitId, lines.map((line) => line.product.id)]),
    [
      ['config-2', ['flat', 'set-up']],
      ['config-2', ['flat']],
    ],
  )
})

test('a one-time fee alone is a subscription of its own', () => {
  const planned = plan([{ productId: 'set-up', quantity: '2' }])
  assert.deepEqual(
    planned.map(({ productId, lines }) => [productId, lines[0]?.interval, lines[0]?.amountMinor]),
    [['set-up', null, 4000]],
  )
})

test('an order makes a hundred subscriptions and not one more', () => {
  assert.equal(plan([{ kitId: 'config-2', quantity: '100' }]).length, 100)
  assert.deepEqual(refusal([{ kitId: 'config-2', quantity: '101' }]), {
    code: 'order_too_large',
    pointers: ['/lines/0/quantity'],
  })
  const two = [
    { kitId: 'config-2', quantity: '60' },
    { kitId: 'config-2', quantity: '41' },
  ]
  assert.deepEqual(refusal(two), { code: 'order_too_large', pointers: ['/lines'] })
})

test('an order without lines is refused', () => {
  assert.deepEqual(refusal([]), { code: 'order_empty', pointers: ['/lines'] })
})

for (const quantity of ['0', '-1', '', '1e3', 'five', '0.0', '1.', '1234567890123', '1.12345678901', 'NaN']) {
  test(`a quantity of ${JSON.stringify(quantity)} is refused`, () => {
    const lines = [
      { kitId: 'config-2', quantity: '1' },
      { productId: 'site', quantity },
    ]
    assert.deepEqual(refusal(lines), { code: 'quantity_invalid', pointers: ['/lines/1/quantity'] })
  })
}

test('one and a half users, applications or kits are refused', () => {
  const refused = { code: 'quantity_not_whole', pointers: ['/lines/0/quantity'] }
  assert.deepEqual(refusal([{ productId: 'user', quantity: '1.5' }]), refused)
  assert.deepEqual(refusal([{ productId: 'site', quantity: '1.5' }]), refused)
  assert.deepEqual(refusal([{ kitId: 'config-2', quantity: '1.5' }]), refused)
})

test('what is unknown or archived cannot be ordered, and the line that asked for it is named', () => {
  const catalog = catalogOf(
    [catalogProduct('a'), catalogProduct('old', { isArchived: true })],
    [catalogKit('old-kit', [['product', 'a', '1']], true), catalogKit('with-old', [['product', 'old', '1']])],
  )
  const refused = (line: OrderRequestLine) => refusal([{ productId: 'a', quantity: '1' }, line], catalog)
  assert.deepEqual(refused({ productId: 'gone', quantity: '1' }), {
    code: 'product_unknown',
    pointers: ['/lines/1/product'],
  })
  assert.deepEqual(refused({ kitId: 'gone', quantity: '1' }), {
    code: 'product_unknown',
    pointers: ['/lines/1/kit'],
  })
  assert.deepEqual(refused({ productId: 'old', quantity: '1' }), {
    code: 'product_archived',
    pointers: ['/lines/1/product'],
  })
  assert.deepEqual(refused({ kitId: 'old-kit', quantity: '1' }), {
    code: 'product_archived',
    pointers: ['/lines/1/kit'],
  })
  assert.deepEqual(refused({ kitId: 'with-old', quantity: '1' }), {
    code: 'product_archived',
    pointers: ['/lines/1/kit'],
  })
})

test('a product without a price in the currency is refused with its line', () => {
  const catalog = catalogOf([catalogProduct('a'), catalogProduct('euro', { currency: 'EUR' })])
  const lines = [
    { productId: 'a', quantity: '1' },
    { productId: 'euro', quantity: '1' },
  ]
  assert.deepEqual(refusal(lines, catalog), {
    code: 'price_missing_in_currency',
    pointers: ['/lines/1/product'],
  })
})

test('the price is that of the price list on the day of the order, for the whole quantity', () => {
  const item = {
    id: 'item',
    customerId: null,
    target: { kind: 'product', productId: 'user' },
    minimumQuantity: '10',
    currency: null,
    startsOn: '2026-04-10',
    endsOn: null,
    season: null,
    pricing: { kind: 'fixed', price: perUnitPrice('0.335') },
  } as const
  const priceList = { id: 'list', currency: 'USD', items: [item] }
  const [today] = planOrder([{ productId: 'user', quantity: '15' }], demoCatalog, { ...terms, priceList })
  assert.equal(today?.lines[0]?.amountMinor, 503)
  const [yesterday] = planOrder([{ productId: 'user', quantity: '15' }], demoCatalog, {
    ...terms,
    startsOn: '2026-04-09',
    priceList,
  })
  assert.equal(yesterday?.lines[0]?.amountMinor, 1500)
})
