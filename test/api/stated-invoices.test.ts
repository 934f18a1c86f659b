import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { writeUblInvoice } from '#documents/ubl-invoice.ts'
import type { SupplierDocument } from '#domain/supplier-invoice.ts'
import { insertPeer, receiveDocument, supplierDocument } from '#test/support/peer.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'

type Json = Record<string, unknown>
let api: TestApi
before(async () => {
  api = await createTestApi()
  const { status, body } = await api.post('/v1/suppliers', {
    code: 'power',
    name: 'Power & Light',
    currency: 'EUR',
    tax_id: 'DE1',
  })
  assert.equal(status, 201, JSON.stringify(body))
  await api.post('/v1/suppliers', { code: 'water', name: 'Water', currency: 'EUR' })
})
after(async () => api.close())

/** As it is printed: 100.00 and 50.00 at 19 percent, 20.00 at none. */
const printed = (different: Json = {}) => ({
  supplier: 'power',
  number: 'R-1',
  issued_on: '2026-03-02',
  due_on: '2026-03-16',
  net_minor: 17_000,
  tax_minor: 2_850,
  total_minor: 19_850,
  lines: [
    { description: 'Rack', amount_minor: 10_000, tax_rate_percent: '19', product_code: 'rack' },
    { description: 'Power', amount_minor: 5_000, tax_rate_percent: '19' },
    { description: 'Deposit', amount_minor: 2_000, tax_category: 'exempt' },
  ],
  taxes: [
    { rate_percent: '19', base_minor: 15_000, tax_minor: 2_850 },
    { category: 'exempt', rate_percent: '0', base_minor: 2_000, tax_minor: 0 },
  ],
  ...different,
})
const record = async (different: Json = {}) => await api.post('/v1/supplier-invoices', printed(different))
const refusal = ({ status, body }: { status: number; body: Json }) => {
  const [error] = (body['errors'] ?? []) as Json[]
  return [status, body['code'], error?.['pointer']]
}

test('what a supplier without an installation billed is recorded as printed, by whom, and is owed (G-13)', async () => {
  const { status, body } = await record()
  assert.equal(status, 201, JSON.stringify(body))
  const money = (amount: number) => ({ amount_minor: amount, currency: 'EUR' })
  assert.deepEqual(
    [body['origin'], body['peer'], body['supplier'], body['state'], body['total'], body['disagreement']],
    ['hand', null, 'Power & Light', 'overdue', money(19_850), null],
  )
  const { lines } = body['content'] as { lines: Json[] }
  assert.deepEqual(
    lines.map((line) => line['tax_minor']),
    [1_900, 950, 0],
  )
  const { suppliers } = (await api.get('/v1/payables')).body as { suppliers: Json[] }
  assert.deepEqual(suppliers[0]?.['open'], money(19_850))
  const row = await api.db.selectFrom('supplier_invoices').select('recorded_by').executeTakeFirstOrThrow()
  assert.ok(row.recorded_by)
})

test('a number of a supplier is recorded once; another supplier may have it too', async () => {
  assert.deepEqual(refusal(await record()), [409, 'document_number_taken', '/number'])
  assert.equal((await record({ supplier: 'water' })).status, 201)
})

test('what was recorded never changes', async () => {
  const { data } = (await api.get('/v1/supplier-invoices')).body as { data: Json[] }
  const reply = await api.patch(`/v1/supplier-invoices/${String(data[0]?.['id'])}`, { number: 'R-2' })
  assert.deepEqual(refusal(reply), [409, 'supplier_invoice_immutable', undefined])
})

test('what does not add up is refused at the field that says another sum', async () => {
  const [rack, power, deposit] = printed().lines
  const [full, none] = printed().taxes
  for (const [different, pointer] of [
    [{ total_minor: 19_851 }, '/total_minor'],
    [{ net_minor: 17_001, total_minor: 19_851 }, '/net_minor'],
    [{ tax_minor: 2_851, total_minor: 19_851 }, '/tax_minor'],
    [{ lines: [{ ...rack, tax_minor: 1 }, { ...power, tax_minor: 2 }, deposit] }, '/tax_minor'],
    [{ taxes: [{ ...full, rate_percent: '18' }, none] }, '/tax_minor'],
    [{ taxes: [{ ...full, base_minor: 15_001 }, none] }, '/taxes/0/base_minor'],
    [{ instalments: [{ due_on: '2026-03-16', amount_minor: 1 }] }, '/total_minor'],
    [{ currency: 'USD' }, '/currency'],
  ] as const) {
    const reply = await record({ number: 'R-9', ...different })
    assert.deepEqual(refusal(reply), [422, 'sums_disagree', pointer], JSON.stringify(reply.body))
  }
})

