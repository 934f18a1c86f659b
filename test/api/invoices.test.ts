import assert from 'node:assert/strict'
import test, { after, before, suite } from 'node:test'
import { fromInvoiceRows, readInvoiceRows } from '#documents/invoice-rows.ts'
import { checkChain } from '#db/chain-check.ts'
import { newId } from '#db/identifier.ts'
import { decodeId } from '#domain/identifier.ts'
import { moneyStates } from '#domain/invoice/balance.ts'
import { createTestApi, seedCatalog, type Reply, type TestApi } from '#test/support/api.ts'
import { activate } from '#test/support/seller.ts'

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  await api.patch('/v1/seller', { country: 'DE', address: 'Hafen 1', tax_id: 'DE1' })
  await api.post('/v1/tax-rates', { country: 'DE', name: 'VAT', rate_percent: '20' })
})
after(async () => api.close())

interface Detail {
  readonly id: string
  readonly number: string | null
  readonly kind: string
  readonly money_state: string | null
  readonly net: { readonly amount_minor: number }
  readonly tax: { readonly amount_minor: number }
  readonly total: { readonly amount_minor: number }
  readonly open: { readonly amount_minor: number }
  readonly due_on: string
  readonly dues: readonly { readonly due_on: string; readonly amount: { readonly amount_minor: number } }[]
  readonly balance_used: { readonly amount_minor: number }
  readonly corrects: string | null
  readonly reissue_of: string | null
  readonly revision: number
  readonly lines: readonly { readonly id: string; readonly description: string }[]
  readonly credit_notes: readonly { readonly id: string; readonly number: string }[]
  readonly allocations: readonly { readonly kind: string; readonly reference: string | null }[]
  readonly marks: readonly { readonly kind: string; readonly ended_at: string | null }[]
}

const detail = (reply: Reply, status = 200): Detail => {
  assert.equal(reply.status, status, JSON.stringify(reply.body))
  return reply.body as unknown as Detail
}
const read = async (id: string) => detail(await api.get(`/v1/invoices/${id}`))
const act = async (id: string, action: string, body: unknown = {}) =>
  await api.post(`/v1/invoices/${id}/${action}`, body)

function refused(reply: Reply, status: number, code: string, pointer?: string): void {
  assert.deepEqual([reply.status, reply.body['code']], [status, code], JSON.stringify(reply.body))
  if (pointer === undefined) return
  const [first] = reply.body['errors'] as { pointer: string }[]
  assert.equal(first?.pointer, pointer)
}

async function newCustomer(): Promise<string> {
  const code = `c${newId().replaceAll('-', '').slice(-12)}`
  const reply = await api.post('/v1/customers', { code, name: code, currency: 'USD', address: 'Quay 1' })
  assert.equal(reply.status, 201)
  return code
}

async function charge(customer: string, unitPrice: string, more: object = {}): Promise<Reply> {
  const body = { description: 'Work', unit_price: unitPrice, ...more }
  return await api.post(`/v1/customers/${customer}/one-off-charges`, body)
}

/** An invoice of so much, at 20 percent. */
async function invoiceOf(unitPrice: string, customer?: string): Promise<Detail> {
  const buyer = customer ?? (await newCustomer())
  assert.equal((await charge(buyer, unitPrice)).status, 201)
  return detail(await api.post('/v1/invoices', { customer: buyer }), 201)
}

