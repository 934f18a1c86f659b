import assert from 'node:assert/strict'
import test, { after, before, beforeEach } from 'node:test'
import { encodeId } from '#domain/identifier.ts'
import { createTestConsole, readForm, type TestConsole } from './console.ts'
import { activate, build, seedStory, sell, type Sold } from './story.ts'
import { textOf } from './text.ts'

let console: TestConsole
let sold: Sold
before(async () => {
  console = await createTestConsole()
  await seedStory(console.db)
  sold = await sell(console.db, { kit: 'odoo-config-1' })
  await build(console.db, sold, 'done')
  await activate(console.db, sold, new Date().toISOString())
})
beforeEach(() => {
  console.temporal.updates.length = 0
})
after(async () => console.close())

const pagePath = () => `/subscriptions/${sold.publicId}`
const action = (name: string) => `${pagePath()}/${name}`
const usersLine = async () =>
  console.db
    .selectFrom('subscription_lines')
    .select('id')
    .where('subscription_id', '=', sold.id)
    .where('limit_code', '=', 'users')
    .executeTakeFirstOrThrow()

test('a form goes to the workflow as the API’s command does, and leads back to the page', async () => {
  const done = await console.submit(pagePath(), action('suspend'), { reason: 'not paid' })
  assert.equal(done.status, 303)
  assert.equal(done.headers.get('location'), pagePath())
  const [update] = console.temporal.updates
  assert.equal(update?.workflowId, `subscription/${sold.publicId}`)
  assert.equal(update?.name, 'suspend')
  assert.partialDeepStrictEqual(update?.args, [{ kind: 'suspend', requestId: update?.updateId }])
  assert.equal(await console.reasonOf(update?.updateId), 'not paid')
})

test('a changed quantity names its line', async () => {
  const line = await usersLine()
  const done = await console.submit(pagePath(), action('change-plan'), { quantity: '6' })
  assert.equal(done.status, 303)
  assert.partialDeepStrictEqual(console.temporal.updates[0]?.args, [
    { kind: 'changePlan', subscriptionLineId: encodeId('subscriptionLine', line.id), quantity: '6' },
  ])
})

test('a form that is sent twice is carried out once', async () => {
  const form = readForm((await console.get(pagePath())).html, action('suspend'))
  for (const status of [303, 303]) {
    const answer = await console.submit(pagePath(), action('suspend'), { ...form, reason: 'twice' })
    assert.equal(answer.status, status)
  }
  assert.equal(console.temporal.updates.length, 1)
})

test('a refused form comes back with 422, the message beside its field and what was typed', async () => {
  const line = encodeId('subscriptionLine', (await usersLine()).id)
  const refused = await console.submit(pagePath(), action('change-plan'), { quantity: '-3' })
  assert.equal(refused.status, 422)
  assert.match(textOf(refused.html), /Nothing was changed\./)
  assert.match(refused.html, /<title>Refused: /)
  assert.match(refused.html, new RegExp(`id="quantity-${line}"[^>]*value="-3"[^>]*aria-invalid="true"`))
  assert.ok(refused.html.includes(`href="#quantity-${line}"`))
  assert.equal(console.temporal.updates.length, 0)
})

test('what the instance would not take is shown by the field too', async () => {
  const detail = 'The instance holds 7 users; remove some first.'
  console.temporal.behaviour.onUpdate = async (update) =>
    Promise.resolve({ requestId: update.updateId, refusal: { code: 'limit_not_in_force', detail } })
  const refused = await console.submit(pagePath(), action('change-plan'), { quantity: '6' })
  console.temporal.behaviour.onUpdate = async (update) =>
    Promise.resolve({ requestId: update.updateId, refusal: null })
  assert.equal(refused.status, 422)
  assert.ok(textOf(refused.html).split(detail).length >= 3)
})

test('a reason is asked for', async () => {
  const refused = await console.submit(pagePath(), action('suspend'), { reason: ' ' })
  assert.equal(refused.status, 422)
  assert.match(textOf(refused.html), /Nothing was changed\. Say why, in a few words\./)
  assert.match(refused.html, /<details id="suspend" open/)
  assert.match(refused.html, /id="suspend-reason"[^>]*aria-invalid="true"/)
})

