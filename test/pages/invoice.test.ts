import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { billFinal } from '#db/billing.ts'
import { cancelSubscription } from '#db/subscription-command.ts'
import { encodeId } from '#domain/identifier.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { billNextPeriod, seedStory, tellTwoMonths } from './story.ts'
import { textOf } from './text.ts'

let console: TestConsole
before(async () => {
  console = await createTestConsole()
  await seedStory(console.db)
  const sold = await tellTwoMonths(console.db)
  await billNextPeriod(console.db, sold, '2026-03-31T08:00:00Z')
})
after(async () => console.close())

async function invoiceText(position: number): Promise<string> {
  const invoices = await console.db.selectFrom('invoices').select('id').orderBy('id').execute()
  const { status, html } = await console.get(`/invoices/${encodeId('invoice', invoices[position]?.id ?? '')}`)
  assert.equal(status, 200)
  return textOf(html)
}

test('an invoice names both parties, its dates, every line with its service period, and its total', async () => {
  const text = await invoiceText(1)
  assert.match(text, /Invoice TEST\d+-INV-00002 15\.00 USD/)
  assert.match(text, /To Harbour Bakery 1 Quay Street, 2000 Demo Harbour/)
  assert.match(text, /Issued 28 February 2026 Due 14 March 2026 Currency USD/)
  assert.match(text, /Odoo User .* 28 February – 30 March 2026 5 user 1\.00 USD 5\.00 USD/)
  assert.match(text, /Network Usage .* 31 January – 27 February 2026 3 GiB 1\.00 USD 3\.00 USD/)
  assert.match(text, /Net 15\.00 USD Tax 0\.00 USD Total 15\.00 USD/)
})

test('each line says how its amount came about', async () => {
  const text = await invoiceText(1)
  assert.match(text, /5 × 1 = 5\.00 USD, rounded once\. The whole period of 31 days\./)
  assert.match(text, /3 GiB × 1 = 3\.00 USD, rounded once\. Measured: 3 GiB, from 3 readings/)
  assert.match(text, /First read 31 Jan 2026, 09:02:00 UTC , last 28 Feb 2026, 00:00:00 UTC/)
})

test('a quantity changed inside a period is on the next invoice with both, each for its days', async () => {
  const text = await invoiceText(2)
  assert.match(text, /21 days of a period of 31 days/)
  assert.match(text, /10 – 30 March 2026 6 user 1\.00 USD/)
})

test('an invoice of a test clock says that it is none', async () => {
  assert.match(await invoiceText(0), /Not a real invoice: it was made on test clock spring/)
})

test('a credit note says what comes back, and asks for nothing', async () => {
  const story = await console.db.selectFrom('subscriptions').select('id').executeTakeFirstOrThrow()
  const now = '2026-04-02T08:00:00Z'
  const key = { subscriptionId: story.id, requestId: 'cancel-now', actor: 'test', now }
  await cancelSubscription(console.db, key, { when: 'now', reason: 'moved away' })
  await billFinal(console.db, story.id, now)
  const text = await invoiceText(3)
  assert.match(text, /Credit note TEST\d+-CN-00001 −\d+\.\d\d USD/)
  assert.match(text, /are credited to you; there is nothing to pay/)
  assert.doesNotMatch(text, / Due /)
})

test('the list shows every document, newest first', async () => {
  const text = textOf((await console.get('/invoices')).html)
  assert.match(text, /CN-00001 .*−.*INV-00003 .*INV-00002 .*INV-00001/)
})

test('an id that stands for nothing is not found', async () => {
  assert.equal((await console.get('/invoices/inv_00000000000000000000000000')).status, 404)
})