test('a tax that is rounded by line is the sum of its lines, and is not held against its rate', async () => {
  const line = (description: string) => ({
    description,
    amount_minor: 3,
    tax_rate_percent: '19',
    tax_minor: 1,
  })
  const byLine = {
    number: 'R-3',
    net_minor: 6,
    tax_minor: 2,
    total_minor: 8,
    lines: [line('First'), line('Second')],
    taxes: [{ rate_percent: '19', base_minor: 6, tax_minor: 2 }],
  }
  assert.deepEqual(refusal(await record(byLine)), [422, 'sums_disagree', '/taxes/0/tax_minor'])
  assert.equal((await record({ ...byLine, tax_rounding: 'line' })).status, 201)
})

test('a credit note is recorded as it is printed and takes from what it corrects', async () => {
  const invoice = (await record({ number: 'R-4' })).body
  const note = {
    kind: 'credit_note',
    net_minor: 10_000,
    tax_minor: 1_900,
    total_minor: 11_900,
    corrects: invoice['id'],
    lines: [printed().lines[0]],
    taxes: [{ rate_percent: '19', base_minor: 10_000, tax_minor: 1_900 }],
  }
  const { status, body } = await record({ ...note, number: 'C-1' })
  assert.equal(status, 201, JSON.stringify(body))
  assert.deepEqual([body['state'], body['corrects']], ['used', invoice['id']])
  const { body: corrected } = await api.get(`/v1/supplier-invoices/${String(invoice['id'])}`)
  assert.deepEqual(corrected['open'], { amount_minor: 7_950, currency: 'EUR' })
  const ofOther = await record({ ...note, number: 'C-2', supplier: 'water' })
  assert.deepEqual(refusal(ofOther), [422, 'supplier_mismatch', '/corrects'])
  const ofNote = await record({ ...note, number: 'C-2', corrects: body['id'] })
  assert.deepEqual(refusal(ofNote), [409, 'not_an_invoice', '/corrects'])
  assert.deepEqual(refusal(await record({ number: 'R-5', corrects: invoice['id'] })).slice(1), [
    'field_invalid',
    '/corrects',
  ])
})

test('a supplier that is a peer sends its documents itself, and one that is none is unknown', async () => {
  await receiveDocument(api.db, await insertPeer(api.db), supplierDocument())
  const { data } = (await api.get('/v1/suppliers')).body as { data: Json[] }
  const peer = data.find((supplier) => supplier['peer'] !== null)
  const reply = await record({ supplier: peer?.['id'], currency: 'USD' })
  assert.deepEqual(refusal(reply), [409, 'supplier_is_peer', '/supplier'])
  assert.deepEqual(refusal(await record({ supplier: 'nobody' })).slice(1), ['supplier_unknown', '/supplier'])
  const taken = await api.post('/v1/suppliers', { code: 'power', name: 'Again', currency: 'EUR' })
  assert.deepEqual(refusal(taken).slice(1), ['code_taken', '/code'])
})

const ubl = (different: Partial<SupplierDocument> = {}, corrects: string | null = null) =>
  writeUblInvoice(supplierDocument({ number: 'E-1', currency: 'EUR', ...different }), {
    corrects,
    prepaidMinor: 0,
  })
const importUbl = async (file: string, supplier = 'power') =>
  await api.post('/v1/supplier-invoices/import', { supplier, ubl: file })

test('an e-invoice is recorded as its file says, and the file is given out again as it came', async () => {
  const file = ubl()
  const { status, body } = await importUbl(file)
  assert.equal(status, 201, JSON.stringify(body))
  assert.deepEqual(
    [body['origin'], body['number'], body['total'], body['issued_on'], body['due_on']],
    ['ubl', 'E-1', { amount_minor: 1_200, currency: 'EUR' }, '2026-03-01', '2026-03-15'],
  )
  const [kept] = body['files'] as { href: string; kind: string }[]
  assert.equal(kept?.kind, 'ubl')
  const response = await api.request(kept?.href ?? '', { headers: { authorization: `Bearer ${api.key}` } })
  assert.equal(await response.text(), file)
  assert.deepEqual(refusal(await importUbl(file)), [409, 'document_number_taken', '/number'])
})

test('a credit note in a file takes from the document whose number it names', async () => {
  const { lines, taxes } = supplierDocument()
  const back = {
    kind: 'credit_note' as const,
    number: 'E-2',
    lines: lines.map((line) => ({ ...line, amount_minor: -1_000, tax_minor: -200 })),
    taxes: taxes.map((tax) => ({ ...tax, base_minor: -1_000, tax_minor: -200 })),
  }
  const { body } = await importUbl(ubl(back, 'E-1'))
  assert.deepEqual([body['kind'], body['state']], ['credit_note', 'used'], JSON.stringify(body))
})

