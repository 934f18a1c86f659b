import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { newId } from '#db/identifier.ts'
import { addDays, dateIn } from '#domain/calendar.ts'
import { encodeId } from '#domain/identifier.ts'
import type { SupplierDocument } from '#domain/supplier-invoice.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { insertPeer, receiveDocument, supplierDocument } from '#test/support/peer.ts'

type Json = Record<string, unknown>
type Money = { amount_minor: number; currency: string }

let api: TestApi
let upstream = ''
let other = ''
const today = dateIn('UTC', new Date().toISOString())

before(async () => {
  api = await createTestApi()
  await api.db.updateTable('installation').set({ time_zone: 'UTC' }).execute()
  upstream = await insertPeer(api.db)
  other = await insertPeer(api.db, { name: 'Elsewhere' })
})
after(async () => api.close())

/** A document of 12.00, late by so many days, and its id here. */
async function receive(
  peerId: string,
  lateDays: number,
  different: Partial<SupplierDocument> = {},
): Promise<{ id: string; document: string }> {
  const document = encodeId('invoice', newId())
  const dueOn = addDays(today, -lateDays)
  const dates = { issued_on: addDays(dueOn, -14), due_on: dueOn }
  await receiveDocument(
    api.db,
    peerId,
    supplierDocument({ document, number: document.slice(-8), ...dates, ...different }),
  )
  const row = await api.db
    .selectFrom('supplier_invoices')
    .select('id')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow()
  return { id: encodeId('supplierInvoice', row.id), document }
}

/** As a supplier credits: it says what it gives back, its lines what they take. */
function credit(amountMinor: number, corrects: string | null): Partial<SupplierDocument> {
  const [line] = supplierDocument().lines
  assert.ok(line)
  return {
    kind: 'credit_note',
    corrects,
    net_minor: amountMinor,
    tax_minor: 0,
    total_minor: amountMinor,
    lines: [{ ...line, amount_minor: -amountMinor, tax_minor: 0 }],
    taxes: [],
  }
}

const read = async (id: string) => (await api.get(`/v1/supplier-invoices/${id}`)).body
const openOf = (body: Json) => (body['open'] as Money).amount_minor
const pay = async (...pays: [string, number][]) =>
  await api.post('/v1/supplier-payments', {
    pays: pays.map(([supplier_invoice, amount_minor]) => ({ supplier_invoice, amount_minor })),
  })

async function standing(id: string): Promise<[unknown, number]> {
  const body = await read(id)
  return [body['state'], openOf(body)]
}

test('a supplier invoice is paid in part, in full, and open again when the payment is taken back', async () => {
  const { id } = await receive(upstream, 0)
  assert.deepEqual(await standing(id), ['open', 1_200])
  const first = await pay([id, 500])
  assert.equal(first.status, 201, JSON.stringify(first.body))
  assert.deepEqual(await standing(id), ['partly_paid', 700])
  const second = await pay([id, 700])
  assert.deepEqual(await standing(id), ['paid', 0])
  const address = `/v1/supplier-payments/${String(second.body['id'])}/reverse`
  const reversed = await api.post(address, { reason: 'It came back' })
  assert.deepEqual([reversed.status, reversed.body['reversal_reason']], [200, 'It came back'])
  assert.deepEqual(await standing(id), ['partly_paid', 700])
  const again = await api.post(address, { reason: 'It came back' })
  assert.deepEqual([again.status, again.body['code']], [409, 'payment_reversed'])
  const detail = await read(id)
  assert.deepEqual(
    (detail['set_against'] as Json[]).map((row) => [
      row['kind'],
      (row['amount'] as Money).amount_minor,
      row['is_reversed'],
    ]),
    [
      ['payment', 500, false],
      ['payment', 700, true],
    ],
  )
})

test('one payment over several invoices is their sum, and sent twice it is made once', async () => {
  const [one, two] = [await receive(upstream, 0), await receive(upstream, 40)]
  const body = {
    pays: [
      { supplier_invoice: one.id, amount_minor: 1_200 },
      { supplier_invoice: two.id, amount_minor: 300 },
    ],
    reference: 'RUN-1',
  }
  const key = { 'idempotency-key': newId() }
  const made = await api.post('/v1/supplier-payments', body, key)
  const repeated = await api.post('/v1/supplier-payments', body, key)
  assert.deepEqual([made.status, repeated.body], [201, made.body])
  assert.equal((made.body['amount'] as Money).amount_minor, 1_500)
  assert.deepEqual(await standing(one.id), ['paid', 0])
  assert.deepEqual(await standing(two.id), ['overdue', 900])
  const { body: list } = await api.get('/v1/supplier-payments')
  assert.equal((list['data'] as Json[])[0]?.['reference'], 'RUN-1')
})

test('each nonsense of a payment is refused by its own code, at its place, and leaves nothing', async () => {
  const { id } = await receive(upstream, 0)
  const foreign = await receive(other, 0)
  const { id: note } = await receive(upstream, 0, credit(100, null))
  const part = { supplier_invoice: id, amount_minor: 1_200 }
  const before = (await api.get('/v1/supplier-payments')).body
  const table: readonly (readonly [Json, number, string, string])[] = [
    [{ pays: [{ ...part, amount_minor: 1_201 }] }, 409, 'payment_exceeds_invoice', '/pays/0/amount_minor'],
    [{ pays: [{ ...part, supplier_invoice: note }] }, 409, 'not_an_invoice', '/pays/0/supplier_invoice'],
    [
      { pays: [part, { ...part, supplier_invoice: foreign.id }] },
      422,
      'supplier_mismatch',
      '/pays/1/supplier_invoice',
    ],
    [{ pays: [part], currency: 'EUR' }, 422, 'currency_mismatch', '/pays/0'],
    [{ pays: [part], paid_on: addDays(today, 2) }, 422, 'paid_in_future', '/paid_on'],
    [{ pays: [part, part] }, 422, 'field_invalid', '/pays'],
    [{ pays: [] }, 422, 'field_invalid', '/pays'],
    [
      { pays: [{ ...part, supplier_invoice: 'sinv_01kb0000000000000000000009' }] },
      404,
      'not_found',
      '/pays/0/supplier_invoice',
    ],
  ]
  for (const [body, status, code, pointer] of table) {
    const reply = await api.post('/v1/supplier-payments', body)
    const [error] = reply.body['errors'] as Json[]
    assert.deepEqual([reply.status, reply.body['code'], error?.['pointer']], [status, code, pointer])
  }
  assert.deepEqual((await api.get('/v1/supplier-payments')).body, before)
})

