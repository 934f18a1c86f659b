import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test, { after, before } from 'node:test'
import { encodeId } from '#domain/identifier.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { insertFinalizedInvoice, type MadeInvoice } from '#test/support/finalized-invoice.ts'
import { readPdf } from '#test/support/pdf.ts'

let api: TestApi
let customerId: string
before(async () => {
  api = await createTestApi()
  await api.post('/v1/customers', { code: 'acme', name: 'Acme' })
  const customer = await api.db.selectFrom('customers').select('id').executeTakeFirstOrThrow()
  customerId = customer.id
})
after(async () => api.close())

const made: MadeInvoice = {
  number: 'INV-1',
  currency: 'EUR',
  netMinor: 12_475,
  taxPercent: '19',
  taxMinor: 2370,
}

async function insert(overrides: Partial<MadeInvoice>): Promise<string> {
  return await insertFinalizedInvoice(api.db, customerId, { ...made, ...overrides })
}

async function getPdf(id: string, headers: Record<string, string> = {}): Promise<Response> {
  return await api.request(`/v1/invoices/${encodeId('invoice', id)}/pdf`, {
    headers: { authorization: `Bearer ${api.key}`, ...headers },
  })
}

for (const [currency, language, total] of [
  ['JPY', 'ja', '14,845 JPY'],
  ['EUR', 'de', '148,45 EUR'],
  ['KWD', 'ar', '14.845 KWD'],
] as const) {
  test(`the PDF says the total of its row: ${total}`, async () => {
    const response = await getPdf(await insert({ number: `INV-${currency}`, currency, language }))
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'application/pdf')
    assert.equal(response.headers.get('content-disposition'), `attachment; filename="INV-${currency}.pdf"`)
    const { text, missingGlyphCount } = await readPdf(await response.bytes())
    assert.ok(text.includes(total), text)
    assert.equal(missingGlyphCount, 0)
  })
}

test('a PDF is made once: asked for again, by ten at once, or under another name of the customer, its bytes are the same', async () => {
  const id = await insert({ number: 'INV-once' })
  const answers = await Promise.all(Array.from({ length: 10 }, async () => getPdf(id)))
  const digests = new Set<string>()
  for (const answer of answers)
    digests.add(
      createHash('sha256')
        .update(await answer.bytes())
        .digest('hex'),
    )
  await api.db.updateTable('customers').set({ name: 'Acme Limited' }).where('id', '=', customerId).execute()
  digests.add(
    createHash('sha256')
      .update(await (await getPdf(id)).bytes())
      .digest('hex'),
  )
  assert.equal(digests.size, 1)
  const [digest = ''] = digests
  assert.deepEqual(new Set(answers.map((answer) => answer.headers.get('etag'))), new Set([`"${digest}"`]))
})

test('who has the bytes already is told so', async () => {
  const id = await insert({ number: 'INV-cached' })
  const etag = (await getPdf(id)).headers.get('etag') ?? ''
  const again = await getPdf(id, { 'if-none-match': etag })
  assert.equal(again.status, 304)
  assert.equal(await again.text(), '')
})

test('a kept PDF refuses to be changed or removed', async () => {
  const id = await insert({ number: 'INV-kept' })
  await getPdf(id)
  await assert.rejects(
    api.db.updateTable('invoice_files').set({ language: 'de' }).where('invoice_id', '=', id).execute(),
  )
  await assert.rejects(api.db.deleteFrom('invoice_files').where('invoice_id', '=', id).execute())
})

test('a draft has no PDF', async () => {
  const response = await getPdf(await insert({ number: 'INV-draft', isDraft: true }))
  assert.equal(response.status, 409)
  assert.equal(((await response.json()) as { code: string }).code, 'not_finalized')
})

test('an invoice that is not there has no PDF, and an id of another kind is named', async () => {
  const missing = await api.get('/v1/invoices/inv_00000000000000000000000000/pdf')
  assert.deepEqual([missing.status, missing.body['code']], [404, 'not_found'])
  const mistaken = await api.get(`/v1/invoices/${encodeId('customer', customerId)}/pdf`)
  assert.deepEqual([mistaken.status, mistaken.body['code']], [400, 'id_kind_mismatch'])
})
