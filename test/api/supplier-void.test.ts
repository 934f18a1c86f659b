import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { listSuppliedLines } from '#db/read/supplied-line.ts'
import { encodeId } from '#domain/identifier.ts'
import { addDays, dateIn } from '#domain/calendar.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { insertPeer, receiveDocument, supplierDocument } from '#test/support/peer.ts'

type Json = Record<string, unknown>
type Money = { amount_minor: number }

let api: TestApi
const today = dateIn('UTC', new Date().toISOString())
before(async () => {
  api = await createTestApi()
  await api.db.updateTable('installation').set({ time_zone: 'UTC' }).execute()
  await api.post('/v1/suppliers', { code: 'power', name: 'Power', currency: 'EUR' })
})
after(async () => api.close())

const record = async (number: string, net: number, more: Json = {}) =>
  await api.post('/v1/supplier-invoices', {
    supplier: 'power',
    number,
    issued_on: today,
    net_minor: net,
    tax_minor: 0,
    total_minor: net,
    lines: [{ description: 'Rack', amount_minor: net }],
    ...more,
  })
const recorded = async (...of: Parameters<typeof record>): Promise<string> => {
  const { status, body } = await record(...of)
  assert.equal(status, 201, JSON.stringify(body))
  return String(body['id'])
}
const creditOf = async (number: string, net: number, corrects: string) =>
  await recorded(number, net, { kind: 'credit_note', corrects })
const voidIt = async (id: string) => await api.post(`/v1/supplier-invoices/${id}/void`, { reason: 'misread' })
const voided = async (id: string) => {
  const { status, body } = await voidIt(id)
  assert.equal(status, 200, JSON.stringify(body))
  return body
}
const openOf = async (id: string) => {
  const { body } = await api.get(`/v1/supplier-invoices/${id}`)
  return [body['state'], (body['open'] as Money).amount_minor]
}
const pay = async (id: string, amountMinor: number) =>
  await api.post('/v1/supplier-payments', {
    pays: [{ supplier_invoice: id, amount_minor: amountMinor }],
  })
/** What is owed and what counts as cost, in all. */
const books = async () => {
  const { totals } = (await api.get('/v1/payables')).body as { totals: { currency: string; open: Money }[] }
  const lines = await listSuppliedLines(api.db, { start: addDays(today, -40), end: addDays(today, 40) })
  const ofPower = lines.filter(({ currency }) => currency === 'EUR')
  return [
    totals.find(({ currency }) => currency === 'EUR')?.open.amount_minor ?? 0,
    ofPower.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
  ]
}
const codeOf = ({ status, body }: { status: number; body: Json }) => [status, body['code']]

test('what was misread is voided with a reason: neither owed nor cost, its number recorded anew, kept as it was written', async () => {
  const misread = await recorded('R-1', 9_000)
  assert.deepEqual(await books(), [9_000, 9_000])
  const body = await voided(misread)
  const { at, by, reason } = body['voided'] as Json
  assert.deepEqual([body['state'], reason], ['void', 'misread'])
  assert.match(String(by), /^key_/)
  assert.match(String(at), /^20\d\d-/)
  assert.deepEqual([(body['open'] as Money).amount_minor, (body['total'] as Money).amount_minor], [0, 9_000])
  assert.deepEqual(await books(), [0, 0])
  const right = await recorded('R-1', 900)
  assert.deepEqual(await books(), [900, 900])
  assert.deepEqual(codeOf(await record('R-1', 900)), [409, 'document_number_taken'])
  const { data } = (await api.get('/v1/supplier-invoices?is_open=true')).body as { data: Json[] }
  assert.deepEqual(
    data.map(({ id }) => id),
    [right],
  )
  const event = await api.db
    .selectFrom('events')
    .select('data')
    .where('kind', '=', 'supplier_invoice.voided')
    .executeTakeFirstOrThrow()
  assert.equal((event.data as Json)['reason'], 'misread')
  await voided(right)
})

test('void is refused twice, of what is paid, and of what a peer sent; nothing is paid or set off of what is void', async () => {
  const misread = await recorded('R-2', 1_000)
  const paid = await pay(misread, 400)
  assert.deepEqual(codeOf(await voidIt(misread)), [409, 'supplier_invoice_paid'])
  await api.post(`/v1/supplier-payments/${String(paid.body['id'])}/reverse`, { reason: 'another one' })
  await voided(misread)
  assert.deepEqual(codeOf(await voidIt(misread)), [409, 'supplier_invoice_void'])
  const refused = await pay(misread, 1)
  assert.deepEqual(codeOf(refused), [409, 'supplier_invoice_void'])
  const credit = await recorded('C-2', 300, { kind: 'credit_note' })
  const setOff = await api.post(`/v1/supplier-invoices/${misread}/set-offs`, { credit_note: credit })
  assert.deepEqual(codeOf(setOff), [409, 'supplier_invoice_void'])
  const corrected = await record('C-3', 300, { kind: 'credit_note', corrects: misread })
  assert.deepEqual(codeOf(corrected), [409, 'supplier_invoice_void'])
  await voided(credit)
  assert.deepEqual(codeOf(await api.post(`/v1/supplier-invoices/${credit}/void`, {})), [
    422,
    'field_required',
  ])

  await receiveDocument(api.db, await insertPeer(api.db), supplierDocument())
  const { id } = await api.db
    .selectFrom('supplier_invoices')
    .select('id')
    .where('origin', '=', 'peer')
    .executeTakeFirstOrThrow()
  const received = encodeId('supplierInvoice', id)
  const before = await openOf(received)
  assert.deepEqual(codeOf(await voidIt(received)), [409, 'supplier_invoice_immutable'])
  assert.deepEqual(await openOf(received), before)
})