test('cancelling shows its effect first, then is asked of the workflow', async () => {
  const { html } = await console.get(action('cancel'))
  const text = textOf(html)
  assert.match(text, /At the end of the period, \d+ \w+ \d{4}/)
  assert.match(text, /A last invoice is made today/)
  assert.match(text, /3 resources are removed from the server, data included/)
  const done = await console.submit(action('cancel'), action('cancel'), {
    when: 'period_end',
    reason: 'moved away',
  })
  assert.equal(done.status, 303)
  assert.partialDeepStrictEqual(console.temporal.updates[0]?.args, [{ kind: 'cancel', when: 'period_end' }])
  assert.equal(await console.reasonOf(console.temporal.updates[0]?.updateId), 'moved away')
})

test('a cancellation may name its day, and keep it running after that', async () => {
  const dates = { ends_on: '2199-01-01', service_ends_on: '2199-02-01' }
  const done = await console.submit(action('cancel'), action('cancel'), {
    when: 'date',
    reason: 'moved away',
    ...dates,
  })
  assert.equal(done.status, 303)
  assert.partialDeepStrictEqual(console.temporal.updates[0]?.args, [
    { kind: 'cancel', when: 'date', endsOn: '2199-01-01', serviceEndsOn: '2199-02-01' },
  ])
})

test('a pause is asked with what was filled in, and refused beside its field', async () => {
  const done = await console.submit(pagePath(), action('pause'), { ends_on: '2199-02-01' })
  assert.equal(done.status, 303)
  assert.deepEqual(console.temporal.updates[0]?.args, [
    { kind: 'pause', endsOn: '2199-02-01', requestId: console.temporal.updates[0]?.updateId },
  ])
  const refused = await console.submit(pagePath(), action('pause'), { starts_on: 'tomorrow' })
  assert.equal(refused.status, 422)
  assert.match(refused.html, /<details id="pause" open/)
  assert.match(refused.html, /id="pause-starts_on"[^>]*value="tomorrow"[^>]*aria-invalid="true"/)
})

test('only what is possible is offered, and what is not is refused all the same', async () => {
  const { html } = await console.get(pagePath())
  assert.doesNotMatch(html, /action="[^"]*\/(resume|uncancel|retry-build)"/)
  const form = readForm(html, action('suspend'))
  const refused = await console.submit(pagePath(), action('suspend'), form)
  assert.equal(refused.status, 422)
  const forged = await console.request(action('resume'), {
    method: 'POST',
    body: new URLSearchParams(form),
    headers: { 'sec-fetch-site': 'cross-site', cookie: console.cookie, accept: 'text/html' },
  })
  assert.equal(forged.status, 403)
  const resumed = await console.request(action('resume'), {
    method: 'POST',
    body: new URLSearchParams(form),
    headers: { 'sec-fetch-site': 'same-origin', cookie: console.cookie, accept: 'text/html' },
  })
  assert.equal(resumed.status, 422)
  assert.match(textOf(await resumed.text()), /resume is not possible while the subscription is active/)
})

test('a form without the session’s token is not ours', async () => {
  const form = readForm((await console.get(pagePath())).html, action('suspend'))
  const answer = await console.request(action('suspend'), {
    method: 'POST',
    body: new URLSearchParams({ ...form, form_token: 'guessed', reason: 'x' }),
    headers: { 'sec-fetch-site': 'same-origin', cookie: console.cookie, accept: 'text/html' },
  })
  assert.equal(answer.status, 403)
  assert.equal(console.temporal.updates.length, 0)
})

test('an engine that does not answer is no fault of the form: 503, and the same key again', async () => {
  console.temporal.behaviour.onUpdate = async () =>
    Promise.reject(Object.assign(new Error('14 UNAVAILABLE'), { code: 14, details: '', metadata: {} }))
  const answer = await console.submit(pagePath(), action('suspend'), { reason: 'x' })
  console.temporal.behaviour.onUpdate = async (update) =>
    Promise.resolve({ requestId: update.updateId, refusal: null })
  assert.equal(answer.status, 503)
})

