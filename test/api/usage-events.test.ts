import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createUsageIntake } from '#api/usage-intake.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { countRows } from '#test/support/count-rows.ts'
import { liveOneLife } from '#test/support/life.ts'
import { batchType, singleType, toCloudEvent, type PushedEvent } from '#test/support/usage-events.ts'

let api: TestApi
let subscription = ''
before(async () => {
  api = await createTestApi()
  subscription = encodeId('subscription', (await liveOneLife(api)).subscriptionId)
})
after(async () => api.close())

const at = new Date(Date.now() - 3_600_000).toISOString()
const path = '/v1/usage-events'

const event = (id: string, more: Partial<PushedEvent> = {}) =>
  toCloudEvent({ source: 'gateway', id, subscription, metric: 'network', quantity: '2.5', at, ...more })

const pushBatch = async (...events: unknown[]) => await api.post(path, events, batchType)

async function pushLines(text: string): Promise<Record<string, unknown>[]> {
  const response = await api.request(path, {
    method: 'POST',
    body: text,
    headers: { authorization: `Bearer ${api.key}`, 'content-type': 'application/x-ndjson' },
  })
  assert.equal(response.status, 200)
  const answer = (await response.text()).trim().split('\n')
  return answer.map((line) => JSON.parse(line) as Record<string, unknown>)
}

const toLines = (events: readonly unknown[]) => events.map((one) => `${JSON.stringify(one)}\n`).join('')

async function currentQuantity(): Promise<number> {
  const { body } = await api.get(`/v1/subscriptions/${subscription}/usage`)
  return Number((body['lines'] as { current: { quantity: string } }[])[0]?.current.quantity)
}

test('D-20 an event is counted once, however often and in whichever form it is sent', async () => {
  const before = await currentQuantity()
  const first = await api.post(path, event('1'), singleType)
  assert.deepEqual([first.status, first.body], [200, { result: 'stored' }])
  const again = await Promise.all(
    Array.from({ length: 5 }, async () => api.post(path, event('1'), singleType)),
  )
  assert.deepEqual(
    again.map(({ body }) => body),
    Array.from({ length: 5 }, () => ({ result: 'duplicate' })),
  )
  const batch = await pushBatch(
    event('1'),
    event('2', { quantity: 512, unit: 'MiB' }),
    event('2', { quantity: 512, unit: 'MiB' }),
  )
  assert.deepEqual([batch.status, batch.body], [200, { stored: 1, duplicates: 2, refused: [] }])
  const lines = await pushLines(toLines([event('1'), event('3', { quantity: 1 })]))
  assert.deepEqual(lines.at(-1), { is_complete: true, through: 2, stored: 1, duplicates: 1, refused: 0 })
  assert.equal(await currentQuantity(), before + 4)
})

test('D-19 of a batch of 500 with 2 bad ones, 498 are stored and 2 are told by index and code', async () => {
  const before = await currentQuantity()
  const events: unknown[] = Array.from({ length: 500 }, (_, index) =>
    event(`batch-${index}`, { quantity: '0.01' }),
  )
  events[17] = event('batch-17', { metric: 'cpu' })
  events[411] = event('1', { quantity: '9' })
  const reply = await pushBatch(...events)
  assert.equal(reply.status, 207)
  assert.partialDeepStrictEqual(reply.body, {
    stored: 498,
    duplicates: 0,
    refused: [
      { index: 17, code: 'metric_unknown', pointer: '/type' },
      { index: 411, code: 'usage_event_conflict', pointer: null },
    ],
  })
  assert.equal(Number((await currentQuantity()).toFixed(2)), Number((before + 4.98).toFixed(2)))
})

