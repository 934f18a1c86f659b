import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { activateSubscription } from '#db/activation.ts'
import { billOpening } from '#db/billing.ts'
import { newId } from '#db/identifier.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { seedCatalog } from '#test/support/api.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { textOf } from './text.ts'

const start = '2026-09-15T09:00:00Z'

let console: TestConsole
let subscription = ''
let line = ''
before(async () => {
  console = await createTestConsole({ now: () => start })
  const { db } = console
  await seedCatalog(console)
  const order = await console.post('/v1/orders', { customer: 'acme', lines: [{ product: 'support' }] })
  const [sold] = order.body['subscriptions'] as [{ id: string }]
  subscription = sold.id
  const row = await db.selectFrom('subscription_lines').select('id').executeTakeFirstOrThrow()
  line = encodeId('subscriptionLine', row.id)
  await activateSubscription(db, decodeId('subscription', subscription), start)
  await billOpening(db, decodeId('subscription', subscription), start)
  await console.patch('/v1/seller', { country: 'DE', address: 'Hafen 1', tax_determination: 'service' })
})
after(async () => console.close())

/** What a page says, and how many questions it left for the tax service. */
async function open(path: string) {
  await console.db.deleteFrom('tax_questions').execute()
  const { html } = await console.get(`/subscriptions/${subscription}${path}`)
  const questions = await console.db.selectFrom('tax_questions').selectAll().execute()
  return { text: textOf(html), questions: questions.length }
}

const unanswered = /The tax service has not answered yet for standard in DE on 20\d\d-\d\d-15/

test('pages that say what is to come say what the tax service has not answered, and leave the question for it', async () => {
  const page = await open('')
  assert.match(page.text, unanswered)
  assert.equal(page.questions, 1)
  const change = await open(`/change?line=${line}&quantity=2&preview=yes`)
  assert.match(change.text, unanswered)
  assert.equal(change.questions, 2, 'of the next invoice, and of the first with the change')
})

test('a simulation beyond the days of an answer leaves the question of the first day after them', async () => {
  await console.db
    .insertInto('tax_answers')
    .values({
      id: newId(),
      seller_country: 'DE',
      buyer_country: 'DE',
      buyer_region: null,
      is_business: false,
      is_tax_id_verified: false,
      product_category: 'standard',
      valid_in: '[2026-01-01,2027-03-01)',
      decision: JSON.stringify({ category: 'out_of_scope', rates: [], note: null }),
      source: 'S',
      answered_at: start,
    })
    .execute()
  assert.equal((await open('')).questions, 0)
  const { text, questions } = await open('/simulation?months=24')
  assert.match(text, unanswered)
  assert.equal(questions, 1)
})