suite('one-off charges', () => {
  test('two that wait are gathered by one invoice, each with its reference', async () => {
    const customer = await newCustomer()
    await charge(customer, '12.00', { reference: 'order 7' })
    await charge(customer, '8.00', { reference: 'order 9' })
    const invoice = detail(await api.post('/v1/invoices', { customer }), 201)
    assert.deepEqual(
      invoice.lines.map((line) => line.description),
      ['Work (order 7)', 'Work (order 9)'],
    )
    assert.deepEqual([invoice.net.amount_minor, invoice.total.amount_minor], [2_000, 2_400])
    const list = await api.get(`/v1/one-off-charges?customer=${customer}`)
    const states = (list.body['data'] as { state: string; invoice: string }[]).map((row) => [
      row.state,
      row.invoice,
    ])
    assert.deepEqual(states, [
      ['invoiced', invoice.id],
      ['invoiced', invoice.id],
    ])
    refused(await api.post('/v1/invoices', { customer }), 409, 'invoice_empty')
  })

  test('the parties on an invoice have their fields in snake case', async () => {
    const customer = await newCustomer()
    await charge(customer, '5')
    const { body } = await api.post('/v1/invoices', { customer })
    const { seller, buyer } = body as { seller: object; buyer: object }
    assert.partialDeepStrictEqual(seller, { tax_id: 'DE1' })
    assert.deepEqual(
      Object.keys({ ...seller, ...buyer }).filter((key) => /[A-Z]/.test(key)),
      [],
    )
  })

  test('one that is withdrawn is on no invoice, one that is invoiced is not withdrawn', async () => {
    const customer = await newCustomer()
    const withdrawn = String((await charge(customer, '5')).body['id'])
    const kept = String((await charge(customer, '7')).body['id'])
    const reply = await api.post(`/v1/one-off-charges/${withdrawn}/withdraw`, {})
    assert.equal(reply.body['state'], 'withdrawn')
    const invoice = detail(await api.post('/v1/invoices', { customer }), 201)
    assert.equal(invoice.net.amount_minor, 700)
    refused(await api.post(`/v1/one-off-charges/${kept}/withdraw`, {}), 409, 'charge_billed')
  })

  test('one that is charged on a later day waits for it', async () => {
    const customer = await newCustomer()
    await charge(customer, '5', { charged_on: '2999-01-01' })
    refused(await api.post('/v1/invoices', { customer }), 409, 'invoice_empty')
    const waiting = await api.get(`/v1/one-off-charges?customer=${customer}&state=waiting`)
    assert.equal((waiting.body['data'] as unknown[]).length, 1)
  })

  test('a product gives name, unit and price where they are left out', async () => {
    const reply = await api.post(`/v1/customers/${await newCustomer()}/one-off-charges`, {
      product: 'setup',
      quantity: '2',
    })
    assert.equal(reply.status, 201)
    assert.deepEqual(
      [reply.body['description'], reply.body['unit'], reply.body['price_sentence']],
      ['Set-up', 'piece', '10.00 USD per piece'],
    )
  })

  test('each wrong field is named', async () => {
    const customer = await newCustomer()
    const tries: [object, string, string][] = [
      [{ unit: 'furlong' }, 'unit_unknown', '/unit'],
      [{ quantity: '0' }, 'quantity_invalid', '/quantity'],
      [{ product: 'nothing' }, 'product_unknown', '/product'],
      [{ subscription: `sub_${'0'.repeat(26)}` }, 'subscription_unknown', '/subscription'],
      [{ test_clock: `clk_${'0'.repeat(26)}` }, 'clock_unknown', '/test_clock'],
      [{ currency: 'XXX' }, 'currency_unknown', '/currency'],
      [{ unit_price: undefined }, 'field_required', '/unit_price'],
      [
        { unit_price: undefined, product: 'setup', currency: 'EUR' },
        'price_missing_in_currency',
        '/unit_price',
      ],
    ]
    for (const [more, code, pointer] of tries) refused(await charge(customer, '1', more), 422, code, pointer)
    refused(await charge('nobody', '1'), 404, 'not_found')
  })
})

