import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { countRows } from '#test/support/count-rows.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'

const compose = `
services: { web: { image: 'web:1', expose: ['80'], environment: { SIZE: '\${SIZE:-1}' } } }
x-clouder: { title: Web, public: { service: web, port: 80 }, ready: { path: / } }
`
let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  const made = [
    await api.post('/v1/applications', { code: 'web', compose }),
    await api.post('/v1/kits', { code: 'kit', name: 'Kit', bill_of_materials: [component] }),
    await api.post('/v1/price-lists', { code: 'list', name: 'List', currency: 'USD' }),
    await api.post('/v1/discounts', { code: 'TEN', name: 'Ten', percent: '10', scope: 'line' }),
    await api.post('/v1/kits', {
      code: 'outer',
      name: 'Outer',
      bill_of_materials: [{ kit: 'kit', quantity: 1, sequence: 1 }],
    }),
  ]
  for (const reply of made) assert.equal(reply.status, 201, JSON.stringify(reply.body))
})
after(async () => api.close())

const component = { product: 'support', quantity: 1, sequence: 1 }
const product = {
  code: 'new',
  name: 'New',
  billing_type: 'flat',
  billing_timing: 'advance',
  recurrence: { count: 1, unit: 'month' },
  unit: 'month',
  base_price: '10.00',
  currency: 'USD',
}
const { base_price: _, ...unpriced } = product
const disk = { code: 'disk', title: 'Disk', kind: 'quantity' }
const name = { code: 'name', title: 'Name', kind: 'text' }
const list = { code: 'new', name: 'New', currency: 'USD' }
const kit = { code: 'new', name: 'New', bill_of_materials: [component] }
const discount = { name: 'New', percent: '10', scope: 'line' }
const grid = { currency: 'USD', bounds: 'lower', rows: [{ bound: '0', amount: '10' }] }

const products = 'POST /v1/products'
const support = 'PATCH /v1/products/support'
const stock = 'PATCH /v1/products/support/stock'
const kits = 'POST /v1/kits'
const lists = 'POST /v1/price-lists'
const items = 'POST /v1/price-lists/list/items'
const discounts = 'POST /v1/discounts'
const applications = 'POST /v1/applications'
const grids = 'POST /v1/applications/web/price-grids'

type Case = readonly [
  name: string,
  route: string,
  body: unknown,
  status: number,
  code: string,
  pointer: string,
]

