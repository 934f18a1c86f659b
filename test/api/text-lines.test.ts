import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { activateSubscription } from '#db/activation.ts'
import { billOpening } from '#db/billing.ts'
import { checkChain } from '#db/chain-check.ts'
import { billLoneOneOffs } from '#db/lone-one-off.ts'
import { decodeId } from '#domain/identifier.ts'
import { createTestApi, seedCatalog, type Reply, type TestApi } from '#test/support/api.ts'
import { moveClock } from '#test/support/clock-life.ts'
import { assertInvariants } from '#test/support/invariants.ts'
import { plain, readPdf } from '#test/support/pdf.ts'

type Json = Record<string, unknown>

const thanks = 'Thank you for your patience in May.'

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  await api.patch('/v1/seller', { country: 'DE', address: 'Hafen 1', tax_id: 'DE1' })
  await api.post('/v1/tax-rates', { country: 'DE', name: 'VAT', rate_percent: '20' })
  const free = { code: 'free', name: 'Free', billing_type: 'flat', billing_timing: 'advance', unit: 'month' }
  const recurring = { recurrence: { count: 1, unit: 'month' }, currency: 'USD', base_price: '0' }
  assert.equal((await api.post('/v1/products', { ...free, ...recurring })).status, 201)
})
after(async () => {
  await assertInvariants(api.db, { isUnderWay: true })
  await api.close()
})

let count = 0

async function newCustomer(): Promise<string> {
  count += 1
  const code = `reader-${count}`
  assert.equal((await api.post('/v1/customers', { code, name: code, address: 'Quay 1' })).status, 201)
  return code
}

async function add(customer: string, body: object): Promise<Reply> {
  return await api.post(`/v1/customers/${customer}/one-off-charges`, body)
}

async function say(customer: string, more: object = {}): Promise<void> {
  const reply = await add(customer, { text: true, description: thanks, ...more })
  assert.equal(reply.status, 201, JSON.stringify(reply.body))
  assert.equal(reply.body['text'], true)
}

/** A product of a new customer on a clock, active since 1 March 2027. */
async function sell(product: string) {
  const start = '2027-03-01T09:00:00Z'
  const customer = await newCustomer()
  const made = await api.post('/v1/test-clocks', { name: customer, now: start })
  const clock = String(made.body['id'])
  const order = await api.post('/v1/orders', { customer, lines: [{ product }], test_clock: clock })
  const [{ id } = { id: '' }] = order.body['subscriptions'] as { id: string }[]
  const subscriptionId = decodeId('subscription', id)
  await activateSubscription(api.db, subscriptionId, start)
  await billOpening(api.db, subscriptionId, start)
  return {
    customer,
    clock,
    moveTo: async (day: string) => moveClock(api.db, decodeId('testClock', clock), `${day}T12:00:00Z`),
    /** The newest first. */
    invoices: async () => (await api.get(`/v1/invoices?customer=${customer}`)).body['data'] as Json[],
  }
}

const linesOf = (invoice: Json) =>
  (invoice['lines'] as Json[]).map((line) => [
    line['description'],
    line['text'],
    line['unit_price'],
    (line['amount'] as Json)['amount_minor'],
    (line['tax'] as Json)['amount_minor'],
  ])

async function read(id: unknown): Promise<Json> {
  return (await api.get(`/v1/invoices/${String(id)}`)).body
}

async function readPdfOf(id: unknown): Promise<string> {
  const pdf = await api.request(`/v1/invoices/${String(id)}/pdf`, {
    headers: { authorization: `Bearer ${api.key}` },
  })
  assert.equal(pdf.status, 200)
  return plain((await readPdf(await pdf.bytes())).text)
}

test('E-31 a text is on the open draft, stays when that is computed anew, and is printed alone', async () => {
  const { customer, clock, moveTo, invoices } = await sell('support')
  await api.patch('/v1/seller', { draft_days: 2 })
  await moveTo('2027-04-01')
  const [draft] = await invoices()
  assert.equal(draft?.['status'], 'draft')
  await say(customer, { test_clock: clock })
  const texts = async () => linesOf(await read(draft['id'])).filter(([, isText]) => isText === true)
  assert.deepEqual(await texts(), [[thanks, true, null, 0, 0]])

  await add(customer, { description: 'Work', unit_price: '12.00', test_clock: clock })
  assert.deepEqual(await texts(), [[thanks, true, null, 0, 0]])
  await moveTo('2027-04-04')
  await api.patch('/v1/seller', { draft_days: 0 })
  const invoice = await read(draft['id'])
  assert.equal(invoice['status'], 'finalized')
  assert.deepEqual(linesOf(invoice).slice(1), [
    [thanks, true, null, 0, 0],
    ['Work', false, '12.00', 1_200, 240],
  ])
  assert.deepEqual(
    (invoice['taxes'] as Json[]).map((tax) => [tax['name'], tax['rate_percent']]),
    [['VAT', '20']],
  )
  // Between it and the next line stands nothing: no quantity, no unit, no rate, no 0.00.
  assert.match(await readPdfOf(draft['id']), /Thank you for your patience in May\. Work once 1 piece/)
  assert.deepEqual((await checkChain(api.db)).broken, [])
})