suite('credit notes', () => {
  test('a part by line and quantity, a part by amount, then the rest', async () => {
    const invoice = await invoiceOf('100')
    const line = invoice.lines[0]?.id
    const first = detail(
      await act(invoice.id, 'credit-notes', { lines: [{ line, amount_minor: 2_500 }], reason: 'late' }),
      201,
    )
    assert.deepEqual(
      [first.kind, first.net.amount_minor, first.tax.amount_minor, first.corrects],
      ['credit_note', 2_500, 500, invoice.id],
    )
    const second = detail(await act(invoice.id, 'credit-notes', { amount_minor: 500 }), 201)
    const rest = detail(await act(invoice.id, 'credit-notes', {}), 201)
    assert.deepEqual([second.total.amount_minor, rest.total.amount_minor], [600, 8_400])
    const after = await read(invoice.id)
    assert.equal(after.money_state, 'credited')
    assert.deepEqual(
      after.credit_notes.map(({ id }) => id),
      [first.id, second.id, rest.id],
    )
    refused(await act(invoice.id, 'credit-notes', {}), 409, 'credit_exceeds_invoice')
  })

  test('more than is left, a foreign line, and a wrong body change nothing', async () => {
    const invoice = await invoiceOf('100')
    const line = invoice.lines[0]?.id
    const other = (await invoiceOf('1')).lines[0]?.id
    refused(await act(invoice.id, 'credit-notes', { amount_minor: 10_001 }), 409, 'credit_exceeds_invoice')
    refused(
      await act(invoice.id, 'credit-notes', { lines: [{ line, quantity: '2' }] }),
      409,
      'credit_exceeds_invoice',
    )
    const foreign = { lines: [{ line: other, quantity: '1' }] }
    refused(await act(invoice.id, 'credit-notes', foreign), 404, 'not_found', '/lines/0/line')
    const wrongKind = { lines: [{ line: invoice.id, quantity: '1' }] }
    refused(await act(invoice.id, 'credit-notes', wrongKind), 400, 'id_kind_mismatch', '/lines/0/line')
    const wrongQuantity = { lines: [{ line, quantity: 'x' }] }
    refused(
      await act(invoice.id, 'credit-notes', wrongQuantity),
      422,
      'quantity_invalid',
      '/lines/0/quantity',
    )
    const both = { lines: [{ line, quantity: '1' }], amount_minor: 1 }
    refused(await act(invoice.id, 'credit-notes', both), 422, 'field_invalid', '/amount_minor')
    assert.deepEqual((await read(invoice.id)).credit_notes, [])
  })

  test('a credit note is neither credited, voided, reissued, paid nor written off', async () => {
    const invoice = await invoiceOf('100')
    const note = detail(await act(invoice.id, 'credit-notes', { amount_minor: 100 }), 201)
    assert.equal(note.money_state, null)
    const reason = { reason: 'why not' }
    refused(await act(note.id, 'credit-notes', {}), 409, 'not_an_invoice')
    refused(await act(note.id, 'void', reason), 409, 'not_an_invoice')
    refused(await act(note.id, 'reissue'), 409, 'not_an_invoice')
    refused(await act(note.id, 'payments', { amount_minor: 1 }), 409, 'not_an_invoice')
    refused(await act(note.id, 'mark-uncollectible', reason), 409, 'not_an_invoice')
  })
})

suite('void and reissue', () => {
  test('three documents, each with its number, and the voided one keeps its own', async () => {
    const invoice = await invoiceOf('100')
    refused(await act(invoice.id, 'reissue'), 409, 'not_credited')
    const voided = detail(await act(invoice.id, 'void', { reason: 'wrong address' }))
    assert.deepEqual(
      [voided.number, voided.money_state, voided.open.amount_minor],
      [invoice.number, 'void', 0],
    )
    assert.deepEqual(
      voided.marks.map((mark) => mark.kind),
      ['void'],
    )
    const again = detail(await act(invoice.id, 'void', { reason: 'twice' }))
    assert.deepEqual(again.credit_notes, voided.credit_notes)
    const anew = detail(await act(invoice.id, 'reissue'), 201)
    assert.deepEqual([anew.reissue_of, anew.revision, anew.total.amount_minor], [invoice.id, 1, 12_000])
    assert.equal(detail(await act(invoice.id, 'reissue'), 201).id, anew.id)
  })

  test('what was paid of a voided invoice is owed to the customer, and pays its reissue', async () => {
    const customer = await newCustomer()
    const invoice = await invoiceOf('100', customer)
    detail(await act(invoice.id, 'payments', { amount_minor: 12_000, reference: 'bank 7' }))
    detail(await act(invoice.id, 'void', { reason: 'wrong' }))
    const owed = await api.get(`/v1/customers/${customer}/balances`)
    assert.deepEqual(owed.body['data'], [
      { balance: { amount_minor: 12_000, currency: 'USD' }, test_clock: null },
    ])
    const anew = detail(await act(invoice.id, 'reissue'), 201)
    assert.deepEqual([anew.money_state, anew.balance_used.amount_minor], ['paid', 12_000])
  })
})