test('usage that comes to more than can be billed is shown without a cost, says so where a cost is asked for, and is taken back', async () => {
  const reply = await pushBatch(event('huge', { quantity: '999999999999999' }))
  assert.equal(reply.body['stored'], 1)
  const usagePath = `/v1/subscriptions/${subscription}/usage`
  const usage = await api.get(usagePath)
  const [line] = usage.body['lines'] as { current: { quantity: string }; present: object | null }[]
  assert.equal(usage.status, 200)
  assert.match(line?.current.quantity ?? '', /^9{9}|^1000000000/)
  assert.equal(line?.present, null)
  const spend = await api.get(`/v1/subscriptions/${subscription}/spend-caps`)
  assert.deepEqual([spend.status, spend.body['code']], [422, 'amount_too_large'])
  const back = await pushBatch(event('huge-back', { quantity: '-999999999999999', reverses: 'huge' }))
  assert.equal(back.body['stored'], 1)
  assert.equal((await api.get(`/v1/subscriptions/${subscription}/spend-caps`)).status, 200)
})

async function countAllButRefused() {
  const { refused_usage_events: _refused, ...rows } = await countRows(api.db)
  return rows
}

async function listRefused(code: string): Promise<Record<string, unknown>[]> {
  const { body } = await api.get(`/v1/refused-usage-events?limit=100&code=${code}`)
  return body['data'] as Record<string, unknown>[]
}

const cloudEvent = () => event('x')
const refused: readonly [string, () => unknown, number, string, string | undefined][] = [
  ['the same id with other content', () => event('1', { quantity: '9' }), 409, 'usage_event_conflict', undefined],
  ['a metric that is not sold', () => event('x', { metric: 'cpu' }), 422, 'metric_unknown', '/type'],
  ['a unit of another dimension', () => event('x', { unit: 'user' }), 422, 'unit_not_convertible', '/data/unit'],
  ['an unknown unit', () => event('x', { unit: 'parsec' }), 422, 'unit_unknown', '/data/unit'],
  ['a negative quantity', () => event('x', { quantity: -1 }), 422, 'quantity_negative', '/data/quantity'],
  ['a quantity that is none', () => event('x', { quantity: 'much' }), 422, 'quantity_invalid', '/data/quantity'],
  ['more than 100 days ago', () => event('x', { at: '2020-01-15T00:00:00Z' }), 422, 'usage_event_too_late', '/time'],
  ['the future', () => event('x', { at: '2999-01-01T00:00:00Z' }), 422, 'usage_event_in_future', '/time'],
  ['another kind of id', () => event('x', { subscription: 'cus_01kb0000000000000000000000' }), 400, 'id_kind_mismatch', '/subject'],
  ['an unknown subscription', () => event('x', { subscription: 'sub_01kb0000000000000000000000' }), 422, 'subscription_unknown', '/subject'],
  ['an unknown external id', () => event('x', { subscription: 'ext:nobody' }), 422, 'subscription_unknown', '/subject'],
  ['another version of CloudEvents', () => ({ ...cloudEvent(), specversion: '0.3' }), 422, 'field_invalid', '/specversion'],
  ['no source', () => ({ ...cloudEvent(), source: undefined }), 422, 'field_required', '/source'],
  ['a misspelt unit', () => ({ ...cloudEvent(), data: { quantity: 1, units: 'GiB' } }), 422, 'field_invalid', '/data/units'],
  ['properties that are no texts', () => ({ ...cloudEvent(), data: { quantity: 1, properties: { region: 5 } } }), 422, 'field_invalid', '/data/properties/region'],
  ['half a character', () => event('x', { properties: { region: '\ud800' } }), 422, 'field_invalid', '/data/properties/region'],
  ['the reversal of an event that is unknown', () => event('x', { quantity: '-1', reverses: 'nobody' }), 422, 'reversed_event_unknown', '/data/reverses'],
  ['a reversal that adds', () => event('x', { quantity: '1', reverses: '1' }), 422, 'quantity_invalid', '/data/quantity'],
  ['a reversal of more than there was', () => event('x', { quantity: '-2.51', reverses: '1' }), 422, 'reversal_too_large', '/data/quantity'],
  ['data that is no object', () => ({ ...cloudEvent(), data: 5 }), 422, 'field_invalid', '/data'],
  ['data that is not JSON', () => ({ ...cloudEvent(), datacontenttype: 'text/xml' }), 422, 'field_invalid', '/datacontenttype'],
  ['a day for an instant', () => event('x', { at: '2026-01-31' }), 422, 'field_invalid', '/time'],
  ['no object', () => 7, 422, 'field_invalid', undefined],
] // prettier-ignore