const ofProducts: readonly Case[] = [
  ['a negative price', products, { ...product, base_price: '-0.01' }, 422, 'price_negative', '/base_price'],
  ['a price that is a number', products, { ...product, base_price: 10 }, 422, 'field_invalid', '/base_price'],
  ['a price in words', products, { ...product, base_price: 'ten' }, 422, 'field_invalid', '/base_price'],
  ['currency XXX', products, { ...product, currency: 'XXX' }, 422, 'currency_unknown', '/currency'],
  ['a currency in small letters', products, { ...product, currency: 'usd' }, 422, 'currency_unknown', '/currency'],
  ['an unknown application', products, { ...product, applications: ['web', 'x'] }, 422, 'application_unknown', '/applications/1'],
  ['a taken code', products, { ...product, code: 'seat' }, 409, 'code_taken', '/code'],
  ['a code with a space', products, { ...product, code: 'a b' }, 422, 'field_invalid', '/code'],
  ['no code', products, { ...product, code: undefined }, 422, 'field_required', '/code'],
  ['an empty name', products, { ...product, name: '  ' }, 422, 'field_invalid', '/name'],
  ['usage without a metric', products, { ...product, billing_type: 'usage', billing_timing: 'arrears' }, 422, 'field_required', '/metric'],
  ['a metric that the application does not declare', products, { ...product, billing_type: 'usage', billing_timing: 'arrears', metric: 'x', applications: ['web'] }, 422, 'metric_unknown', '/metric'],
  ['a metric of what is flat', products, { ...product, metric: 'x' }, 422, 'field_invalid', '/metric'],
  ['a limit that the application does not declare', products, { ...product, billing_type: 'threshold', limit: 'x', applications: ['web'] }, 422, 'limit_unknown', '/limit'],
  ['a limit of what is flat', products, { ...product, limit: 'x' }, 422, 'field_invalid', '/limit'],
  ['tiers with a hole above', products, { ...unpriced, price: { model: 'graduated', tiers: [{ up_to: '5', unit_amount: '1' }] } }, 422, 'tiers_invalid', '/price/tiers/0/up_to'],
  ['no tiers', products, { ...unpriced, price: { model: 'graduated', tiers: [] } }, 422, 'field_invalid', '/price/tiers'],
  ['a package of nothing', products, { ...unpriced, price: { model: 'package', package_size: '0', package_amount: '1' } }, 422, 'field_invalid', '/price/package_size'],
  ['a negative package', products, { ...unpriced, price: { model: 'package', package_size: '10', package_amount: '-1' } }, 422, 'price_negative', '/price/package_amount'],
  ['a negative commitment', products, { ...unpriced, price: { model: 'commitment', unit_amount: '1', committed_quantity: '-1' } }, 422, 'field_invalid', '/price/committed_quantity'],
  ['a least amount above the greatest', products, { ...unpriced, price: { model: 'flat', amount: '1', least_amount: '3', greatest_amount: '2' } }, 422, 'field_invalid', '/price/least_amount'],
  ['a formula that calls for more', products, { ...unpriced, price: { model: 'formula', formula: 'process.exit()' } }, 422, 'formula_not_allowed', '/price/formula'],
  ['a taken external id', products, { ...product, external_id: 'a b' }, 422, 'field_invalid', '/external_id'],
  ['an attribute without a name', products, { ...product, attributes: { '': 'x' } }, 422, 'field_invalid', '/attributes/'],
  ['a quantity attribute that it does not have', products, { ...product, billing_type: 'threshold', quantity_attribute: 'users' }, 422, 'field_invalid', '/quantity_attribute'],
  ['an add-on of an unknown product', products, { ...product, add_on_of: ['x'] }, 422, 'product_unknown', '/add_on_of/0'],
  ['a negative stock', products, { ...product, stock: { quantity: '-1' } }, 422, 'field_invalid', '/stock/quantity'],
  ['a negative stock of what there is', stock, { quantity: '-1' }, 422, 'field_invalid', '/quantity'],
  ['a limit of 0 per customer', stock, { limit_per_customer: 0 }, 422, 'field_invalid', '/limit_per_customer'],
  ['a change to a negative price', support, { base_price: '-1' }, 422, 'price_negative', '/base_price'],
  ['a change to currency XXX', support, { currency: 'XXX' }, 422, 'currency_unknown', '/currency'],
  ['a change to an unknown application', support, { applications: ['x'] }, 422, 'application_unknown', '/applications/0'],
  ['a change of its code', support, { code: 'other' }, 422, 'field_invalid', '/code'],
  ['a change on no day', support, { name: 'X', effective_on: '2026-02-30' }, 422, 'field_invalid', '/effective_on'],
] // prettier-ignore

const ofOffers: readonly Case[] = [
  ['an option that sells an unknown product', products, { ...product, options: [{ ...disk, product: 'x' }] }, 422, 'product_unknown', '/options/0/product'],
  ['a choice that sells an unknown product', products, { ...product, options: [{ ...disk, kind: 'choice', choices: [{ code: 'a', title: 'A', product: 'x' }] }] }, 422, 'product_unknown', '/options/0/choices/0/product'],
  ['two options of one code', products, { ...product, options: [disk, disk] }, 409, 'code_taken', '/options/1/code'],
  ['two choices of one code', products, { ...product, options: [{ ...disk, kind: 'choice', choices: [{ code: 'a', title: 'A' }, { code: 'a', title: 'B' }] }] }, 409, 'code_taken', '/options/0/choices/1/code'],
  ['a choice without choices', products, { ...product, options: [{ ...disk, kind: 'choice' }] }, 422, 'field_required', '/options/0/choices'],
  ['an option of no kind', products, { ...product, options: [{ ...disk, kind: 'x' }] }, 422, 'field_invalid', '/options/0/kind'],
  ['an option whose least lies above its greatest', products, { ...product, options: [{ ...disk, least: 5, greatest: 3 }] }, 422, 'field_invalid', '/options/0/greatest'],
  ['an option of a variable that no application has', products, { ...product, applications: ['web'], options: [{ ...disk, variable: 'X' }] }, 422, 'field_invalid', '/options/0/variable'],
  ['an option of what is no name of a variable', products, { ...product, options: [{ ...disk, variable: 'A-B' }] }, 422, 'field_invalid', '/options/0/variable'],
  ['two order fields of one code', products, { ...product, order_fields: [name, name] }, 409, 'code_taken', '/order_fields/1/code'],
  ['an order field with a pattern that is none', products, { ...product, order_fields: [{ ...name, pattern: '(' }] }, 422, 'field_invalid', '/order_fields/0/pattern'],
  ['a secret that goes nowhere', products, { ...product, order_fields: [{ ...name, kind: 'secret' }] }, 422, 'field_required', '/order_fields/0/variable'],
  ['a variable that an option and an order field set', products, { ...product, applications: ['web'], options: [{ ...disk, variable: 'SIZE' }], order_fields: [{ ...name, variable: 'SIZE' }] }, 422, 'field_invalid', '/order_fields/0/variable'],
  ['an order field of a number with a pattern', products, { ...product, order_fields: [{ ...name, kind: 'number', pattern: 'a' }] }, 422, 'field_invalid', '/order_fields/0/pattern'],
] // prettier-ignore

