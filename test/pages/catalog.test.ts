import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { changeProduct } from '#test/support/product-version.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { sectionText, textOf } from './text.ts'

let console: TestConsole
before(async () => {
  console = await createTestConsole()
  await console.post('/v1/customers', { code: 'acme', name: 'Acme' })
  await console.post('/v1/products', {
    code: 'plan',
    name: 'Plan',
    billing_type: 'flat',
    billing_timing: 'advance',
    recurrence: { count: 1, unit: 'month' },
    unit: 'month',
    base_price: '10.00',
    currency: 'USD',
  })
  await console.post('/v1/kits', {
    code: 'starter',
    name: 'Starter',
    bill_of_materials: [{ product: 'plan', quantity: '2', sequence: 1 }],
  })
  await console.post('/v1/orders', { customer: 'acme', lines: [{ product: 'plan' }] })
  await changeProduct(console.db, 'plan', {
    effectiveOn: '2199-05-01',
    said: { name: 'Plan 2', basePrice: perUnitPrice('12.00') },
  })
})
after(async () => console.close())

test('the catalog shows what is sold today, and leads to each', async () => {
  const { html } = await console.get('/catalog')
  assert.match(sectionText(html, 'products'), /Plan plan 10\.00 USD per month for a month, in advance 1/)
  assert.match(sectionText(html, 'kits'), /Starter starter 2 × plan 1/)
  assert.match(html, /href="\/catalog\/products\/prod_/)
  assert.match(html, /href="\/catalog\/kits\/kit_/)
})

test('A-27 a product shows its versions, what differs, and how many subscriptions stand on each', async () => {
  const { html } = await console.get('/catalog/products/plan')
  const versions = sectionText(html, 'versions')
  assert.match(versions, /2 1 May 2199 Plan 2 12\.00 USD per month, .*name, base_price 0/)
  assert.match(versions, /1 from the beginning .*in force Plan 10\.00 USD per month, .*first 1/)
  const difference = sectionText(html, 'difference')
  assert.match(difference, /From version 1 to 2 .*base_price 10\.00 12\.00/)
})

test('two versions are chosen to be compared; one that is not there is not found', async () => {
  const { html } = await console.get('/catalog/products/plan?from=2&to=1')
  assert.match(sectionText(html, 'difference'), /base_price 12\.00 10\.00/)
  assert.equal((await console.get('/catalog/products/plan?from=2&to=9')).status, 404)
})

test('a kit shows what its version is made of', async () => {
  const { html } = await console.get('/catalog/kits/starter')
  assert.match(textOf(html), /starter 2 × plan/)
})