for (const [name, make, status, code, pointer] of refused) {
  test(`${name} is refused as ${code}, alone and in a batch, and leaves nothing but one place in the list`, async () => {
    const rows = await countAllButRefused()
    const reply = await api.post(path, make(), singleType)
    assert.deepEqual([reply.status, reply.body['code']], [status, code])
    assert.equal((reply.body['errors'] as { pointer: string }[])[0]?.pointer, pointer)
    const batch = await pushBatch(make())
    assert.equal(batch.status, 207)
    assert.partialDeepStrictEqual(batch.body, {
      stored: 0,
      refused: [{ index: 0, code, pointer: pointer ?? null }],
    })
    assert.deepEqual(await countAllButRefused(), rows)
    const [kept] = await listRefused(code)
    assert.partialDeepStrictEqual(kept, { pointer: pointer ?? null, content: JSON.stringify(make()) })
  })
}

test('what is no batch, or too large, or of another kind is refused as a whole', async () => {
  const rows = await countRows(api.db)
  const replies = [
    await pushBatch(),
    await pushBatch(...Array.from({ length: 1001 }, (_, index) => event(`many-${index}`))),
    await api.post(path, event('x'), batchType),
    await api.post(path, 'no json', batchType),
    await api.post(path, [event('x', { id: 'x'.repeat(3_000_000) })], batchType),
    await api.post(path, event('x'), { 'content-type': 'application/json' }),
    await api.post(`${path}?dry_run=1`, event('x'), { 'content-type': 'application/x-ndjson' }),
  ]
  assert.deepEqual(
    replies.map(({ status, body }) => [status, body['code']]),
    [
      [422, 'field_invalid'],
      [422, 'field_invalid'],
      [422, 'field_invalid'],
      [400, 'json_malformed'],
      [413, 'body_too_large'],
      [415, 'media_type_unsupported'],
      [415, 'media_type_unsupported'],
    ],
  )
  assert.deepEqual(await countRows(api.db), rows)
})

test('a stream is answered piece by piece, through which line all is on disk; a bad line is told and the rest is taken', async () => {
  const events = Array.from({ length: 2500 }, (_, index) => event(`line-${index}`, { quantity: '0.001' }))
  const text = toLines(events).replace(/^.*"line-1200".*$/m, '{"broken":')
  const answer = await pushLines(text)
  assert.deepEqual(answer.at(-1), {
    is_complete: true,
    through: 2500,
    stored: 2499,
    duplicates: 0,
    refused: 1,
  })
  const pieces = answer.slice(0, -1) as { through: number; refused: { index: number; code: string }[] }[]
  assert.deepEqual(
    pieces.flatMap(({ refused: of }) => of.map(({ index, code }) => [index, code])),
    [[1200, 'json_malformed']],
  )
  assert.deepEqual(
    pieces.map(({ through }) => through),
    pieces.map(({ through }) => through).toSorted((one, other) => one - other),
  )
})

test('a line without end ends the stream; what was answered before it stays', async () => {
  const answer = await pushLines(`${toLines([event('whole')])}${'x'.repeat(70_000)}`)
  assert.partialDeepStrictEqual(answer.at(-1), { problem: { code: 'usage_event_too_long' } })
})