test('a value of an instance is recorded from its page, and a wrong one comes back with what was typed', async () => {
  const instance = await console.db
    .selectFrom('instances')
    .select('id')
    .where('subscription_id', '=', sold.id)
    .executeTakeFirstOrThrow()
  assert.doesNotMatch((await console.get(pagePath())).html, /Recorded values/)
  const path = `/v1/instances/${encodeId('instance', instance.id)}/values/users`
  await console.put(path, { value: '5', starts_on: '2026-01-01' })
  const typed = { instance: encodeId('instance', instance.id), code: 'disk_gib', value: '40.5' }
  const done = await console.submit(pagePath(), action('record-value'), typed)
  assert.equal(done.headers.get('location'), `${pagePath()}#values`)
  assert.match(textOf((await console.get(pagePath())).html), /disk_gib.*40\.5.*operator/s)
  const wrong = await console.submit(pagePath(), action('record-value'), { ...typed, value: 'many' })
  assert.equal(wrong.status, 422)
  assert.match(wrong.html, /value="many"/)
  assert.match(textOf(wrong.html), /A value is a decimal of 0 or more/)
})

/** What is metered was not billed yet. */
const unbilledLine = async () =>
  console.db
    .selectFrom('subscription_lines')
    .select(['id', 'starts_on'])
    .where('subscription_id', '=', sold.id)
    .where('metric', '=', 'network')
    .executeTakeFirstOrThrow()

test('what a line takes today has a button each, which names the line', async () => {
  const { id } = await unbilledLine()
  const lineId = encodeId('subscriptionLine', id)
  const { html } = await console.get(pagePath())
  assert.match(html, new RegExp(`delay-${lineId}-starts_on`))
  assert.doesNotMatch(html, new RegExp(`successor-${lineId}`))
  const asked = [
    ['cancel-line', {}, { kind: 'cancelLine' }],
    ['delete-line', {}, { kind: 'deleteLine' }],
    ['delay-line', { starts_on: '2199-01-01' }, { kind: 'delayLine', startsOn: '2199-01-01' }],
    ['stop-line', { ends_on: '' }, { kind: 'stopLine' }],
  ] as const
  for (const [name, fields, command] of asked) {
    const done = await console.submit(pagePath(), action(name), { ...fields, line: lineId })
    assert.equal(done.status, 303, name)
    assert.partialDeepStrictEqual(console.temporal.updates.at(-1)?.args, [
      { ...command, subscriptionLineId: lineId },
    ])
  }
})

test('a cancelled line is offered to be brought back', async () => {
  const { id, starts_on } = await unbilledLine()
  await console.db
    .insertInto('subscription_commands')
    .values({
      subscription_id: sold.id,
      request_id: 'withdrawn',
      kind: 'cancelLine',
      actor: 'test',
      refusal: null,
      replaced: null,
    })
    .execute()
  const set = (change: { ends_on: string | null; closed_by: string | null }) =>
    console.db.updateTable('subscription_lines').set(change).where('id', '=', id).execute()
  await set({ ends_on: starts_on, closed_by: 'withdrawn' })
  const { html } = await console.get(pagePath())
  assert.match(textOf(html), /Bring back/)
  const line = encodeId('subscriptionLine', id)
  const done = await console.submit(pagePath(), action('uncancel-line'), { line })
  await set({ ends_on: null, closed_by: null })
  assert.equal(done.status, 303)
})

test('a fixed term is agreed with its notice, and a wrong one comes back', async () => {
  const term = { length_count: '2', length_unit: 'year', notice_count: '', renewal: 'end' }
  const done = await console.submit(pagePath(), action('set-term'), term)
  assert.equal(done.status, 303)
  const [update] = console.temporal.updates
  assert.equal(update?.name, 'setTerm')
  const refused = await console.submit(pagePath(), action('set-term'), { ...term, length_count: '0' })
  assert.equal(refused.status, 422)
  assert.match(refused.html, /<details id="set-term" open/)
})

test('a line is handed to another customer by its code, a part of it by its quantity', async () => {
  const line = encodeId('subscriptionLine', (await usersLine()).id)
  const handed = { line, customer: 'north-clinic', quantity: '2', starts_on: '' }
  const done = await console.submit(pagePath(), action('transfer'), handed)
  assert.equal(done.status, 303)
  assert.partialDeepStrictEqual(console.temporal.updates[0]?.args, [
    { kind: 'transfer', subscriptionLineId: line, quantity: '2' },
  ])
  const refused = await console.submit(pagePath(), action('transfer'), { ...handed, customer: 'nobody' })
  assert.equal(refused.status, 422)
  assert.match(refused.html, /id="transfer-customer"[^>]*value="nobody"[^>]*aria-invalid="true"/)
})
