import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { takeChangeRequest } from '#db/change-request.ts'
import { newId } from '#db/identifier.ts'
import { encodeId } from '#domain/identifier.ts'
import { createTestConsole, type TestConsole } from './console.ts'
import { activate, build, seedStory, sell, type Sold } from './story.ts'
import { sectionText } from './text.ts'

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
    .updateTable('subscription_lines')
    .set({ terms: JSON.stringify({ upgradeMode: 'manual' }) })
    .where('subscription_id', '=', sold.id)
    .where('limit_code', '=', 'users')
    .returning('id')
    .executeTakeFirstOrThrow()
  lineId = line.id
})
after(async () => console.close())

async function ask(quantity: string): Promise<string> {
  const { id } = await takeChangeRequest(console.db, {
    subscriptionId: sold.id,
    subscriptionLineId: lineId,
    plan: { quantity },
    message: 'We grow.',
    actor: 'key_of_the_customer',
    requestId: newId(),
    now: new Date().toISOString(),
  })
  return encodeId('changeRequest', id)
}

test('what waits is on the home page, and leads to its preview with both answers', async () => {
  const id = await ask('9')
  const home = await console.get('/')
  assert.match(sectionText(home.html, 'needs'), /change requested .*from 5 to 9.*We grow/)
  assert.ok(home.html.includes(`href="/change-requests/${id}"`))
  const { html } = await console.get(`/change-requests/${id}`)
  const facts = sectionText(html, 'request')
  assert.match(facts, /open Nothing has changed yet\. Asked by key_of_the_customer .*“We grow\.”/)
  assert.match(facts, /Limit of the instance, users 5 → 9 Next invoice/)

  const silent = await console.submit(`/change-requests/${id}`, `/change-requests/${id}/refuse`, {
    reason: ' ',
  })
  assert.equal(silent.status, 422)
  const reason = 'The server is full.'
  const sent = await console.submit(`/change-requests/${id}`, `/change-requests/${id}/refuse`, { reason })
  assert.equal(sent.status, 303)
  const { html: subscription } = await console.get(`/subscriptions/${sold.publicId}`)
  assert.match(
    sectionText(subscription, 'requests'),
    /from 5 to 9 .*refused by operator:\S+ The server is full\./,
  )
  assert.doesNotMatch((await console.get(`/change-requests/${id}`)).html, /id="decision"/)
  assert.doesNotMatch((await console.get('/')).html, /change requested/)
})

test('the button sends the command that changes a line, with the request that it applies', async () => {
  const id = await ask('7')
  const sent = await console.submit(`/change-requests/${id}`, `/change-requests/${id}/apply`)
  assert.equal(sent.status, 303)
  const [update] = console.temporal.updates
  assert.partialDeepStrictEqual(update, {
    workflowId: `subscription/${sold.publicId}`,
    name: 'changePlan',
    args: [{ quantity: '7', subscriptionLineId: encodeId('subscriptionLine', lineId) }],
  })
  const note = await console.db
    .selectFrom('command_notes')
    .select('asked')
    .where('request_id', '=', update?.updateId ?? '')
    .executeTakeFirst()
  assert.equal(encodeId('changeRequest', note?.asked?.changeRequestId ?? ''), id)
})
