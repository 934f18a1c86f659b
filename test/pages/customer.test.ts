import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { getCustomer } from '#db/read/customer.ts'
import { encodeId } from '#domain/identifier.ts'
import { insertOneOffInvoice } from '#test/support/one-off-invoice.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { sectionText, textOf } from './text.ts'

let console: TestConsole
let id: string
let page: string
before(async () => {
  console = await createTestConsole()
  await console.post('/v1/customers', { code: 'acme', name: 'Acme', country: 'DE' })
  await console.post('/v1/customers', { code: 'other', name: 'Other' })
  const rows = await console.db.selectFrom('customers').select('id').orderBy('code').execute()
  id = rows[0]?.id ?? ''
  page = `/customers/${encodeId('customer', id)}`
})
after(async () => console.close())

const chargesText = async () => sectionText((await console.get(page)).html, 'charges')
const facts = { name: 'Acme', language: 'de', country: 'DE', tax_id: 'DE123456789', is_business: 'true' }

test('the list leads to each customer, and names lead there from everywhere', async () => {
  const { html } = await console.get('/customers')
  assert.match(textOf(html), /Acme acme DE USD base prices/)
  assert.match(textOf(html), /Other other none, so without tax/)
  assert.ok(html.includes(`href="${page}"`))
})

test('facts for tax are changed; what was emptied is removed, what was not ticked is no', async () => {
  const done = await console.submit(page, `${page}/facts`, { ...facts, tax_exemption: '', region: '' })
  assert.deepEqual([done.status, done.headers.get('location')], [303, `${page}?saved=facts#facts`])
  assert.partialDeepStrictEqual(await getCustomer(console.db, id), {
    language: 'de',
    is_business: true,
    tax_id: 'DE123456789',
    tax_id_verified_at: null,
    splits_by_purchase_order: false,
  })
  assert.match(sectionText((await console.get(`${page}?saved=facts`)).html, 'facts'), /✓ Saved\./)
  await console.submit(page, `${page}/facts`, { name: 'Acme', language: 'de', country: 'DE', tax_id: '' })
  assert.partialDeepStrictEqual(await getCustomer(console.db, id), { is_business: false, tax_id: null })
})

test('a verified tax id stays so as it was dated, until the id is another', async () => {
  const verified = { ...facts, is_tax_id_verified: 'true' }
  await console.submit(page, `${page}/facts`, verified)
  const { tax_id_verified_at: verifiedAt } = await getCustomer(console.db, id)
  assert.notEqual(verifiedAt, null)
  await console.submit(page, `${page}/facts`, { ...verified, email: 'billing@example.com' })
  assert.equal((await getCustomer(console.db, id)).tax_id_verified_at, verifiedAt)
  await console.submit(page, `${page}/facts`, { ...verified, tax_id: 'DE987654321' })
  assert.equal((await getCustomer(console.db, id)).tax_id_verified_at, null)
})

test('a wrong fact comes back beside its field with what was typed', async () => {
  const refused = await console.submit(page, `${page}/facts`, { ...facts, country: 'Germany' })
  assert.equal(refused.status, 422)
  assert.match(refused.html, /<title>Refused: Acme/)
  assert.match(refused.html, /id="facts-country"[^>]*aria-invalid="true"[^>]*value="Germany"/)
  assert.match(textOf(refused.html), /A country has two letters/)
})

test('a charge waits, is taken back, or billed at once on an invoice of its own', async () => {
  assert.match(await chargesText(), /None\. What is added here goes on the next invoice\./)
  const setup = { description: 'Setup', unit_price: '80.00', reference: 'PO 7' }
  const done = await console.submit(page, `${page}/one-off-charges`, setup)
  assert.deepEqual([done.status, done.headers.get('location')], [303, `${page}#charges`])
  assert.match(await chargesText(), /Setup PO 7 1 piece 80\.00 USD .* Take back Setup/)
  await console.submit(page, `${page}/withdraw-charge`)
  assert.match(await chargesText(), /Setup PO 7 .* taken back/)

  await console.submit(page, `${page}/one-off-charges`, { description: 'Training', unit_price: '200' })
  await console.submit('/settings/tax-rates', '/settings/tax-rates', {
    country: 'DE',
    name: 'VAT',
    rate_percent: '19',
  })
  const billed = await console.submit(page, `${page}/bill`)
  assert.match(billed.headers.get('location') ?? '', /^\/invoices\/inv_/)
  assert.match(await chargesText(), /Training .* invoiced/)
  assert.doesNotMatch(await chargesText(), /Bill what waits now/)
})

test('a text is added by its tick, waits for an invoice of something, and is taken back', async () => {
  const text = { description: 'Thank you', text: 'true', quantity: '1', unit_price: '' }
  const done = await console.submit(page, `${page}/one-off-charges`, text)
  assert.deepEqual([done.status, done.headers.get('location')], [303, `${page}#charges`])
  assert.match(await chargesText(), /Thank you text alone .* Take back Thank you/)
  assert.doesNotMatch(await chargesText(), /Bill what waits now/)
  await console.submit(page, `${page}/withdraw-charge`)
  assert.match(await chargesText(), /Thank you text alone .* taken back/)
})

test('a charge without a price is refused, and another customer’s is not taken back here', async () => {
  const refused = await console.submit(page, `${page}/one-off-charges`, { description: 'Setup' })
  assert.equal(refused.status, 422)
  assert.match(textOf(refused.html), /Nothing was changed\. Give unit_price or price\./)
  assert.match(refused.html, /<details id="charge" open/)
  const { body } = await console.post('/v1/customers/other/one-off-charges', {
    description: 'Theirs',
    unit_price: '1',
  })
  await console.submit(page, `${page}/one-off-charges`, { description: 'Ours', unit_price: '1' })
  const foreign = await console.submit(page, `${page}/withdraw-charge`, { charge: String(body['id']) })
  assert.equal(foreign.status, 422)
  assert.match(textOf(foreign.html), /It is a charge of another customer\./)
})

test('balance and invoices are there, and the list of invoices keeps to one customer', async () => {
  // Made first: an invoice uses the balance that it finds.
  await insertOneOffInvoice(console.db, id, [['1', '100']], { now: new Date().toISOString() })
  await console.db
    .insertInto('customer_balances')
    .values({ customer_id: id, currency: 'USD', amount_minor: 1250, test_clock_id: null })
    .execute()
  const text = textOf((await console.get(page)).html)
  assert.match(text, /Balance 12\.50 USD The next invoices use it by themselves\./)
  assert.match(sectionText((await console.get(page)).html, 'invoices'), /INV-/)
  const theirs = await console.get('/invoices?customer=other')
  assert.match(textOf(theirs.html), /Invoices of Other .*No invoice yet/)
  assert.match(theirs.html, /href="\/invoices\?state=paid&amp;customer=other"/)
})