test('D-21 how late and how early events are taken are settings, and the refusal says which holds', async () => {
  const bound = async (settings: Record<string, number>) =>
    api.db.updateTable('installation').set(settings).execute()
  const hoursAway = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString()
  const push = async (id: string, hours: number) =>
    (await api.post(path, event(id, { at: hoursAway(hours) }), singleType)).body
  assert.deepEqual(await push('late-in-time', -25), { result: 'stored' })
  assert.equal((await push('early', 0.5))['code'], 'usage_event_in_future')
  await bound({ usage_late_days: 1, usage_early_seconds: 3_600 })
  const tooLate = await push('late', -25)
  assert.equal(tooLate['code'], 'usage_event_too_late')
  assert.match(String(tooLate['detail']), /more than 1 days old/)
  assert.deepEqual(await push('early', 0.5), { result: 'stored' })
  await bound({ usage_late_days: 100, usage_early_seconds: 300 })
})

test('D-24 a dry run tells subscription, line and price of an event, and stores nothing', async () => {
  const rows = await countRows(api.db)
  const { body } = await api.post(`${path}?dry_run=1`, event('dry'), singleType)
  assert.partialDeepStrictEqual(body, {
    result: 'not stored',
    counts_for: { subscription, quantity: '2.5', unit: 'GiB', price: '1.00 USD per GiB', occurred_at: at },
  })
  const batch = await api.post(
    `${path}?dry_run=1`,
    [event('dry'), event('dry', { metric: 'cpu' })],
    batchType,
  )
  assert.partialDeepStrictEqual(batch.body, { stored: 0, refused: [{ index: 1, code: 'metric_unknown' }] })
  assert.deepEqual(await countRows(api.db), rows)
})

test('D-25 when more waits than can be held, it is said before anything is taken, and nothing that was taken is lost', async () => {
  const limits = { chunkEvents: 10, writers: 1, waitingEvents: 50 }
  const intake = createUsageIntake({ db: api.db, now: () => new Date().toISOString() }, limits)
  const pushes = Array.from({ length: 20 }, async (_, push) =>
    intake.push(
      Array.from({ length: 10 }, (__, index) => event(`load-${push}-${index}`, { quantity: '0' })),
      'test',
    ),
  )
  const settled = await Promise.allSettled(pushes)
  const taken = settled.flatMap((of) => (of.status === 'fulfilled' ? of.value : []))
  const sentAway = settled.flatMap((of) => (of.status === 'rejected' ? [of.reason as Error] : []))
  assert.deepEqual([taken.length, sentAway.length], [50, 15])
  assert.ok(taken.every((of) => 'result' in of && of.result === 'stored'))
  assert.ok(sentAway.every((error) => error instanceof BusinessError && error.code === 'too_many_requests'))
  const { count } = await api.db
    .selectFrom('usage_events')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('event_id', 'like', 'load-%')
    .executeTakeFirstOrThrow()
  assert.equal(count, 50)
})

test('after the end, what was used before it is taken, and what was used later is refused', async () => {
  const endedAt = new Date(Date.now() - 1_800_000)
  const subscriptionId = decodeId('subscription', subscription)
  const endsOn = endedAt.toISOString().slice(0, 10)
  await api.db
    .updateTable('subscription_lines')
    .set({ ends_on: endsOn })
    .where('subscription_id', '=', subscriptionId)
    .execute()
  await api.db
    .updateTable('subscriptions')
    .set({ phase: 'unbuilding', ends_on: endsOn })
    .where('id', '=', subscriptionId)
    .execute()
  const earlier = new Date(Date.now() - 50 * 3_600_000).toISOString()
  const taken = await api.post(path, event('before-the-end', { at: earlier }), singleType)
  assert.deepEqual(taken.body, { result: 'stored' })
  const { late_usage_at: cameAt } = await api.db
    .selectFrom('subscriptions')
    .select('late_usage_at')
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  assert.notEqual(cameAt, null)
  const refusal = await api.post(path, event('after-the-end', { at: new Date().toISOString() }), singleType)
  assert.deepEqual([refusal.status, refusal.body['code']], [409, 'subscription_ended'])
})
