import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import * as fc from 'fast-check'
import { countRows } from '#test/support/count-rows.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  await api.post('/v1/customers', { code: 'euro', name: 'Euro', currency: 'EUR' })
})
after(async () => api.close())

const lines = [{ product: 'support', quantity: 1 }]
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

const { base_price: _, ...priced } = product

/** What is sent, and the status, code and pointer of its answer. */
const table: readonly (readonly [string, string, unknown, number, string, string])[] = [
  ['unknown product', '/v1/orders', { customer: 'acme', lines: [{ product: 'x', quantity: 1 }] }, 422, 'product_unknown', '/lines/0/product'],
  ['unknown kit', '/v1/orders', { customer: 'acme', lines: [{ kit: 'x' }] }, 422, 'product_unknown', '/lines/0/kit'],
  ['unknown customer', '/v1/orders', { customer: 'x', lines }, 422, 'customer_unknown', '/customer'],
  ['negative quantity', '/v1/orders', { customer: 'acme', lines: [...lines, { product: 'seat', quantity: -1 }] }, 422, 'quantity_invalid', '/lines/1/quantity'],
  ['zero quantity', '/v1/orders', { customer: 'acme', lines: [{ product: 'seat', quantity: '0' }] }, 422, 'quantity_invalid', '/lines/0/quantity'],
  ['half a user', '/v1/orders', { customer: 'acme', lines: [{ product: 'seat', quantity: '1.5' }] }, 422, 'quantity_not_whole', '/lines/0/quantity'],
  ['wrong currency', '/v1/orders', { customer: 'acme', lines, currency: 'EUR' }, 422, 'currency_mismatch', '/currency'],
  ['no price in the currency', '/v1/orders', { customer: 'euro', lines }, 422, 'price_missing_in_currency', '/lines/0/product'],
  ['unknown currency', '/v1/orders', { customer: 'acme', lines, currency: 'dollar' }, 422, 'currency_unknown', '/currency'],
  ['no lines', '/v1/orders', { customer: 'acme', lines: [] }, 422, 'order_empty', '/lines'],
  ['unknown clock', '/v1/orders', { customer: 'acme', lines, test_clock: 'x' }, 422, 'clock_unknown', '/test_clock'],
  ['id of another kind', '/v1/orders', { customer: 'prod_01kb0000000000000000000000', lines }, 400, 'id_kind_mismatch', '/customer'],
  ['unknown field', '/v1/orders', { customer: 'acme', lines, price: 1 }, 422, 'field_invalid', '/price'],
  ['missing field', '/v1/orders', { lines }, 422, 'field_required', '/customer'],
  ['a product and a kit in one line', '/v1/orders', { customer: 'acme', lines: [{ product: 'a', kit: 'b' }] }, 422, 'field_invalid', '/lines/0'],
  ['malformed JSON', '/v1/orders', '{"customer":', 400, 'json_malformed', ''],
  ['an array for an object', '/v1/orders', [], 422, 'field_invalid', ''],
  ['unknown billing type', '/v1/products', { ...product, billing_type: 'x' }, 422, 'billing_type_invalid', '/billing_type'],
  ['no billing type', '/v1/products', { ...product, billing_type: undefined }, 422, 'billing_type_invalid', '/billing_type'],
  ['usage in advance', '/v1/products', { ...product, billing_type: 'usage', metric: 'net' }, 422, 'billing_timing_invalid', '/billing_timing'],
  ['recurrence of 1.5', '/v1/products', { ...product, recurrence: { count: 1.5, unit: 'month' } }, 422, 'recurrence_invalid', '/recurrence/count'],
  ['recurrence of 0', '/v1/products', { ...product, recurrence: { count: 0, unit: 'month' } }, 422, 'recurrence_invalid', '/recurrence/count'],
  ['usage without recurrence', '/v1/products', { ...product, billing_type: 'usage', billing_timing: 'arrears', metric: 'net', recurrence: null }, 422, 'recurrence_invalid', '/recurrence'],
  ['negative price', '/v1/products', { ...product, base_price: '-1' }, 422, 'price_negative', '/base_price'],
  ['a base price and a price', '/v1/products', { ...product, price: { model: 'flat', amount: '1' } }, 422, 'field_invalid', '/base_price'],
  ['no price at all', '/v1/products', { ...product, base_price: undefined }, 422, 'field_required', '/base_price'],
  ['a negative tier', '/v1/products', { ...priced, price: { model: 'volume', tiers: [{ up_to: null, unit_amount: '-1' }] } }, 422, 'price_negative', '/price/tiers/0/unit_amount'],
  ['tiers that descend', '/v1/products', { ...priced, price: { model: 'volume', tiers: [{ up_to: '5', unit_amount: '1' }, { up_to: '3', unit_amount: '1' }, { up_to: null, unit_amount: '1' }] } }, 422, 'tiers_invalid', '/price/tiers/1/up_to'],
  ['an unknown model', '/v1/products', { ...priced, price: { model: 'x' } }, 422, 'field_invalid', '/price/model'],
  ['a formula with a name that nothing fills', '/v1/products', { ...priced, price: { model: 'formula', formula: 'size * 2' } }, 422, 'formula_invalid', '/price/formula'],
  ['a percentage of what is not metered', '/v1/products', { ...priced, price: { model: 'percentage', rate_percent: '3' } }, 422, 'field_invalid', '/price/model'],
  ['a quantity formula of what is not metered', '/v1/products', { ...product, terms: { quantity_formula: '12' } }, 422, 'formula_not_allowed', '/terms/quantity_formula'],
  ['unknown terms', '/v1/products', { ...product, terms: { proration: 'second' } }, 422, 'field_invalid', '/terms/proration'],
  ['an attribute that is no text', '/v1/products', { ...product, attributes: { size: '\ud800' } }, 422, 'field_invalid', '/attributes/size'],
  ['an attribute with a NUL', '/v1/products', { ...product, attributes: { size: '\0' } }, 422, 'field_invalid', '/attributes/size'],
  ['a variant of an unknown product', '/v1/products', { ...product, variant_of: 'x' }, 422, 'product_unknown', '/variant_of'],
  ['currency XXX', '/v1/products', { ...product, currency: 'XXX' }, 422, 'currency_unknown', '/currency'],
  ['unknown unit', '/v1/products', { ...product, unit: 'parsec' }, 422, 'unit_unknown', '/unit'],
  ['unknown application', '/v1/products', { ...product, applications: ['x'] }, 422, 'application_unknown', '/applications/0'],
  ['taken code', '/v1/products', { ...product, code: 'support' }, 409, 'code_taken', '/code'],
  ['kit in itself', '/v1/kits', { code: 'k', name: 'K', bill_of_materials: [{ kit: 'k', quantity: 1, sequence: 1 }] }, 422, 'kit_cycle', '/bill_of_materials/0/kit'],
  ['kit with 0 of a product', '/v1/kits', { code: 'k', name: 'K', bill_of_materials: [{ product: 'seat', quantity: 0, sequence: 1 }] }, 422, 'quantity_invalid', '/bill_of_materials/0/quantity'],
  ['kit whose price is that of a threshold', '/v1/kits', { code: 'k', name: 'K', price_product: 'seat', bill_of_materials: [{ product: 'seat', quantity: 1, sequence: 1 }] }, 422, 'field_invalid', '/price_product'],
  ['kit of an unknown product', '/v1/kits', { code: 'k', name: 'K', bill_of_materials: [{ product: 'x', quantity: 1, sequence: 1 }] }, 422, 'product_unknown', '/bill_of_materials/0/product'],
  ['dates in the wrong order', '/v1/price-lists', { code: 'p', name: 'P', currency: 'USD', items: [{ unit_price: '1', starts_on: '2026-02-01', ends_on: '2026-01-01' }] }, 422, 'date_range_invalid', '/items/0/ends_on'],
  ['a season that is no day of a year', '/v1/price-lists', { code: 'p', name: 'P', currency: 'USD', items: [{ unit_price: '1', season: { from: '02-30', until: '03-01' } }] }, 422, 'date_range_invalid', '/items/0/season/from'],
  ['a price list based on itself', '/v1/price-lists', { code: 'p', name: 'P', currency: 'USD', base_price_list: 'p' }, 422, 'price_list_cycle', '/base_price_list'],
  ['an item of an unknown customer', '/v1/price-lists', { code: 'p', name: 'P', currency: 'USD', items: [{ unit_price: '1', customer: 'x' }] }, 422, 'customer_unknown', '/items/0/customer'],
  ['an item for a product and a category', '/v1/price-lists', { code: 'p', name: 'P', currency: 'USD', items: [{ unit_price: '1', product: 'seat', category: 'x' }] }, 422, 'field_invalid', '/items/0'],
  ['a tax rate that ends before it starts', '/v1/tax-rates', { country: 'DE', name: 'VAT', rate_percent: '19', starts_on: '2026-02-01', ends_on: '2026-02-01' }, 422, 'date_range_invalid', '/ends_on'],
  ['an exchange rate of nothing', '/v1/exchange-rates', { base: 'EUR', quote: 'USD', rate: '0.0', source: 'ECB', valid_on: '2026-02-01' }, 422, 'field_invalid', '/rate'],
  ['an exchange rate of a currency in itself', '/v1/exchange-rates', { base: 'EUR', quote: 'EUR', rate: '1', source: 'ECB', valid_on: '2026-02-01' }, 422, 'field_invalid', '/quote'],
  ['an exchange rate of a currency that is none', '/v1/exchange-rates', { base: 'EUR', quote: 'XYZ', rate: '1', source: 'ECB', valid_on: '2026-02-01' }, 422, 'currency_unknown', '/quote'],
  ['a discount of 120 percent', '/v1/discounts', { name: 'X', percent: '120', scope: 'line' }, 422, 'discount_invalid', '/percent'],
  ['a discount of a percent and an amount', '/v1/discounts', { name: 'X', percent: '10', amount: { amount_minor: 100, currency: 'USD' }, scope: 'line' }, 422, 'discount_invalid', '/percent'],
  ['an order with an unknown discount code', '/v1/orders', { customer: 'acme', lines, discount_code: 'NOBODY' }, 422, 'discount_code_unknown', '/discount_code'],
  ['an order that starts in another age', '/v1/orders', { customer: 'acme', lines, starts: { on: '1926-01-01' } }, 422, 'date_range_invalid', '/starts/on'],
  ['a tax id verified that is none', '/v1/customers', { code: 'x', name: 'X', is_tax_id_verified: true }, 422, 'field_invalid', '/is_tax_id_verified'],
  ['a country that is none', '/v1/customers', { code: 'x', name: 'X', country: 'Germany' }, 422, 'field_invalid', '/country'],
  ['unknown price list', '/v1/customers', { code: 'x', name: 'X', price_list: 'x' }, 422, 'price_list_unknown', '/price_list'],
  ['unknown time zone', '/v1/customers', { code: 'x', name: 'X', time_zone: 'Mars/Olympus' }, 422, 'field_invalid', '/time_zone'],
  ['control characters in a name', '/v1/customers', { code: 'x', name: 'X\u001b[2J' }, 422, 'field_invalid', '/name'],
  ['a clock without now', '/v1/test-clocks', { name: 'x' }, 422, 'field_required', '/now'],
] // prettier-ignore