test('a credit note sets off what it corrects, whichever came first; what is left of it is set off by hand', async () => {
  const late = encodeId('invoice', newId())
  const early = await receive(upstream, 0, credit(200, late))
  assert.deepEqual(await standing(early.id), ['waiting', -200])
  const corrected = await receive(upstream, 0, { document: late })
  assert.deepEqual(await standing(early.id), ['used', 0])
  assert.deepEqual(await standing(corrected.id), ['partly_paid', 1_000])
  const full = await receive(upstream, 0, credit(1_500, late))
  assert.deepEqual(await standing(corrected.id), ['credited', 0])
  assert.deepEqual(await standing(full.id), ['open', -500])
  const next = await receive(upstream, 0)
  const setOff = async (invoice: string, body: Json) =>
    await api.post(`/v1/supplier-invoices/${invoice}/set-offs`, body)
  const wrong: readonly (readonly [string, Json, string])[] = [
    [next.id, { credit_note: corrected.id }, 'not_a_credit'],
    [full.id, { credit_note: full.id }, 'not_an_invoice'],
    [corrected.id, { credit_note: full.id }, 'nothing_to_pay'],
    [next.id, { credit_note: full.id, amount_minor: 501 }, 'payment_exceeds_invoice'],
    [(await receive(other, 0)).id, { credit_note: full.id }, 'supplier_mismatch'],
  ]
  for (const [invoice, body, code] of wrong) assert.equal((await setOff(invoice, body)).body['code'], code)
  assert.equal((await setOff(next.id, { credit_note: full.id })).status, 200)
  assert.deepEqual(
    [await standing(next.id), await standing(full.id)],
    [
      ['partly_paid', 700],
      ['used', 0],
    ],
  )
})

test('a payment that is taken back gives room to a credit that corrects the same invoice', async () => {
  const { id, document } = await receive(upstream, 0)
  const { body: paid } = await pay([id, 1_200])
  const note = await receive(upstream, 0, credit(300, document))
  assert.deepEqual(await standing(note.id), ['open', -300])
  await api.post(`/v1/supplier-payments/${String(paid['id'])}/reverse`, { reason: 'Refused by the bank' })
  assert.deepEqual(
    [await standing(id), await standing(note.id)],
    [
      ['partly_paid', 900],
      ['used', 0],
    ],
  )
})

test('the ageing of payables equals the sum of open supplier invoices, per supplier and currency (G-11)', async () => {
  await receive(other, 100)
  const { body } = await api.get('/v1/payables')
  const { data } = (await api.get('/v1/supplier-invoices?limit=100')).body as { data: Json[] }
  const rows = body['suppliers'] as Json[]
  const agesOf = (row: Json) =>
    ['not_due', 'days_1_30', 'days_31_60', 'days_61_90', 'over_90_days', 'credit']
      .map((age) => (row[age] as Money).amount_minor)
      .reduce((sum, amount) => sum + amount, 0)
  assert.ok(rows.length === 2)
  for (const row of rows) {
    const { id } = row['supplier'] as { id: string }
    const open = data.filter((one) => one['supplier_id'] === id).reduce((sum, one) => sum + openOf(one), 0)
    assert.deepEqual([openOf(row), agesOf(row)], [open, open])
  }
  const [total] = body['totals'] as Json[]
  assert.ok(total)
  assert.equal(
    openOf(total),
    data.reduce((sum, one) => sum + openOf(one), 0),
  )
  assert.equal((total['over_90_days'] as Money).amount_minor, 1_200)
})

test('a received document is never edited, nor removed: who tries is told why', async () => {
  const { id } = await receive(upstream, 0)
  const before = await read(id)
  for (const reply of [
    await api.patch(`/v1/supplier-invoices/${id}`, { number: 'X' }),
    await api.delete(`/v1/supplier-invoices/${id}`),
  ])
    assert.deepEqual([reply.status, reply.body['code']], [409, 'supplier_invoice_immutable'])
  assert.deepEqual(await read(id), before)
})

test('a total off by 0.01 is disputed, with a task, and stays as the supplier wrote it', async () => {
  const { id } = await receive(upstream, 0, { total_minor: 1_201 })
  const body = await read(id)
  assert.deepEqual([body['state'], openOf(body)], ['disputed', 1_201])
  assert.equal(body['disagreement'], 'net and tax come to 1200, the total says 1201')
  const tasks = (await api.get('/v1/tasks')).body['data'] as Json[]
  assert.ok(
    tasks.some(({ kind, subject_id: subject }) => kind === 'supplier_invoice_disputed' && subject === id),
  )
})

test('payments of a supplier that is not known are refused at the filter', async () => {
  const { status, body } = await api.get('/v1/supplier-payments?supplier=nobody')
  const [error] = body['errors'] as Json[]
  assert.deepEqual([status, body['code'], error?.['pointer']], [422, 'supplier_unknown', '?supplier'])
})
