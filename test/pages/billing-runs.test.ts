import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createTestConsole, readForm, type TestConsole } from './console.ts'
import { seedStory, sell, tellTwoMonths, type Sold } from './story.ts'
import { sectionText, textOf } from './text.ts'

let console: TestConsole
let story: Sold
before(async () => {
  console = await createTestConsole()
  await seedStory(console.db)
  story = await tellTwoMonths(console.db)
})
after(async () => console.close())

test('J-07 invoices to come are computed from what is assumed, each line with how it comes about', async () => {
  const address = `/subscriptions/${story.publicId}/simulation`
  const { html, status } = await console.get(`${address}?months=3&usage.network=10&usage.users=9`)
  assert.equal(status, 200)
  const bills = sectionText(html, 'bills')
  // From 13 March: 31 March, 30 April, 31 May. Six users and five accounts each month; what was used so far of disk.
  assert.match(bills, /3 invoices from 13 March 2026 to 13 June 2026/)
  assert.match(bills, /31 March 2026 : 24\.17 USD .*30 April 2026 : 21\.00 USD .*31 May 2026 : 21\.00 USD/)
  assert.match(
    bills,
    /Network Usage 10 GiB × 1 = 10\.00 USD, rounded once\. Assumed: 10 GiB\. Price: 1\.00 USD per GiB, from the product\./,
  )
  assert.match(sectionText(html, 'points'), /13 March 2026 9 users are wanted, 6 are sold/)
})

test('J-07 what cannot be assumed comes back with the form and the reason', async () => {
  const address = `/subscriptions/${story.publicId}/simulation`
  const { html, status } = await console.get(`${address}?months=3&usage.network=much`)
  assert.equal(status, 422)
  assert.match(textOf(html), /It cannot be simulated\./)
  assert.match(html, /name="usage\.network"[^>]*value="much"/)
})

test('J-07 what is not active yet has no invoices to come', async () => {
  const building = await sell(console.db, { kit: 'odoo-config-2' })
  const { html } = await console.get(`/subscriptions/${building.publicId}/simulation`)
  assert.match(textOf(html), /it is not active yet, or has ended/)
})

test('C-15 a run is begun from its page, once however often the form is sent, and then listed', async () => {
  const list = await console.get('/billing-runs')
  assert.match(textOf(list.html), /None yet\./)
  const body = new URLSearchParams(readForm(list.html, '/billing-runs'))
  const headers = { cookie: console.cookie, 'sec-fetch-site': 'same-origin' }
  const send = async () => await console.request('/billing-runs', { method: 'POST', body, headers })
  const [first, again] = [await send(), await send()]
  assert.equal(first.status, 303)
  assert.equal(again.headers.get('location'), first.headers.get('location'))
  const run = await console.get(first.headers.get('location') ?? '')
  assert.match(textOf(run.html), /still running; 0 billed, 0 waiting, 0 parked/)
  const rows = await console.db.selectFrom('billing_runs').select('id').execute()
  assert.equal(rows.length, 1)
})

test('J-08 a dry run says so when nothing is due', async () => {
  const { html } = await console.get('/billing-runs/preview')
  assert.match(textOf(html), /Nothing is due\./)
})
