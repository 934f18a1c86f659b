import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createTestConsole, type TestConsole } from './console.ts'
import { seedStory } from './story.ts'
import { sectionText, textOf } from './text.ts'

let console: TestConsole
before(async () => {
  console = await createTestConsole()
  await seedStory(console.db)
  const rules = JSON.stringify({ isFirstOrder: true })
  await console.db
    .updateTable('installation')
    .set({ review_rules: rules, unbuilt_payments: 'refund' })
    .execute()
})
after(async () => console.close())

async function place(customer: string): Promise<string> {
  const order = { customer, lines: [{ product: 'static-site' }], channel: 'shop' }
  const { status, body } = await console.post('/v1/orders', order)
  assert.equal(status, 201)
  return `/orders/${String(body['id'])}/holds`
}

const words = async (path: string) => textOf((await console.get(path)).html)

test('an order that waits says for what, and is found by its task', async () => {
  const page = await place('harbour-bakery')
  const shown = await words(page)
  for (const expected of ['being checked', 'waiting for payment', 'waiting for the mail address', '3.00 USD'])
    assert.ok(shown.includes(expected), `${expected} is not in ${shown}`)
  const home = await console.get('/')
  assert.ok(home.html.includes(`href="${page}"`))
  const accepted = await console.submit(page, `${page}/accept`, { reason: 'known by phone' })
  assert.deepEqual([accepted.status, accepted.headers.get('location')], [303, page])
  const paid = await console.submit(page, `${page}/paid`, { reference: 'bank, 1 March' })
  assert.equal(paid.status, 303)
  assert.match(await words(page), /known by phone/)
  assert.equal((await console.submit(page, `${page}/cancel`, { reason: 'changed my mind' })).status, 303)
  const ended = await words(page)
  assert.match(ended, /cancelled/)
  assert.ok(!ended.includes('Cancel the order'))
})

test('what came too late is refused on the page, and nothing is changed', async () => {
  const page = await place('north-clinic')
  await console.submit(page, `${page}/refuse`, { reason: 'a stolen card' })
  const { html } = await console.get(page)
  assert.ok(!html.includes(`${page}/accept`))
  const sent = await console.submit(page, `${page}/refund-sent`).catch((error: unknown) => error)
  assert.ok(sent instanceof Error, 'nothing was paid, so nothing is sent back')
})

test('the page of an order says what it waits for, and leads to where that is settled', async () => {
  const holds = await place('harbour-bakery')
  const page = holds.replace('/holds', '')
  const { html } = await console.get(page)
  assert.match(sectionText(html, 'holds'), /waiting for payment.*3\.00 USD/)
  assert.ok(html.includes(`href="${holds}"`))
})

test('a preview says what an order will wait for', async () => {
  const asked = { customer: 'harbour-bakery', lines: [{ product: 'static-site' }] }
  const inShop = await console.post('/v1/orders/preview', { ...asked, channel: 'shop' })
  assert.partialDeepStrictEqual(inShop.body['waits_for'], [
    { kind: 'payment', said: 'waiting for payment', detail: '3.00 USD is to be paid first.' },
  ])
  const byOperator = await console.post('/v1/orders/preview', asked)
  assert.deepEqual(byOperator.body['waits_for'], [])
  await console.db.updateTable('installation').set({ mail_verification: 'always' }).execute()
  const verified = await console.post('/v1/orders/preview', asked)
  assert.partialDeepStrictEqual(verified.body['waits_for'], [{ kind: 'mail_verification' }])
})
