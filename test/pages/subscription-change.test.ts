import assert from 'node:assert/strict'
import test, { after, before, beforeEach } from 'node:test'
import { planWaitingChange } from '#db/waiting-change.ts'
import { listWaitingRows } from '#db/waiting-decision.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { activate, build, seedStory, sell, type Sold } from './story.ts'
import { sectionText, textOf } from './text.ts'

let console: TestConsole
let sold: Sold
let lineId: string
before(async () => {
  console = await createTestConsole()
  await seedStory(console.db)
  sold = await sell(console.db, { kit: 'odoo-config-1' })
  await build(console.db, sold, 'done')
  await activate(console.db, sold, new Date().toISOString())
  const line = await console.db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', sold.id)
    .where('limit_code', '=', 'users')
    .executeTakeFirstOrThrow()
  lineId = encodeId('subscriptionLine', line.id)
})
beforeEach(() => {
  console.temporal.updates.length = 0
})
after(async () => console.close())

const page = () => `/subscriptions/${sold.publicId}/change`
const asked = (fields: Record<string, string>) =>
  `${page()}?${new URLSearchParams({ line: lineId, ...fields, preview: '1' }).toString()}`

test('each open line leads to the form of its change, which says what holds now', async () => {
  const { html } = await console.get(`/subscriptions/${sold.publicId}`)
  assert.ok(html.includes(`href="${page()}?line=${lineId}"`))
  const question = await console.get(`${page()}?line=${lineId}`)
  assert.match(sectionText(question.html, 'question'), /Now: 5 users at 1\.00 USD each, a month/)
  assert.doesNotMatch(question.html, /id="preview"/)
})

test('a change is shown with credit, charge and invoice, and nothing has changed', async () => {
  const { html, status } = await console.get(asked({ quantity: '9', 'price.unit_amount': '0.50' }))
  assert.equal(status, 200)
  const text = sectionText(html, 'preview')
  assert.match(text, /Takes effect .* Credit (−|0)[\d.]+ USD Charge \d+\.\d\d USD Together, net/)
  assert.match(text, /Limit of the instance, users 5 → 9/)
  assert.match(text, /The first invoice on which it shows .* Nothing has changed yet\./)
  assert.equal(console.temporal.updates.length, 0)
  const lines = await console.db
    .selectFrom('subscription_lines')
    .select('quantity')
    .where('subscription_id', '=', sold.id)
    .where('limit_code', '=', 'users')
    .execute()
  assert.deepEqual(lines, [{ quantity: '5' }])
})

test('the button applies what was shown, as the API’s command does', async () => {
  const fields = {
    quantity: '9',
    'price.unit_amount': '0.50',
    'recurrence.count': '3',
    'recurrence.unit': 'month',
  }
  const shown = await console.get(asked(fields))
  assert.equal(shown.status, 200)
  const form = readFields(shown.html)
  assert.partialDeepStrictEqual(form, { line: lineId, ...fields })
  const done = await send(form)
  assert.equal(done.status, 303)
  assert.equal(done.headers.get('location'), `/subscriptions/${sold.publicId}`)
  assert.partialDeepStrictEqual(console.temporal.updates[0]?.args, [
    { kind: 'changePlan', subscriptionLineId: lineId, quantity: '9' },
  ])
  const note = await console.db
    .selectFrom('command_notes')
    .select('asked')
    .where('request_id', '=', console.temporal.updates[0]?.updateId ?? '')
    .executeTakeFirstOrThrow()
  assert.deepEqual(note.asked, {
    plan: {
      price: { model: 'per_unit', unitAmount: '0.50' },
      recurrence: { count: 3, unit: 'month' },
    },
  })
  await send(form)
  assert.equal(console.temporal.updates.length, 1)
})

test('what cannot be is said beside its field, in the preview and when it is applied', async () => {
  const negative = await console.get(asked({ quantity: '2', 'price.unit_amount': '-1' }))
  assert.equal(negative.status, 422)
  assert.match(negative.html, /id="change-price-unit_amount"[^>]*aria-invalid="true"[^>]*value="-1"/)
  const unknown = await console.get(asked({ product: 'nothing' }))
  assert.match(textOf(unknown.html), /Nothing was changed\. There is no product nothing\./)
  const empty = await console.get(asked({ quantity: '' }))
  assert.match(textOf(empty.html), /A change has at least one of/)
  const form = readFields((await console.get(asked({ quantity: '9' }))).html)
  const refused = await send({ ...form, quantity: '0' })
  assert.equal(refused.status, 422)
  assert.match(await refused.text(), /<title>Refused: Change /)
  assert.equal(console.temporal.updates.length, 0)
})

test('a line of nothing and of another subscription is not found', async () => {
  const other = await sell(console.db, { product: 'static-site' })
  const foreign = await console.get(`/subscriptions/${other.publicId}/change?line=${lineId}`)
  assert.equal(foreign.status, 404)
  assert.equal((await console.get(page())).status, 404)
})

/** The hidden fields of the form below the preview; names may have a dot. */
function readFields(html: string, action = page()): Record<string, string> {
  const [, form = ''] = new RegExp(`<form[^>]*action="${action}"[^>]*>(.*?)</form>`, 's').exec(html) ?? []
  const inputs = form.matchAll(/<input type="hidden" name="([\w.]+)" value="([^"]*)"/g)
  return Object.fromEntries([...inputs].map(([, name = '', value = '']) => [name, value]))
}

async function send(form: Record<string, string>, action = page()): Promise<Response> {
  return await console.request(action, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers: { accept: 'text/html', cookie: console.cookie, 'sec-fetch-site': 'same-origin' },
  })
}

test('less than is used can be asked to wait, is shown while it does, and is withdrawn by a button', async () => {
  const shown = await console.get(asked({ quantity: '3', below_use: 'plan' }))
  assert.match(shown.html, /<option value="plan" selected/)
  assert.partialDeepStrictEqual(readFields(shown.html), { quantity: '3', below_use: 'plan' })
  const key = { subscriptionId: sold.id, requestId: 'waits', actor: 'Ada', now: new Date().toISOString() }
  const less = { subscriptionLineId: decodeId('subscriptionLine', lineId), quantity: '3' }
  await planWaitingChange(console.db, key, { change: less, used: '5', changeRequestId: undefined })
  const { html } = await console.get(`/subscriptions/${sold.publicId}`)
  assert.match(sectionText(html, 'waiting'), /from 5 to 3 limit users, asked by Ada .* Withdraw/)
  const [waiting] = await listWaitingRows(console.db, sold.id)
  const change = encodeId('waitingChange', waiting?.id ?? '')
  const action = `/subscriptions/${sold.publicId}/withdraw-change`
  const form = readFields(html, action)
  assert.partialDeepStrictEqual(form, { change })
  assert.equal((await send(form, action)).status, 303)
  assert.partialDeepStrictEqual(console.temporal.updates.at(-1)?.args, [
    { kind: 'withdrawChange', waitingChangeId: change },
  ])
})