for (const [name, path, body, status, code, pointer] of table) {
  test(`${name} is refused as ${code} at ${pointer || 'the body'}, and changes nothing`, async () => {
    const rows = await countRows(api.db)
    const reply = await api.post(path, body)
    const errors = reply.body['errors'] as { pointer: string; code: string }[]
    assert.deepEqual([reply.status, reply.body['code']], [status, code])
    assert.deepEqual(errors[0]?.pointer ?? '', pointer)
    assert.deepEqual(await countRows(api.db), rows)
  })
}

test('every wrong field is named at once', async () => {
  const { body } = await api.post('/v1/products', {
    ...product,
    base_price: '-1',
    billing_type: 'x',
    surprise: 1,
  })
  const pointers = (body['errors'] as { pointer: string }[]).map((error) => error.pointer)
  assert.deepEqual(pointers.toSorted(), ['/base_price', '/billing_type', '/surprise'])
})

test('an id of another kind in an address is refused with the kind that belongs there', async () => {
  const { status, body } = await api.get('/v1/subscriptions/prod_01kb0000000000000000000000')
  assert.deepEqual([status, body['code']], [400, 'id_kind_mismatch'])
  assert.match(String(body['detail']), /sub_/)
})

test('an unknown id and what is no id are not found', async () => {
  for (const id of [
    'sub_01kb0000000000000000000000',
    'nonsense',
    'sub_zzzzzzzzzzzzzzzzzzzzzzzzzz',
    '%00',
    '%ff',
    'a%20b',
  ]) {
    assert.equal((await api.get(`/v1/subscriptions/${id}`)).status, 404)
  }
})