test('a void credit gives back what it took, to other credits of the same; of a void invoice the credit is free again', async () => {
  const invoice = await recorded('R-4', 1_000)
  const misread = await creditOf('C-4', 800, invoice)
  const second = await creditOf('C-5', 500, invoice)
  assert.deepEqual(
    [await openOf(invoice), await openOf(second)],
    [
      ['credited', 0],
      ['open', -300],
    ],
  )
  await voided(misread)
  assert.deepEqual(
    [await openOf(invoice), await openOf(second)],
    [
      ['partly_paid', 500],
      ['used', 0],
    ],
  )
  assert.deepEqual(await books(), [500, 500])
  await voided(invoice)
  assert.deepEqual(
    [await openOf(invoice), await openOf(second)],
    [
      ['void', 0],
      ['open', -500],
    ],
  )
  const { body } = await api.get(`/v1/supplier-invoices/${invoice}`)
  assert.deepEqual(
    (body['set_against'] as Json[]).map(({ is_reversed: isReversed }) => isReversed),
    [true, true, true],
  )
  const anew = await recorded('R-4', 700)
  await api.post(`/v1/supplier-invoices/${anew}/set-offs`, { credit_note: second })
  assert.deepEqual(
    [await openOf(anew), await openOf(second)],
    [
      ['partly_paid', 200],
      ['used', 0],
    ],
  )
})

test('what was expected and met by a void one is missing again', async () => {
  await api.post('/v1/suppliers', { code: 'water', name: 'Water', currency: 'EUR' })
  const begins_on = addDays(today, -20)
  const early = {
    supplier: 'water',
    issued_on: addDays(today, -19),
    lines: [{ description: 'Rack 7', amount_minor: 100 }],
  }
  const met = await recorded('R-6', 100, early)
  // Met at once, so it was never missing.
  await api.post('/v1/supplier-subscriptions', {
    supplier: 'water',
    name: 'Rack 7',
    begins_on,
    grace_days: 5,
  })
  const states = async () => {
    const path = `/v1/expected-supplier-invoices?month=${begins_on.slice(0, 7)}`
    const [row] = (await api.get(path)).body['suppliers'] as Json[]
    return ((row?.['expectations'] ?? []) as Json[]).map(({ state, number }) => [state, number])
  }
  assert.deepEqual((await states())[0], ['received', 'R-6'])
  await voided(met)
  assert.deepEqual((await states())[0], ['missing', null])
  const tasks = (await api.get('/v1/tasks')).body['data'] as Json[]
  assert.ok(tasks.some(({ kind, closed_at: at }) => kind === 'supplier_invoice_missing' && at === null))
})

test('what was missing, came, and is voided since has an open task again', async () => {
  await api.post('/v1/suppliers', { code: 'gas', name: 'Gas', currency: 'EUR' })
  const began = { supplier: 'gas', name: 'Tank', begins_on: addDays(today, -20), grace_days: 5 }
  const { body: subscription } = await api.post('/v1/supplier-subscriptions', began)
  const tasks = async () =>
    ((await api.get('/v1/tasks')).body['data'] as Json[])
      .filter(({ subject }) => subject === 'No invoice of Gas for Tank')
      .map(({ closed_at: at }) => (at === null ? 'open' : 'closed'))
  assert.deepEqual(await tasks(), ['open'])
  const came = await recorded('G-1', 100, { supplier: 'gas', issued_on: addDays(today, -19) })
  assert.deepEqual(await tasks(), ['closed'])
  await voided(came)
  assert.deepEqual((await tasks()).toSorted(), ['closed', 'open'])
  // Nor is one lost whose end is taken back.
  const address = `/v1/supplier-subscriptions/${String(subscription['id'])}`
  await api.patch(address, { ends_on: addDays(today, -20) })
  assert.deepEqual(await tasks(), ['closed', 'closed'])
  await api.patch(address, { ends_on: null })
  assert.deepEqual((await tasks()).toSorted(), ['closed', 'closed', 'open'])
})
