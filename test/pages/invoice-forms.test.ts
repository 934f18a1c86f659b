import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { encodeId } from '#domain/identifier.ts'
import { insertFinalizedInvoice } from '#test/support/finalized-invoice.ts'
import { insertOneOffInvoice } from '#test/support/one-off-invoice.ts'
import { createTestConsole, readForm, type TestConsole } from './console.ts'
import { textOf } from './text.ts'

let console: TestConsole
let customerId: string
before(async () => {
  console = await createTestConsole()
  await console.post('/v1/customers', { code: 'acme', name: 'Acme' })
  customerId = (await console.db.selectFrom('customers').select('id').executeTakeFirstOrThrow()).id
})
after(async () => console.close())

/** An invoice of 120.00 USD with 20 percent in it; its page. */
async function invoicePage(): Promise<string> {
  const now = new Date().toISOString()
  const { id } = await insertOneOffInvoice(console.db, customerId, [['1', '100']], { now })
  return `/invoices/${encodeId('invoice', id)}`
}

const textAt = async (path: string) => textOf((await console.get(path)).html)

test('a payment is recorded, and the page says what is left', async () => {
  const page = await invoicePage()
  assert.match(await textAt(page), /Open, 120\.00 USD left to pay/)
  const done = await console.submit(page, `${page}/payments`, { amount: '20.00', reference: 'bank 7' })
  assert.deepEqual([done.status, done.headers.get('location')], [303, page])
  assert.match(await textAt(page), /Partly paid, 100\.00 USD left to pay .*Payment bank 7 .* 20\.00 USD/)
})

test('a form that is sent twice is carried out once', async () => {
  const page = await invoicePage()
  const form = readForm((await console.get(page)).html, `${page}/payments`)
  for (const _ of [1, 2]) {
    const done = await console.submit(page, `${page}/payments`, { ...form, amount: '20' })
    assert.equal(done.status, 303)
  }
  assert.match(await textAt(page), /100\.00 USD left to pay/)
})

test('what is refused comes back with the reason and what was typed', async () => {
  const page = await invoicePage()
  const more = await console.submit(page, `${page}/payments`, { amount: '120.01', reference: 'bank 8' })
  assert.equal(more.status, 422)
  assert.match(textOf(more.html), /Nothing was changed\. 120\.00 USD is left to pay/)
  assert.match(more.html, /value="bank 8"/)
  const wrong = await console.submit(page, `${page}/payments`, { amount: '1.005' })
  assert.match(textOf(wrong.html), /1\.005 is no amount in USD/)
})

test('a credit note is made by amount, then for the rest, and leads to itself', async () => {
  const page = await invoicePage()
  const part = await console.submit(page, `${page}/credit-notes`, { amount: '10', reason: 'late' })
  const note = part.headers.get('location') ?? ''
  assert.match(await textAt(note), /Credit note CN-\d+ −12\.00 USD .*Corrects INV-/)
  assert.match(await textAt(page), /Credited by CN-\d+ \( ?12\.00 USD/)
  await console.submit(page, `${page}/credit-notes`)
  assert.match(await textAt(page), /Credited /)
})

test('an invoice is voided with its reason, then billed anew', async () => {
  const page = await invoicePage()
  await console.submit(page, `${page}/void`, { reason: 'wrong address' })
  const text = await textAt(page)
  assert.match(text, /Void .*Voided: wrong address/)
  assert.doesNotMatch(text, /Record a payment|Write off/)
  const done = await console.submit(page, `${page}/reissue`)
  assert.match(await textAt(done.headers.get('location') ?? ''), /Revision 1, in the place of INV-/)
})

test('an invoice is written off and collected again', async () => {
  const page = await invoicePage()
  await console.submit(page, `${page}/mark-uncollectible`, { reason: 'insolvent' })
  assert.match(await textAt(page), /Uncollectible, 120\.00 USD left to pay .*Written off: insolvent/)
  await console.submit(page, `${page}/mark-collectible`, { reason: 'heir found' })
  assert.match(await textAt(page), /Open, 120\.00 USD left to pay/)
})

test('a draft is offered nothing but to be finalized, and is in the list by that name', async () => {
  const draft = { currency: 'USD', netMinor: 100, taxPercent: '0', taxMinor: 0, isDraft: true }
  const id = await insertFinalizedInvoice(console.db, customerId, { ...draft, number: 'none' })
  const { html } = await console.get(`/invoices/${encodeId('invoice', id)}`)
  assert.match(textOf(html), /Finalize now/)
  assert.doesNotMatch(textOf(html), /Void|Record a payment|Credit…/)
  const list = await textAt('/invoices?state=draft')
  assert.match(list, /Draft Acme/)
})

test('the list is narrowed to a state by a link', async () => {
  const page = await invoicePage()
  await console.submit(page, `${page}/payments`, { amount: '120' })
  const { html } = await console.get('/invoices?state=paid')
  assert.ok(html.includes(`href="${page}"`))
  assert.match(await textAt('/invoices?state=overdue'), /No invoice is overdue/)
})