test('a text that is made a line like others by force is found by the chain', async () => {
  const customer = await newCustomer()
  await say(customer)
  await add(customer, { description: 'Work', unit_price: '12.00' })
  const made = await api.post('/v1/invoices', { customer })
  const undo = new Error('taken back')
  const forced = api.db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx)
    await tx
      .updateTable('invoice_lines')
      .set({ is_text: false })
      .where('invoice_id', '=', decodeId('invoice', String(made.body['id'])))
      .execute()
    assert.deepEqual(
      (await checkChain(tx)).broken.map(({ number }) => number),
      [made.body['number']],
    )
    throw undo
  })
  await assert.rejects(forced, undo)
})

test('E-31 a text alone makes no invoice: it waits for one of something', async () => {
  const customer = await newCustomer()
  await say(customer)
  const refused = await api.post('/v1/invoices', { customer })
  assert.deepEqual([refused.status, refused.body['code']], [409, 'invoice_empty'])
  await api.db
    .updateTable('one_off_charges')
    .set({ charged_on: '2026-01-01' })
    .where('is_text', '=', true)
    .where('withdrawn_at', 'is', null)
    .execute()
  await billLoneOneOffs(api.db, { testClockId: null, now: new Date().toISOString() })
  const [waiting] = (await api.get(`/v1/one-off-charges?customer=${customer}`)).body['data'] as Json[]
  assert.equal(waiting?.['state'], 'waiting')
  const { total } = await api.db
    .selectFrom('tasks')
    .select((eb) => eb.fn.countAll<number>().as('total'))
    .where('kind', '=', 'bill_failed')
    .executeTakeFirstOrThrow()
  assert.equal(total, 0)

  await add(customer, { description: 'Work', unit_price: '12.00' })
  const made = await api.post('/v1/invoices', { customer })
  assert.equal(made.status, 201)
  assert.deepEqual(linesOf(made.body), [
    [thanks, true, null, 0, 0],
    ['Work', false, '12.00', 1_200, 240],
  ])
})

test('E-31 on an invoice of nothing that is not sent there is no text: it waits for the next that is', async () => {
  const { customer, clock, moveTo, invoices } = await sell('free')
  await api.patch('/v1/seller', { skips_zero_invoices: true })
  await say(customer, { test_clock: clock })
  await moveTo('2027-04-02')
  assert.equal((await invoices()).length, 1)
  await add(customer, { description: 'Work', unit_price: '12.00', test_clock: clock })
  await moveTo('2027-05-02')
  await api.patch('/v1/seller', { skips_zero_invoices: false })
  const [may] = await invoices()
  assert.deepEqual(
    linesOf(await read(may?.['id'])).map(([description]) => description),
    ['Free', thanks, 'Work'],
  )
})

test('E-31 a void takes back no text, and what is billed anew says it again', async () => {
  const customer = await newCustomer()
  await say(customer)
  await add(customer, { description: 'Work', unit_price: '12.00' })
  const made = await api.post('/v1/invoices', { customer })
  const address = `/v1/invoices/${String(made.body['id'])}`
  const voided = await api.post(`${address}/void`, { reason: 'wrong address' })
  const [note] = voided.body['credit_notes'] as Json[]
  assert.deepEqual(linesOf(await read(note?.['id'])), [['Work', false, '12.00', -1_200, -240]])
  const anew = await api.post(`${address}/reissue`, {})
  assert.deepEqual(linesOf(anew.body), linesOf(made.body))
})

test('E-31 a text has no price, no product and no quantity', async () => {
  const customer = await newCustomer()
  for (const [field, value] of [
    ['unit_price', '1'],
    ['price', { model: 'flat', amount: '1' }],
    ['product', 'support'],
    ['unit', 'hour'],
    ['tax_category', 'reduced'],
    ['quantity', '2'],
  ] as const) {
    const { status, body } = await add(customer, { text: true, description: thanks, [field]: value })
    assert.deepEqual([status, body['code']], [422, 'field_invalid'], JSON.stringify(body))
    assert.equal((body['errors'] as Json[])[0]?.['pointer'], `/${field}`)
  }
  const unsaid = await add(customer, { text: true })
  assert.equal((unsaid.body['errors'] as Json[])[0]?.['pointer'], '/description')
})