const ofKits: readonly Case[] = [
  ['a kit with a taken code', kits, { ...kit, code: 'kit' }, 409, 'code_taken', '/code'],
  ['a kit of nothing', kits, { ...kit, bill_of_materials: [] }, 422, 'field_invalid', '/bill_of_materials'],
  ['a kit of an unknown kit', kits, { ...kit, bill_of_materials: [component, { kit: 'x', quantity: 1, sequence: 1 }] }, 422, 'product_unknown', '/bill_of_materials/1/kit'],
  ['a kit of -1', kits, { ...kit, bill_of_materials: [{ ...component, quantity: -1 }] }, 422, 'quantity_invalid', '/bill_of_materials/0/quantity'],
  ['a kit of half a user', kits, { ...kit, bill_of_materials: [{ ...component, product: 'seat', quantity: '0.5' }] }, 422, 'quantity_not_whole', '/bill_of_materials/0/quantity'],
  ['an item that names nothing', kits, { ...kit, bill_of_materials: [{ quantity: 1, sequence: 1 }] }, 422, 'field_invalid', '/bill_of_materials/0'],
  ['an item that names two', kits, { ...kit, bill_of_materials: [{ ...component, kit: 'kit' }] }, 422, 'field_invalid', '/bill_of_materials/0'],
  ['a sequence of -1', kits, { ...kit, bill_of_materials: [{ ...component, sequence: -1 }] }, 422, 'field_invalid', '/bill_of_materials/0/sequence'],
  ['a kit with the price of an unknown product', kits, { ...kit, price_product: 'x' }, 422, 'product_unknown', '/price_product'],
  ['a kit that is changed to contain itself', 'PATCH /v1/kits/kit', { bill_of_materials: [{ kit: 'kit', quantity: 1, sequence: 1 }] }, 422, 'kit_cycle', '/bill_of_materials/0/kit'],
  ['a kit that is changed to contain what contains it', 'PATCH /v1/kits/kit', { bill_of_materials: [{ kit: 'outer', quantity: 1, sequence: 1 }] }, 422, 'kit_cycle', '/bill_of_materials/0/kit'],
  ['a kit that is changed to hold an unknown product', 'PATCH /v1/kits/kit', { bill_of_materials: [{ ...component, product: 'x' }] }, 422, 'product_unknown', '/bill_of_materials/0/product'],
] // prettier-ignore

const ofPriceLists: readonly Case[] = [
  ['a price list with a taken code', lists, { ...list, code: 'list' }, 409, 'code_taken', '/code'],
  ['a price list in XXX', lists, { ...list, currency: 'XXX' }, 422, 'currency_unknown', '/currency'],
  ['a price list based on an unknown one', lists, { ...list, base_price_list: 'x' }, 422, 'price_list_unknown', '/base_price_list'],
  ['a price list based on one in another currency', lists, { ...list, currency: 'EUR', base_price_list: 'list' }, 422, 'currency_mismatch', '/base_price_list'],
  ['a price list with a bad item', lists, { ...list, items: [{ unit_price: '1' }, { unit_price: '-1' }] }, 422, 'price_negative', '/items/1/unit_price'],
  ['an item with a negative price', items, { items: [{ unit_price: '-1' }] }, 422, 'price_negative', '/items/0/unit_price'],
  ['an item with a negative tier', items, { items: [{ price: { model: 'volume', tiers: [{ up_to: null, unit_amount: '-1' }] } }] }, 422, 'price_negative', '/items/0/price/tiers/0/unit_amount'],
  ['an item in XXX', items, { items: [{ unit_price: '1', currency: 'XXX' }] }, 422, 'currency_unknown', '/items/0/currency'],
  ['an item of an unknown product', items, { items: [{ unit_price: '1', product: 'x' }] }, 422, 'product_unknown', '/items/0/product'],
  ['a second item that is bad', items, { items: [{ unit_price: '1' }, { unit_price: '1', product: 'x' }] }, 422, 'product_unknown', '/items/1/product'],
  ['an item without a price', items, { items: [{ product: 'support' }] }, 422, 'field_invalid', '/items/0'],
  ['an item with two prices', items, { items: [{ unit_price: '1', discount_percent: '10' }] }, 422, 'field_invalid', '/items/0'],
  ['an item with 120 percent off', items, { items: [{ discount_percent: '120' }] }, 422, 'field_invalid', '/items/0/discount_percent'],
  ['an item from -1 on', items, { items: [{ unit_price: '1', minimum_quantity: '-1' }] }, 422, 'quantity_invalid', '/items/0/minimum_quantity'],
  ['an item that ends before it starts', items, { items: [{ unit_price: '1', starts_on: '2026-02-01', ends_on: '2026-02-01' }] }, 422, 'date_range_invalid', '/items/0/ends_on'],
  ['an item whose step is 0', items, { items: [{ formula: { step: '0' } }] }, 422, 'field_invalid', '/items/0/formula/step'],
  ['an item whose least lies above its greatest', items, { items: [{ formula: { least: '5', greatest: '3' } }] }, 422, 'field_invalid', '/items/0/formula/least'],
  ['no items', items, { items: [] }, 422, 'field_invalid', '/items'],
] // prettier-ignore