suite('money states', () => {
  test('an invoice is open, partly paid, then paid; more than is left is refused', async () => {
    const invoice = await invoiceOf('100')
    assert.deepEqual([invoice.money_state, invoice.open.amount_minor], ['open', 12_000])
    const part = detail(await act(invoice.id, 'payments', { amount_minor: 2_000 }))
    assert.deepEqual([part.money_state, part.open.amount_minor], ['partly_paid', 10_000])
    refused(await act(invoice.id, 'payments', { amount_minor: 10_001 }), 409, 'payment_exceeds_invoice')
    refused(await act(invoice.id, 'payments', { amount_minor: 1, currency: 'EUR' }), 422, 'currency_mismatch')
    const paid = detail(
      await act(invoice.id, 'payments', { amount_minor: 10_000, received_on: '2026-04-01', reference: 'b' }),
    )
    assert.deepEqual([paid.money_state, paid.open.amount_minor], ['paid', 0])
    assert.deepEqual(
      paid.allocations.map(({ kind, reference }) => [kind, reference]),
      [
        ['payment', null],
        ['payment', 'b'],
      ],
    )
    refused(await act(invoice.id, 'mark-uncollectible', { reason: 'gone' }), 409, 'nothing_to_pay')
  })

  test('of twenty payments at once no more is taken than is open', async () => {
    const invoice = await invoiceOf('100')
    const replies = await Promise.all(
      Array.from({ length: 20 }, async () => act(invoice.id, 'payments', { amount_minor: 1_200 })),
    )
    assert.equal(replies.filter(({ status }) => status === 200).length, 10)
    assert.equal((await read(invoice.id)).money_state, 'paid')
  })

  test('a write-off is taken back, or ended by money that comes after all', async () => {
    const invoice = await invoiceOf('100')
    const reason = { reason: 'insolvent' }
    assert.equal(detail(await act(invoice.id, 'mark-uncollectible', reason)).money_state, 'uncollectible')
    detail(await act(invoice.id, 'mark-uncollectible', reason))
    assert.equal(detail(await act(invoice.id, 'mark-collectible', reason)).money_state, 'open')
    detail(await act(invoice.id, 'mark-uncollectible', reason))
    assert.equal(detail(await act(invoice.id, 'payments', { amount_minor: 12_000 })).money_state, 'paid')
  })

  test('the list is narrowed to a state by the rule that shows it', async () => {
    const customer = await newCustomer()
    const reason = { reason: 'because' }
    const make = async () => await invoiceOf('100', customer)
    const partly = await make()
    await act(partly.id, 'payments', { amount_minor: 1 })
    const paid = await make()
    await act(paid.id, 'payments', { amount_minor: 12_000 })
    const lost = await make()
    await act(lost.id, 'mark-uncollectible', reason)
    const credited = await make()
    await act(credited.id, 'credit-notes')
    await make()
    const annulled = await make()
    await act(annulled.id, 'void', reason)
    const all = (await api.get(`/v1/invoices?customer=${customer}&limit=100`)).body['data'] as Detail[]
    const seen: string[] = []
    for (const state of moneyStates) {
      const reply = await api.get(`/v1/invoices?customer=${customer}&money_state=${state}`)
      const found = (reply.body['data'] as Detail[]).map(({ id }) => id)
      const expected = all.filter((invoice) => invoice.money_state === state).map(({ id }) => id)
      assert.deepEqual(found, expected, state)
      if (found.length > 0) seen.push(state)
    }
    assert.deepEqual(seen, ['open', 'partly_paid', 'paid', 'credited', 'uncollectible', 'void'])
  })

  test('the day after it is due, an invoice on a test clock is overdue', async () => {
    const clock = await api.post('/v1/test-clocks', { name: 'due', now: '2026-01-01T00:00:00Z' })
    const customer = await newCustomer()
    await charge(customer, '100', { test_clock: clock.body['id'] })
    const invoice = detail(await api.post('/v1/invoices', { customer, test_clock: clock.body['id'] }), 201)
    const at = async (now: string) => {
      await api.db.updateTable('test_clocks').set({ now_at: now }).where('name', '=', 'due').execute()
      const reply = await api.get(`/v1/invoices?customer=${customer}&money_state=overdue`)
      return [(await read(invoice.id)).money_state, (reply.body['data'] as unknown[]).length]
    }
    assert.deepEqual(await at('2026-01-15T23:59:59Z'), ['open', 0])
    assert.deepEqual(await at('2026-01-16T00:00:00Z'), ['overdue', 1])
  })
})