test('a file that is none, is cut off or does not add up is refused, and nothing is kept of it', async () => {
  const before = (await api.get('/v1/supplier-invoices')).body['data'] as Json[]
  for (const [file, code, pointer] of [
    ['<!DOCTYPE a><a/>', 'xml_malformed', '/ubl'],
    [ubl().slice(0, 500), 'xml_malformed', '/ubl'],
    ['<Order/>', 'ubl_unreadable', '/ubl'],
    [ubl({ number: 'E-9', total_minor: 1_201 }), 'sums_disagree', '/total_minor'],
    [ubl({ number: 'E-9', currency: 'USD' }), 'sums_disagree', '/currency'],
  ] as const)
    assert.deepEqual(refusal(await importUbl(file)), [422, code, pointer])
  const after = (await api.get('/v1/supplier-invoices')).body['data'] as Json[]
  assert.equal(after.length, before.length)
})

const march = (...rows: string[]) =>
  ['supplier,number,issued_on,total,description,amount,tax_rate_percent,tax,due_on', ...rows].join('\r\n')
const fromCsv = async (csv: string, dry_run = false) =>
  await api.post('/v1/supplier-invoices/import-csv', { csv, dry_run })
const csvNumbers = async () =>
  (
    await api.db
      .selectFrom('supplier_invoices')
      .select('number')
      .where('origin', '=', 'csv')
      .orderBy('number')
      .execute()
  ).map(({ number }) => number)

test('a CSV file is recorded whole, a row for each line, or tried and left (G-13)', async () => {
  const csv = march(
    'power,CSV-1,2026-03-02,178.50,"Rack, large",100.00,19,19.00,2026-03-16',
    'power,CSV-1,,,Power,50.00,19,9.50,',
    'water,CSV-2,2026-03-03,20.00,Water,20.00,,,',
  )
  const tried = await fromCsv(csv, true)
  assert.deepEqual([tried.status, tried.body['count'], tried.body['supplier_invoices']], [201, 2, []])
  assert.deepEqual(await csvNumbers(), [])
  const { status, body } = await fromCsv(csv)
  assert.equal(status, 201, JSON.stringify(body))
  const recorded = body['supplier_invoices'] as Json[]
  assert.deepEqual(
    recorded.map(({ number, total }) => [number, total]),
    [
      ['CSV-1', { amount_minor: 17_850, currency: 'EUR' }],
      ['CSV-2', { amount_minor: 2_000, currency: 'EUR' }],
    ],
  )
  const detail = (await api.get(`/v1/supplier-invoices/${String(recorded[0]?.['id'])}`)).body
  assert.deepEqual([detail['origin'], detail['due_on'], detail['disagreement']], ['csv', '2026-03-16', null])
  assert.deepEqual(
    (detail['content'] as { lines: Json[] }).lines.map((line) => [line['description'], line['tax_minor']]),
    [
      ['Rack, large', 1_900],
      ['Power', 950],
    ],
  )
  assert.deepEqual(refusal(await fromCsv(csv)), [409, 'document_number_taken', '/csv/2/number'])
})

test('of a CSV file with rows that are refused nothing is recorded, and each is named with its row', async () => {
  const before = await csvNumbers()
  const { status, body } = await fromCsv(
    march(
      'power,CSV-3,2026-03-02,100.00,Fine,100.00,,,',
      'power,CSV-4,2026-03-02,,Rack,1.005,,,',
      'nobody,CSV-5,2026-03-02,,Rack,1.00,,,',
      'power,CSV-6,2026-03-02,7.00,Rack,6.00,,,',
      'power,CSV-7,2026-02-30,,Rack,1.00,,,',
    ),
  )
  assert.equal(status, 422)
  assert.deepEqual(
    (body['errors'] as Json[]).map(({ code, pointer }) => [code, pointer]),
    [
      ['field_invalid', '/csv/3/amount'],
      ['supplier_unknown', '/csv/4/supplier'],
      ['sums_disagree', '/csv/5/total'],
      ['field_invalid', '/csv/6/issued_on'],
    ],
  )
  // By its id it is the same supplier: only beside the row above it is the second one refused.
  const { id } = (await api.get('/v1/suppliers/power')).body
  const twice = march('power,CSV-8,2026-03-02,,Rack,1.00,,,', `${String(id)},CSV-8,2026-03-02,,Rack,1.00,,,`)
  for (const isDryRun of [true, false])
    assert.deepEqual(refusal(await fromCsv(twice, isDryRun)), [409, 'document_number_taken', '/csv/3/number'])
  assert.deepEqual(await csvNumbers(), before)
  for (const csv of ['supplier,number\r\npower,1', march(), march('power,"'), march('a,b,c,d,e,f,g,h,i,j')])
    assert.deepEqual(refusal(await fromCsv(csv)), [422, 'csv_malformed', '/csv'], csv)
})
