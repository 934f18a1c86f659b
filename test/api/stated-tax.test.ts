import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { fromInvoiceRows, readInvoiceRows } from '#documents/invoice-rows.ts'
import { toPrintedInvoice } from '#documents/printed-invoice.ts'
import { checkChain } from '#db/chain-check.ts'
import { decodeId } from '#domain/identifier.ts'
import { createTestApi, seedCatalog, type Reply, type TestApi } from '#test/support/api.ts'

// A seller in Germany, whose books are in EUR, with a customer who pays in USD.

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  await sql`update installation set currency = 'EUR'`.execute(api.db)
  await api.patch('/v1/seller', { country: 'DE', address: 'Hafen 1', tax_id: 'DE1' })
  await api.post('/v1/tax-rates', { country: 'DE', name: 'VAT', rate_percent: '20' })
  await api.patch('/v1/seller', { states_tax_in_own_currency: true })
  await newCustomer('boston', 'USD')
  await newCustomer('bremen', 'EUR')
})
after(async () => api.close())

async function newCustomer(code: string, currency: string): Promise<void> {
  const made = await api.post('/v1/customers', { code, name: code, currency, address: 'Quay 1' })
  assert.equal(made.status, 201)
}

async function bill(customer: string): Promise<Reply> {
  return await api.post('/v1/invoices', { customer })
}

async function charge(customer: string, currency: string): Promise<void> {
  const work = { description: 'Work', unit_price: '100.00', currency }
  assert.equal((await api.post(`/v1/customers/${customer}/one-off-charges`, work)).status, 201)
}

async function recordRate(rate: string): Promise<void> {
  const valid_on = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
  const reply = await api.post('/v1/exchange-rates', {
    base: 'EUR',
    quote: 'USD',
    rate,
    source: 'ECB',
    valid_on,
  })
  assert.equal(reply.status, 201)
}

async function notesOf(id: string): Promise<string[]> {
  const rows = await readInvoiceRows(api.db, decodeId('invoice', id))
  return toPrintedInvoice(fromInvoiceRows(rows), 'en').notes.map((note) =>
    note.replaceAll(/[\u2066-\u2069]/g, '').replaceAll('\u00a0', ' '),
  )
}

test('a USD invoice states its tax in EUR with rate, source and day, in data and as it is printed', async () => {
  await charge('boston', 'USD')
  const without = await bill('boston')
  assert.deepEqual([without.status, without.body['code']], [422, 'exchange_rate_missing'])
  assert.match(String(without.body['detail']), /between USD and EUR/)
  assert.deepEqual((await api.get('/v1/invoices')).body['data'], [])

  await recordRate('1.25')
  const { status, body } = await bill('boston')
  assert.equal(status, 201, JSON.stringify(body))
  assert.deepEqual(body['tax'], { amount_minor: 2000, currency: 'USD' })
  const stated = body['tax_in_seller_currency'] as Record<string, unknown>
  assert.deepEqual(
    { ...stated, valid_on: null },
    {
      tax: { amount_minor: 1600, currency: 'EUR' },
      base: 'EUR',
      quote: 'USD',
      rate: '1.25',
      source: 'ECB',
      valid_on: null,
    },
  )
  const [note] = await notesOf(String(body['id']))
  assert.match(
    String(note),
    /^Tax in the seller’s currency: 16\.00 EUR, at the rate 1 EUR = 1\.25 USD \(ECB, /,
  )

  // Corrected later: the document keeps what it was made with, and so does what takes it back.
  await recordRate('2')
  const credit = await api.post(`/v1/invoices/${String(body['id'])}/credit-notes`, { amount_minor: 5000 })
  assert.equal(credit.status, 201, JSON.stringify(credit.body))
  const returned = credit.body['tax_in_seller_currency'] as Record<string, unknown>
  assert.deepEqual([returned['tax'], returned['rate']], [{ amount_minor: 800, currency: 'EUR' }, '1.25'])
  assert.deepEqual((await checkChain(api.db)).broken, [])
})

test('an invoice in the seller’s own currency needs no rate and states nothing', async () => {
  await charge('bremen', 'EUR')
  const { status, body } = await bill('bremen')
  assert.deepEqual([status, body['tax_in_seller_currency']], [201, null])
  assert.deepEqual(await notesOf(String(body['id'])), [])
})