suite('payment terms', () => {
  const halves = {
    kind: 'instalments',
    parts: [
      { percent: '50', due: { kind: 'days', days: 0 } },
      { percent: '50', due: { kind: 'end_of_month', days: 30 } },
    ],
  }

  async function invoiceOn(customer: string, now: string): Promise<{ invoice: Detail; clock: string }> {
    const name = newId()
    const clock = String((await api.post('/v1/test-clocks', { name, now })).body['id'])
    await charge(customer, '50.01', { test_clock: clock })
    return {
      invoice: detail(await api.post('/v1/invoices', { customer, test_clock: clock }), 201),
      clock: name,
    }
  }
  const duesOf = ({ dues }: Detail) => dues.map((due) => [due.due_on, due.amount.amount_minor])

  test('E-29 what is agreed with the customer comes before the seller’s terms, and these before the days', async () => {
    const customer = await newCustomer()
    const first = (await invoiceOn(customer, '2026-01-31T09:00:00Z')).invoice
    assert.deepEqual([first.due_on, duesOf(first)], ['2026-02-14', [['2026-02-14', 6_001]]])
    await api.patch('/v1/seller', { payment_terms: { kind: 'end_of_month', days: 30 } })
    const second = (await invoiceOn(customer, '2026-01-31T09:00:00Z')).invoice
    assert.deepEqual(duesOf(second), [['2026-03-31', 6_001]])
    const changed = await api.patch(`/v1/customers/${customer}`, { payment_terms: halves })
    assert.deepEqual(changed.body['payment_terms'], halves)
    const third = (await invoiceOn(customer, '2026-01-31T09:00:00Z')).invoice
    assert.deepEqual(
      [third.due_on, duesOf(third)],
      [
        '2026-03-31',
        [
          ['2026-01-31', 3_001],
          ['2026-03-31', 3_000],
        ],
      ],
    )
    assert.deepEqual(duesOf(await read(first.id)), [['2026-02-14', 6_001]])
    await api.patch('/v1/seller', { payment_terms: null })
  })

  test('E-29 an instalment that is late makes the invoice overdue until it is paid, in the list too', async () => {
    const customer = await newCustomer()
    await api.patch(`/v1/customers/${customer}`, { payment_terms: halves })
    const { invoice, clock } = await invoiceOn(customer, '2026-01-31T09:00:00Z')
    const at = async (now: string) => {
      await api.db.updateTable('test_clocks').set({ now_at: now }).where('name', '=', clock).execute()
      const { money_state: state } = await read(invoice.id)
      const reply = await api.get(`/v1/invoices?customer=${customer}&money_state=${state}`)
      return [state, (reply.body['data'] as unknown[]).length]
    }
    assert.deepEqual(await at('2026-01-31T23:00:00Z'), ['open', 1])
    assert.deepEqual(await at('2026-02-01T00:00:00Z'), ['overdue', 1])
    detail(await act(invoice.id, 'payments', { amount_minor: 3_001 }))
    assert.deepEqual(await at('2026-03-31T00:00:00Z'), ['partly_paid', 1])
    assert.deepEqual(await at('2026-04-01T00:00:00Z'), ['overdue', 1])
  })

  test('E-29 the page asks for each instalment, and the chain of hashes holds them', async () => {
    const customer = await newCustomer()
    await api.patch(`/v1/customers/${customer}`, { payment_terms: halves })
    await charge(customer, '50')
    const invoice = detail(await api.post('/v1/invoices', { customer }), 201)
    assert.equal(invoice.dues.length, 2)
    const { invoice: rows, ...others } = await readInvoiceRows(api.db, decodeId('invoice', invoice.id))
    const dues = fromInvoiceRows({ invoice: rows, ...others }).dues
    assert.deepEqual(
      dues.map(({ dueOn, amountMinor }) => [dueOn, amountMinor]),
      duesOf(invoice),
    )
    assert.deepEqual((await checkChain(api.db)).broken, [])
  })

  test('terms that do not add up, or are none, are refused at their field', async () => {
    const wrong = { ...halves, parts: halves.parts.slice(1) }
    refused(await api.patch('/v1/seller', { payment_terms: wrong }), 422, 'field_invalid', '/payment_terms')
    const customer = await newCustomer()
    const endless = { kind: 'days', days: 367 }
    const reply = await api.patch(`/v1/customers/${customer}`, { payment_terms: endless })
    refused(reply, 422, 'field_invalid', '/payment_terms')
  })
})

