import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { insertCreditNote } from '#db/credit-note.ts'
import { newId } from '#db/identifier.ts'
import { readInvoiceMoney } from '#db/invoice-money.ts'
import { insertPayment } from '#db/payment.ts'
import type { CreditRequest } from '#domain/invoice/credit-note.ts'
import { moneyState } from '#domain/invoice/balance.ts'
import { insertOneOffInvoice } from '#test/support/one-off-invoice.ts'
import { insertFinalizedInvoice } from '#test/support/finalized-invoice.ts'
import { billDue, createSeller, type Seller } from '#test/support/seller.ts'
import { sellUsers } from '#test/support/users.ts'

let seller: Seller
before(async () => {
  seller = await createSeller()
})
after(async () => seller.drop())

const now = '2026-04-02T08:00:00Z'

async function insertCustomer(): Promise<string> {
  const id = newId()
  await seller.db
    .insertInto('customers')
    .values({
      id,
      code: `c${id.replaceAll('-', '').slice(-12)}`,
      name: 'Acme',
      email: null,
      address: null,
      currency: 'USD',
      time_zone: 'UTC',
      price_list_id: null,
    })
    .execute()
  return id
}

async function credit(invoiceId: string, request: CreditRequest) {
  return await seller.db.transaction().execute(async (tx) =>
    insertCreditNote(tx, {
      invoiceId,
      request,
      billingKey: `credit/${newId()}`,
      reason: null,
      actor: 'test',
      now,
    }),
  )
}

async function pay(invoiceId: string, amountMinor: number) {
  await seller.db.transaction().execute(async (tx) =>
    insertPayment(tx, {
      invoiceId,
      amountMinor,
      currency: 'USD',
      reference: null,
      actor: 'test',
      receivedAt: now,
    }),
  )
}

async function amountsOf(id: string) {
  const { net_minor, tax_minor, total_minor } = await seller.db
    .selectFrom('invoices')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return [net_minor, tax_minor, total_minor]
}

async function balanceOf(customerId: string): Promise<number> {
  const row = await seller.db
    .selectFrom('customer_balances')
    .select('amount_minor')
    .where('customer_id', '=', customerId)
    .executeTakeFirst()
  return row?.amount_minor ?? 0
}

