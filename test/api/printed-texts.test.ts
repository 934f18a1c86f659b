import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { activateSubscription } from '#db/activation.ts'
import { billOpening } from '#db/billing.ts'
import { setPhase } from '#db/subscription.ts'
import { decodeId } from '#domain/identifier.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'
import { plain, readPdf } from '#test/support/pdf.ts'

let api: TestApi
let text = ''
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  await api.patch('/v1/seller', { invoice_sections: 'subscription' })
  const customer = { buyer_reference: 'Cost centre 4711', invoice_note: 'Thank you for ten years.' }
  await api.patch('/v1/customers/acme', customer)
  const lines = [{ product: 'support' }, { product: 'seat', quantity: 5 }]
  const order = { customer: 'acme', lines, purchase_order_reference: 'PO-7731' }
  const { body } = await api.post('/v1/orders', order)
  const now = new Date().toISOString()
  const ids = (body['subscriptions'] as { id: string }[]).map(({ id }) => decodeId('subscription', id))
  for (const id of ids) {
    await setPhase(api.db, id, { phase: 'building', now })
    await activateSubscription(api.db, id, now)
  }
  for (const id of ids) await billOpening(api.db, id, now)
  // What is printed is of the day of the document, whatever is said later.
  await api.patch('/v1/customers/acme', { invoice_note: 'Changed.' })
  await api.patch('/v1/seller', { invoice_sections: 'none' })
  const invoices = (await api.get('/v1/invoices?customer=acme')).body['data'] as { id: string }[]
  assert.equal(invoices.length, 1)
  const pdf = await api.request(`/v1/invoices/${invoices[0]?.id}/pdf`, {
    headers: { authorization: `Bearer ${api.key}` },
  })
  text = plain((await readPdf(await pdf.bytes())).text)
})
after(async () => api.close())

test('buyer reference and purchase order reference are on the PDF', () => {
  assert.match(text, /Purchase order PO-7731/)
  assert.match(text, /Your reference Cost centre 4711/)
})

test('the note of the customer is on the PDF as it was when the document was made', () => {
  assert.match(text, /Thank you for ten years\./)
  assert.doesNotMatch(text, /Changed/)
})

test('by setting, lines stand below the name of their subscription', () => {
  assert.equal(text.match(/Support/g)?.length, 2, text)
  assert.match(text, /Support Support .*Seat Seat /)
})

test('E-31 by setting, lines stand below their purchase order, those of one together', async () => {
  await api.patch('/v1/seller', { invoice_sections: 'purchase_order' })
  await api.post('/v1/customers', { code: 'orderly', name: 'Orderly' })
  const now = new Date().toISOString()
  const ids: string[] = []
  for (const [reference, product] of [
    ['PO-1', 'support'],
    ['PO-2', 'support'],
    ['PO-1', 'seat'],
    [null, 'seat'],
  ]) {
    const order = { customer: 'orderly', lines: [{ product }], purchase_order_reference: reference }
    const { body } = await api.post('/v1/orders', order)
    ids.push(...(body['subscriptions'] as { id: string }[]).map(({ id }) => decodeId('subscription', id)))
  }
  for (const id of ids) {
    await setPhase(api.db, id, { phase: 'building', now })
    await activateSubscription(api.db, id, now)
  }
  // The first bill of the document bills all that lies on it.
  for (const id of ids) await billOpening(api.db, id, now)
  const [invoice] = (await api.get('/v1/invoices?customer=orderly')).body['data'] as { id: string }[]
  const pdf = await api.request(`/v1/invoices/${invoice?.id}/pdf`, {
    headers: { authorization: `Bearer ${api.key}` },
  })
  const said = plain((await readPdf(await pdf.bytes())).text)
  assert.match(said, /Purchase order PO-1 Support .*Seat .*Purchase order PO-2 Support .*Other Seat /)
  assert.equal(said.match(/PO-1/g)?.length, 1, said)
})