test('another kind of body than JSON is unsupported, and one beyond 1 MiB too large', async () => {
  const form = await api.post('/v1/orders', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' })
  const large = await api.post('/v1/orders', JSON.stringify('x'.repeat(1024 * 1024)))
  assert.deepEqual([form.status, form.body['code']], [415, 'media_type_unsupported'])
  assert.deepEqual([large.status, large.body['code']], [413, 'body_too_large'])
})

test('whatever is sent, it is refused as a problem and changes nothing', async () => {
  const rows = await countRows(api.db)
  const paths = [...new Set(table.map(([, path]) => path)), '/v1/orders/preview', '/v1/applications']
  const text = fc.string({ unit: 'binary', maxLength: 12 })
  const value = fc.oneof(
    fc.jsonValue(),
    fc.record({ customer: fc.constant('acme'), lines: fc.jsonValue() }),
    fc.record({ customer: text, lines: fc.array(fc.record({ product: text })) }),
    fc.record({
      customer: fc.constant('acme'),
      lines: fc.array(fc.record({ product: text, quantity: text })),
    }),
    fc.record({ code: text, name: text, address: text, compose: text }),
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), value, async (path, body) => {
      const reply = await api.post(path, body ?? null)
      assert.ok(reply.status >= 400 && reply.status < 500, `${path} ${JSON.stringify(body)}: ${reply.status}`)
      assert.equal(reply.headers.get('content-type'), 'application/problem+json')
    }),
    { numRuns: 300 },
  )
  assert.deepEqual(await countRows(api.db), rows)
})