suite('drafts', () => {
  /** A subscription on a clock whose first invoice is open for two days. */
  async function draft(): Promise<{ draft: Detail; clock: string; customer: string }> {
    await api.patch('/v1/seller', { draft_days: 2 })
    const now = '2026-01-01T09:00:00Z'
    const clock = String((await api.post('/v1/test-clocks', { name: 'draft', now })).body['id'])
    const customer = await newCustomer()
    const lines = [{ product: 'support', quantity: '1' }]
    const order = await api.post('/v1/orders', { customer, lines, test_clock: clock })
    assert.equal(order.status, 201, JSON.stringify(order.body))
    const [subscription] = order.body['subscriptions'] as { id: string }[]
    await activate(api.db, decodeId('subscription', subscription?.id ?? ''), now)
    await api.patch('/v1/seller', { draft_days: 0 })
    const list = await api.get(`/v1/invoices?customer=${customer}&status=draft`)
    const [found] = list.body['data'] as Detail[]
    assert.ok(found)
    return { draft: await read(found.id), clock, customer }
  }

  test('a draft has no number and no money state, and nothing is done with it but finalizing', async () => {
    const { draft: made } = await draft()
    assert.deepEqual([made.number, made.money_state, made.total.amount_minor], [null, null, 1_200])
    const reason = { reason: 'why not' }
    refused(await act(made.id, 'credit-notes'), 409, 'not_finalized')
    refused(await act(made.id, 'void', reason), 409, 'not_finalized')
    refused(await act(made.id, 'reissue'), 409, 'not_finalized')
    refused(await act(made.id, 'payments', { amount_minor: 1 }), 409, 'not_finalized')
    refused(await act(made.id, 'mark-uncollectible', reason), 409, 'not_finalized')
    refused(await api.get(`/v1/invoices/${made.id}/pdf`), 409, 'not_finalized')
  })

  test('finalized twice it has one number, and the answer is the same', async () => {
    const { draft: made } = await draft()
    const first = detail(await act(made.id, 'finalize'))
    const second = detail(await act(made.id, 'finalize'))
    assert.ok(first.number)
    assert.deepEqual(second, first)
  })

  test('a one-off of its day joins the draft at once, and leaves it when it is withdrawn', async () => {
    const { draft: made, clock, customer } = await draft()
    const added = await charge(customer, '5', { test_clock: clock, charged_on: '2026-01-01' })
    assert.equal((await read(made.id)).net.amount_minor, 1_500)
    await api.post(`/v1/one-off-charges/${String(added.body['id'])}/withdraw`, {})
    assert.equal((await read(made.id)).net.amount_minor, 1_000)
    assert.equal(detail(await act(made.id, 'finalize')).net.amount_minor, 1_000)
  })
})

test('the self-check looks at every finalized document, and finds them as they were', async () => {
  const { status, body } = await api.get('/v1/self-check')
  assert.equal(status, 200)
  assert.deepEqual(body['broken'], [])
  assert.ok(Number(body['documents']) > 10)
})