const refusedAs = (code: string) => (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === code

test('two partial credit notes mirror an invoice to the cent: 726.86 and 42.14 of 769.00 bear 145.37 and 8.43', async () => {
  const invoice = await insertOneOffInvoice(seller.db, await insertCustomer(), [['1', '769']])
  const first = await credit(invoice.id, { kind: 'amount', netMinor: 72_686 })
  const second = await credit(invoice.id, { kind: 'full' })
  assert.deepEqual(await amountsOf(invoice.id), [76_900, 15_380, 92_280])
  assert.deepEqual(await amountsOf(first.id), [72_686, 14_537, 87_223])
  assert.deepEqual(await amountsOf(second.id), [4_214, 843, 5_057])
  await assert.rejects(credit(invoice.id, { kind: 'full' }), refusedAs('credit_exceeds_invoice'))
})

test('of a credit that was taken back in part the rest still counts', async () => {
  const { documentId, change } = await sellUsers(seller)
  await change('more', '2026-04-10', { quantity: '10' })
  await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  const invoices = await seller.db
    .selectFrom('invoices')
    .select('id')
    .where('document_id', '=', documentId)
    .orderBy('id')
    .execute()
  const [april = '', may = ''] = invoices.map(({ id }) => id)
  const lines = await seller.db
    .selectFrom('invoice_lines')
    .select(['id', 'amount_minor'])
    .where('invoice_id', '=', may)
    .orderBy('position')
    .execute()
  assert.deepEqual(
    lines.map((line) => line.amount_minor),
    [-350, 700, 1000],
  )
  await credit(may, {
    kind: 'lines',
    lines: [
      { lineId: lines[0]?.id ?? '', netMinor: -200 },
      { lineId: lines[1]?.id ?? '', netMinor: 300 },
    ],
  })
  // Of 5.00 for April 3.50 were given back, and 2.00 of these taken back.
  assert.deepEqual(await amountsOf((await credit(april, { kind: 'full' })).id), [350, 0, 350])
})

test('the charges of an invoice that holds credits too are not given back beyond what it comes to', async () => {
  const { documentId, change } = await sellUsers(seller)
  await change('more', '2026-04-10', { quantity: '10' })
  await billDue(seller.db, documentId, '2026-05-01T00:00:00Z')
  const lines = await seller.db
    .selectFrom('invoice_lines')
    .innerJoin('invoices', 'invoices.id', 'invoice_lines.invoice_id')
    .select(['invoice_lines.id', 'invoice_id', 'amount_minor'])
    .where('document_id', '=', documentId)
    .where('issued_on', '=', '2026-05-01')
    .where('invoice_lines.kind', '=', 'recurring')
    .execute()
  const charges = lines.map((line) => ({ lineId: line.id, netMinor: line.amount_minor }))
  const may = lines[0]?.invoice_id ?? ''
  await assert.rejects(credit(may, { kind: 'lines', lines: charges }), { code: 'credit_exceeds_invoice' })
  // -3.50 + 7.00 + 10.00
  assert.deepEqual(await amountsOf((await credit(may, { kind: 'full' })).id), [1350, 0, 1350])
})

test('a credit note names its invoice, has a number of its own series, and its lines name the lines they correct', async () => {
  const invoice = await insertOneOffInvoice(seller.db, await insertCustomer(), [
    ['3', '10'],
    ['1', '5'],
  ])
  const note = await credit(invoice.id, {
    kind: 'lines',
    lines: [{ lineId: invoice.lineIds[0] ?? '', quantity: '1' }],
  })
  const row = await seller.db
    .selectFrom('invoices')
    .select(['kind', 'corrects_id', 'series'])
    .where('id', '=', note.id)
    .executeTakeFirstOrThrow()
  assert.deepEqual(row, { kind: 'credit_note', corrects_id: invoice.id, series: 'CN' })
  const lines = await seller.db
    .selectFrom('invoice_lines')
    .select(['kind', 'credits_line_id', 'quantity', 'amount_minor', 'tax_minor'])
    .where('invoice_id', '=', note.id)
    .execute()
  assert.deepEqual(lines, [
    {
      kind: 'correction',
      credits_line_id: invoice.lineIds[0],
      quantity: '1',
      amount_minor: -1_000,
      tax_minor: -200,
    },
  ])
})

test('quantities that are credited one by one sum to the amount of the line', async () => {
  const invoice = await insertOneOffInvoice(seller.db, await insertCustomer(), [['3', '33.335']])
  const lineId = invoice.lineIds[0] ?? ''
  const nets: number[] = []
  for (const quantity of ['1', '1', '1']) {
    const note = await credit(invoice.id, { kind: 'lines', lines: [{ lineId, quantity }] })
    nets.push((await amountsOf(note.id))[0] ?? 0)
  }
  assert.deepEqual(nets, [3_334, 3_333, 3_334])
  await assert.rejects(
    credit(invoice.id, { kind: 'lines', lines: [{ lineId, quantity: '1' }] }),
    refusedAs('credit_exceeds_invoice'),
  )
})

test('of twenty credits of a tenth at once ten are made and ten are refused', async () => {
  const customerId = await insertCustomer()
  const invoice = await insertOneOffInvoice(seller.db, customerId, [['1', '100']])
  const tries = await Promise.allSettled(
    Array.from({ length: 20 }, async () => credit(invoice.id, { kind: 'amount', netMinor: 1_000 })),
  )
  const refused = tries.filter((result) => result.status === 'rejected')
  assert.equal(refused.length, 10)
  assert.ok(refused.every((result) => refusedAs('credit_exceeds_invoice')(result.reason)))
  const { credited } = await seller.db
    .selectFrom('invoices')
    .select((eb) => eb.fn.sum<string>('total_minor').as('credited'))
    .where('corrects_id', '=', invoice.id)
    .executeTakeFirstOrThrow()
  assert.equal(Number(credited), 12_000)
})

test('a credit note pays first what is open of its invoice, the rest becomes balance, which the next invoice uses', async () => {
  const customerId = await insertCustomer()
  const invoice = await insertOneOffInvoice(seller.db, customerId, [['1', '100']])
  await pay(invoice.id, 9_000)
  await credit(invoice.id, { kind: 'amount', netMinor: 5_000 })
  assert.equal(moneyState(await readInvoiceMoney(seller.db, invoice.id), '2026-04-02'), 'paid')
  assert.equal(await balanceOf(customerId), 3_000)
  const next = await insertOneOffInvoice(seller.db, customerId, [['1', '20']])
  assert.equal(moneyState(await readInvoiceMoney(seller.db, next.id), '2026-04-02'), 'paid')
  assert.equal(await balanceOf(customerId), 600)
})

test('an invoice that is wholly credited is credited, not paid', async () => {
  const invoice = await insertOneOffInvoice(seller.db, await insertCustomer(), [['1', '100']])
  await credit(invoice.id, { kind: 'full' })
  assert.equal(moneyState(await readInvoiceMoney(seller.db, invoice.id), '2026-04-02'), 'credited')
})

test('a draft, a credit note and an unknown invoice are not credited', async () => {
  const customerId = await insertCustomer()
  const draft = { currency: 'USD', netMinor: 100, taxPercent: '0', taxMinor: 0, isDraft: true }
  const draftId = await insertFinalizedInvoice(seller.db, customerId, { ...draft, number: 'X-1' })
  await assert.rejects(credit(draftId, { kind: 'full' }), refusedAs('not_finalized'))
  const invoice = await insertOneOffInvoice(seller.db, customerId, [['1', '100']])
  const note = await credit(invoice.id, { kind: 'amount', netMinor: 100 })
  await assert.rejects(credit(note.id, { kind: 'full' }), refusedAs('not_an_invoice'))
  await assert.rejects(credit(newId(), { kind: 'full' }), refusedAs('not_found'))
  const foreign = { kind: 'lines', lines: [{ lineId: newId(), netMinor: 1 }] } as const
  await assert.rejects(credit(invoice.id, foreign), refusedAs('not_found'))
})

test('the taxes of a note with two rates mirror those of its invoice', async () => {
  const tax = {
    category: 'standard',
    rates: [
      { name: 'City', ratePercent: '2' },
      { name: 'State', ratePercent: '6' },
    ],
    note: null,
    rule: 'same_country',
  } as const
  const invoice = await insertOneOffInvoice(
    seller.db,
    await insertCustomer(),
    [
      ['1', '9.99'],
      ['1', '19.99'],
    ],
    { tax },
  )
  const note = await credit(invoice.id, { kind: 'full' })
  const taxesOf = async (id: string) =>
    await seller.db
      .selectFrom('invoice_taxes')
      .select(['name', 'base_minor', 'tax_minor'])
      .where('invoice_id', '=', id)
      .orderBy('position')
      .execute()
  const mirrored = (await taxesOf(note.id)).map(({ name, base_minor, tax_minor }) => ({
    name,
    base_minor: -base_minor,
    tax_minor: -tax_minor,
  }))
  assert.deepEqual(mirrored, await taxesOf(invoice.id))
})
