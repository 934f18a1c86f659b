import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { newId } from '#db/identifier.ts'
import { encodeId } from '#domain/identifier.ts'
import { insertPeer, receiveDocument, supplierDocument } from '#test/support/peer.ts'
import { createTestConsole, type TestConsole } from '#test/pages/console.ts'
import { sectionText } from '#test/pages/text.ts'

type Json = Record<string, unknown>

/** Its routes and its pages. */
let api: TestConsole
let supplier = ''
let invoice = ''

before(async () => {
  api = await createTestConsole()
  const peerId = await insertPeer(api.db)
  const [line] = supplierDocument().lines
  assert.ok(line)
  const lines = [
    { ...line, amount_minor: 600, tax_minor: 120, product_code: 'server-l' },
    { ...line, amount_minor: 400, tax_minor: 80, description: 'Support by hand' },
  ]
  await receiveDocument(api.db, peerId, supplierDocument({ lines }))
  const row = await api.db
    .selectFrom('supplier_invoices')
    .select(['id', 'supplier_id'])
    .executeTakeFirstOrThrow()
  invoice = encodeId('supplierInvoice', row.id)
  supplier = encodeId('supplier', row.supplier_id)
})
after(async () => api.close())

const get = async (path: string): Promise<Json> =>
  (await (await api.request(path, { headers: { authorization: `Bearer ${api.key}` } })).json()) as Json
const map = async (body: object) => await api.put(`/v1/suppliers/${supplier}/expense-mappings`, body)
const read = async () => await get(`/v1/supplier-invoices/${invoice}`)

test('a line is of no category until somebody says so, and is counted as that', async () => {
  assert.equal((await read())['unmapped_lines'], 2)
  const made = await api.post('/v1/expense-categories', { code: 'hosting', name: 'Hosting', account: '4930' })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const again = await api.post('/v1/expense-categories', { code: 'hosting', name: 'Hosting' })
  assert.deepEqual([again.status, again.body['code']], [409, 'code_taken'])
  assert.equal((await map({ product_code: 'server-l', category: 'hosting' })).status, 200)
  const taxed = { tax_category: 'standard', rate_percent: '20.0', tax_code: 'V20' }
  assert.equal((await api.put(`/v1/suppliers/${supplier}/tax-codes`, taxed)).status, 200)
  const detail = await read()
  assert.equal(detail['unmapped_lines'], 1)
  const mapped = detail['mapped'] as { expense_category: { code: string } | null; tax_code: string }[]
  assert.deepEqual(
    mapped.map((line) => [line.expense_category?.code, line.tax_code]),
    [
      ['hosting', 'V20'],
      [undefined, 'V20'],
    ],
  )
})

test('what a month cost is told by category, and what is not mapped stands apart line by line', async () => {
  const body = await get('/v1/expenses?month=2026-03')
  const rows = body['expenses'] as { category: Json | null; account: string; amount: Json; lines: number }[]
  assert.deepEqual(
    rows.map((row) => [row.category?.['code'], row.account, row.amount['amount_minor'], row.lines]),
    [
      ['hosting', '4930', 600, 1],
      [undefined, null, 400, 1],
    ],
  )
  const [line] = body['unmapped'] as Json[]
  assert.deepEqual(
    [line?.['number'], line?.['description'], line?.['position']],
    ['UP-1', 'Support by hand', 2],
  )
})

test('an unknown category, and one out of use, are refused, as are two names at once', async () => {
  const { body: made } = await api.post('/v1/expense-categories', { code: 'old', name: 'Old' })
  await api.patch(`/v1/expense-categories/${String(made['id'])}`, { is_archived: true })
  for (const category of ['nothing', 'old']) {
    const { status, body } = await map({ description: 'Support by hand', category })
    assert.deepEqual([status, body['code']], [422, 'expense_category_unknown'])
  }
  const both = await map({ description: 'a', product_code: 'b', category: 'hosting' })
  assert.deepEqual([both.status, both.body['code']], [422, 'field_invalid'])
  assert.equal((await read())['unmapped_lines'], 1)
})

test('a line is mapped on the page where it is seen, and a mapping is taken back', async () => {
  const page = '/expenses?month=2026-03'
  assert.match(sectionText((await api.get(page)).html, 'unmapped'), /Support by hand/)
  const form = { form: `map-${invoice}-2`, supplier, description: 'Support by hand', category: 'hosting' }
  assert.equal((await api.submit(page, '/expenses/map', form)).status, 303)
  assert.equal((await read())['unmapped_lines'], 0)
  assert.match(sectionText((await api.get(page)).html, 'expenses'), /Hosting 4930 2 10\.00/)
  const { body } = await map({ description: 'Support by hand', category: null })
  assert.equal((body['expense_mappings'] as Json[]).length, 1)
  assert.equal((await read())['unmapped_lines'], 1)
})

test('what is agreed of a supplier’s lines and taxes is listed on the page, and taken back there (G-09)', async () => {
  await api.db
    .insertInto('products')
    .values({ id: newId(), code: 'web', external_id: null, variant_of_id: null, archived_at: null })
    .execute()
  const rule = { product_code: 'server-l', pays_for: { product: 'web' } }
  const ruled = await api.put(`/v1/suppliers/${supplier}/cost-rules`, rule)
  assert.equal(ruled.status, 200, JSON.stringify(ruled.body))
  const agreed = async () => sectionText((await api.get('/expenses')).html, 'agreed')
  const rows = [
    /product server-l Hosting/,
    /tax standard, 20(\.0)? % tax code V20/,
    /product server-l pays for product web/,
  ]
  const listed = await agreed()
  for (const row of rows) assert.match(listed, row)
  for (const action of ['/expenses/map', '/expenses/tax-code', '/margins/rules'])
    assert.equal((await api.submit('/expenses', action)).status, 303, action)
  const left = await agreed()
  for (const row of rows) assert.doesNotMatch(left, row)
  const {
    expense_mappings: mappings,
    tax_codes: codes,
    cost_rules: rules,
  } = await get(`/v1/suppliers/${supplier}`)
  assert.deepEqual([mappings, codes, rules], [[], [], []])
})