const ofOthers: readonly Case[] = [
  ['a discount with a taken code', discounts, { ...discount, code: 'TEN' }, 409, 'code_taken', '/code'],
  ['a discount with a code in small letters', discounts, { ...discount, code: 'ten' }, 422, 'field_invalid', '/code'],
  ['a discount of 0 percent', discounts, { ...discount, percent: '0' }, 422, 'discount_invalid', '/percent'],
  ['a discount of nothing', discounts, { name: 'X', scope: 'line' }, 422, 'discount_invalid', '/percent'],
  ['a discount of an amount in XXX', discounts, { name: 'X', scope: 'line', amount: { amount_minor: 1, currency: 'XXX' } }, 422, 'currency_unknown', '/amount/currency'],
  ['a discount of a negative amount', discounts, { name: 'X', scope: 'line', amount: { amount_minor: -1, currency: 'USD' } }, 422, 'discount_invalid', '/amount/amount_minor'],
  ['a discount for an unknown product', discounts, { ...discount, product: 'x' }, 422, 'product_unknown', '/product'],
  ['a discount that ends before it starts', discounts, { ...discount, starts_on: '2026-02-01', ends_on: '2026-01-01' }, 422, 'date_range_invalid', '/ends_on'],
  ['a discount for no periods', discounts, { ...discount, period_count: 0 }, 422, 'field_invalid', '/period_count'],
  ['an application without a code', applications, { compose }, 422, 'field_required', '/code'],
  ['an application that is no YAML', applications, { code: 'new', compose: '{' }, 422, 'application_refused', '/compose'],
  ['an application without services', applications, { code: 'new', compose: 'services: {}' }, 422, 'application_refused', '/compose'],
  ['an application that is privileged', applications, { code: 'new', compose: compose.replace("image: 'web:1'", "image: 'web:1', privileged: true") }, 422, 'application_refused', '/compose'],
  ['an application with a lone dollar sign', applications, { code: 'new', compose: compose.replace('${SIZE:-1}', 'a$') }, 422, 'application_refused', '/compose'],
  ['a grid that does not say its bounds', grids, { ...grid, bounds: undefined }, 422, 'grid_bounds_unstated', '/bounds'],
  ['a grid in XXX', grids, { ...grid, currency: 'XXX' }, 422, 'currency_unknown', '/currency'],
  ['a grid with a negative amount', grids, { ...grid, rows: [{ bound: '0', amount: '-1' }] }, 422, 'price_negative', '/rows/0/amount'],
  ['a grid with a negative bound', grids, { ...grid, rows: [{ bound: '-1', amount: '1' }] }, 422, 'field_invalid', '/rows/0/bound'],
  ['a grid with two rows of one bound', grids, { ...grid, rows: [{ bound: '0', amount: '1' }, { bound: '0.0', amount: '2' }] }, 422, 'tiers_invalid', '/rows'],
  ['a grid with a negative fixed amount', grids, { ...grid, fixed_amount: '-1' }, 422, 'price_negative', '/fixed_amount'],
] // prettier-ignore

for (const [title, route, body, status, code, pointer] of [
  ...ofProducts,
  ...ofOffers,
  ...ofKits,
  ...ofPriceLists,
  ...ofOthers,
]) {
  test(`${route}: ${title} is refused as ${code} at ${pointer}, and changes nothing (A-48)`, async () => {
    const rows = await countRows(api.db)
    const [method = '', path = ''] = route.split(' ')
    const reply = await (method === 'PATCH' ? api.patch(path, body) : api.post(path, body))
    const errors = reply.body['errors'] as { pointer: string; code: string }[]
    assert.deepEqual(
      [reply.status, reply.body['code'], errors[0]?.pointer],
      [status, code, pointer],
      JSON.stringify(reply.body),
    )
    assert.equal(errors[0]?.code, code)
    assert.deepEqual(await countRows(api.db), rows)
  })
}
