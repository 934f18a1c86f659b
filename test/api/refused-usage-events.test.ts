import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { createUsageIntake } from '#api/usage-intake.ts'
import { lockRefusedUsageEvents } from '#db/refused-usage-event.ts'
import { encodeId } from '#domain/identifier.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { liveOneLife } from '#test/support/life.ts'
import { batchType, singleType, toCloudEvent, type PushedEvent } from '#test/support/usage-events.ts'

let api: TestApi
let subscription = ''
before(async () => {
  api = await createTestApi()
  subscription = encodeId('subscription', (await liveOneLife(api)).subscriptionId)
})
after(async () => api.close())

const path = '/v1/refused-usage-events'
const at = () => new Date(Date.now() - 3_600_000).toISOString()
const event = (id: string, more: Partial<PushedEvent> = {}) =>
  toCloudEvent({ source: 'gateway', id, subscription, metric: 'network', quantity: '2', at: at(), ...more })

interface Refused {
  readonly id: string
  readonly event_id: string
  readonly code: string
  readonly refusals: number
}

async function list(): Promise<Refused[]> {
  return (await api.get(`${path}?limit=100`)).body['data'] as Refused[]
}

async function used(): Promise<number> {
  const { body } = await api.get(`/v1/subscriptions/${subscription}/usage`)
  return Number((body['lines'] as { current: { quantity: string } }[])[0]?.current.quantity)
}

/** Until the subscription meters the metric, its one line meters another one. */
async function meterBy(metric: string): Promise<void> {
  await sql`update subscription_lines set metric = ${metric} where billing_type = 'usage'`.execute(api.db)
}

test('what counts already is a duplicate, also where it would be refused by now, and is not among the refused', async () => {
  const stored = event('kept', { at: at() })
  const push = async (sent: object) => await api.post('/v1/usage-events', sent, singleType)
  assert.equal((await push(stored)).body['result'], 'stored')
  await meterBy('other')
  assert.deepEqual((await push(stored)).body, { result: 'duplicate' })
  // With other content it is another one, and is refused as that would be.
  assert.equal((await push({ ...stored, data: { quantity: '3' } })).body['code'], 'metric_unknown')
  await meterBy('network')
  assert.equal((await push({ ...stored, data: { quantity: '3' } })).body['code'], 'usage_event_conflict')
  assert.deepEqual(
    (await list()).map(({ event_id: id, code }) => [id, code]),
    [['kept', 'usage_event_conflict']],
  )
  await sql`delete from refused_usage_events`.execute(api.db)
})

test('D-22 two refused events wait with their reason; sent again once the metric is there, each counts once', async () => {
  const before = await used()
  await meterBy('other')
  const batch = await api.post('/v1/usage-events', [event('a'), event('b')], batchType)
  assert.equal(batch.status, 207)
  await api.post('/v1/usage-events', event('b'), singleType)
  assert.deepEqual(
    (await list()).map(({ event_id: id, code, refusals }) => [id, code, refusals]),
    [
      ['b', 'metric_unknown', 2],
      ['a', 'metric_unknown', 1],
    ],
  )
  const [newest] = await list()
  const early = await api.post(`${path}/${newest?.id}/send-again`, {})
  assert.deepEqual([early.status, early.body['code']], [422, 'metric_unknown'])
  assert.equal((await api.post(`${path}/send-again`, {})).body['refused'], 2)
  await meterBy('network')
  const sent = await Promise.all([1, 2].map(async () => api.post(`${path}/send-again`, {})))
  assert.equal(
    sent.reduce((sum, { body }) => sum + Number(body['stored']), 0),
    2,
  )
  assert.deepEqual([await used(), await list()], [before + 4, []])
})

test('what its sender puts right by himself is no longer listed, and counts once', async () => {
  const before = await used()
  await api.post('/v1/usage-events', [event('c', { unit: 'parsec' })], batchType)
  assert.deepEqual(
    (await list()).map(({ code }) => code),
    ['unit_unknown'],
  )
  await api.post('/v1/usage-events', [event('c')], batchType)
  assert.deepEqual([await list(), await used()], [[], before + 2])
  const { body } = await api.post(`${path}/send-again`, { code: 'unit_unknown' })
  assert.partialDeepStrictEqual(body, { stored: 0, duplicates: 0, refused: 0, has_more: false })
})

test('an event without an instant counts when it first came, not when it was sent again', async () => {
  await meterBy('other')
  const { time: _time, ...timeless } = event('timeless') as Record<string, unknown>
  await api.post('/v1/usage-events', [timeless], batchType)
  await meterBy('network')
  const [refused] = await list()
  await sql`update refused_usage_events set first_refused_at = first_refused_at - interval '2 hours'`.execute(
    api.db,
  )
  const sent = await api.post(`${path}/${refused?.id}/send-again`, {})
  assert.deepEqual(sent.body, { result: 'stored' })
  const { rows } = await sql<{ hours: number }>`
    select round(extract(epoch from now() - occurred_at) / 3600)::integer as hours from usage_events where event_id = 'timeless'`.execute(
    api.db,
  )
  assert.deepEqual(rows, [{ hours: 2 }])
  assert.equal((await api.post(`${path}/${refused?.id}/send-again`, {})).status, 404)
})

test('a line that is no JSON, and what is too long to be kept whole, are listed and stay so', async () => {
  const long = { ...event('long', { metric: 'cpu' }), note: 'x'.repeat(9_000) }
  const body = `{"broken":\n${JSON.stringify(long)}\n`
  const headers = { authorization: `Bearer ${api.key}`, 'content-type': 'application/x-ndjson' }
  await (await api.request('/v1/usage-events', { method: 'POST', body, headers })).text()
  assert.deepEqual((await list()).map(({ code }) => code).toSorted(), ['json_malformed', 'metric_unknown'])
  const { body: sent } = await api.post(`${path}/send-again`, {})
  assert.partialDeepStrictEqual(sent, { stored: 0, duplicates: 0, refused: 2, has_more: false })
  for (const { id } of await list()) assert.equal((await api.delete(`${path}/${id}`)).status, 204)
  assert.deepEqual(await list(), [])
})

test('what no database can keep of a name or a unit is kept otherwise: the refusal is the answer, and the others count', async () => {
  const before = await used()
  const strange = ['\0', '\ud800', `${'x'.repeat(493)}\u{1f600}`]
  const named = strange.map((name, index) => {
    const whole = event(`name-${index}`)
    return { ...whole, data: { ...whole.data, [name]: 'x' } }
  })
  const units = strange.slice(0, 2).map((unit, index) => event(`unit-${index}`, { unit }))
  const sent = await api.post('/v1/usage-events', [...named, ...units, event('plain')], batchType)
  assert.deepEqual([sent.status, sent.body['stored']], [207, 1])
  assert.deepEqual(
    (await list()).map(({ code }) => code),
    [...units.map(() => 'unit_unknown'), ...named.map(() => 'field_invalid')],
  )
  assert.equal((await api.post(`${path}/send-again`, {})).body['refused'], 5)
  for (const { id } of await list()) await api.delete(`${path}/${id}`)
  assert.equal(await used(), before + 2)
})

test('D-08 an event from before its subscription began is refused by its index, kept, and counts once the day is put right', async () => {
  const begin = async (daysAgo: number) => {
    const { rows } = await sql<{ was: string }>`
      update subscription_lines line set starts_on = current_date - ${daysAgo}::integer
      from subscription_lines before where before.id = line.id and line.billing_type = 'usage'
      returning (current_date - before.starts_on)::integer as was`.execute(api.db)
    return Number(rows[0]?.was)
  }
  const was = await begin(5)
  const early = event('early', { at: new Date(Date.now() - 8 * 86_400_000).toISOString() })
  const sent = await api.post('/v1/usage-events', [event('in-time'), early], batchType)
  const [refusal] = sent.body['refused'] as { index: number; code: string; pointer: string }[]
  assert.deepEqual([sent.status, sent.body['stored']], [207, 1])
  assert.deepEqual(
    [refusal?.index, refusal?.code, refusal?.pointer],
    [1, 'subscription_not_begun', '/time'],
  )
  assert.equal((await api.post('/v1/usage-events?dry_run=1', early, singleType)).body['code'], 'subscription_not_begun')
  const [kept] = await list()
  assert.deepEqual([kept?.event_id, kept?.code], ['early', 'subscription_not_begun'])
  assert.equal((await api.post(`${path}/send-again`, { code: 'subscription_not_begun' })).body['refused'], 1)
  await begin(was)
  assert.equal((await api.post(`${path}/send-again`, { code: 'subscription_not_begun' })).body['stored'], 1)
  const { rows } = await sql<{ there: number }>`
    select count(*)::integer as there from usage_events where event_id = 'early'`.execute(api.db)
  assert.equal(rows[0]?.there, 1)
}) // prettier-ignore

test('a round that sends refused events again has each of them once, and an end', async () => {
  for (const { id } of await list()) await api.delete(`${path}/${id}`)
  await sql`
    insert into refused_usage_events (id, sender, name, content, is_whole, code, detail, first_refused_at, refused_at)
    select gen_random_uuid(), 'key:many', 'one ' || number, '{}', true, 'field_required', 'It was empty.', now(), now()
    from generate_series(1, 1100) as number`.execute(api.db)
  const first = await api.post(`${path}/send-again`, {})
  assert.deepEqual([first.body['refused'], first.body['has_more']], [1_000, true])
  const rest = await api.post(`${path}/send-again`, { tried_before: first.body['tried_before'] })
  assert.deepEqual([rest.body['refused'], rest.body['has_more']], [100, false])
  const none = await api.post(`${path}/send-again`, { tried_before: first.body['tried_before'] })
  assert.equal(none.body['refused'], 0)
  await sql`delete from refused_usage_events where sender = 'key:many'`.execute(api.db)
})

test('whoever sends refused events again holds up no one whose events are refused meanwhile', async () => {
  const add = async (id: string) => api.post('/v1/usage-events', [event(id, { metric: 'cpu' })], batchType)
  await add('held')
  await sql`update refused_usage_events set first_refused_at = first_refused_at - interval '31 days',
    refused_at = refused_at - interval '31 days'`.execute(api.db)
  await api.db.transaction().execute(async (tx) => {
    await lockRefusedUsageEvents(tx, { limit: 10 })
    assert.equal((await add('meanwhile')).status, 207)
  })
  await add('afterwards')
  assert.deepEqual(
    (await list()).map(({ event_id: id }) => id),
    ['afterwards', 'meanwhile'],
  )
  for (const { id } of await list()) await api.delete(`${path}/${id}`)
})

test('the list is bounded: what is old goes, and of a sender only the newest stay', async () => {
  await sql`
    insert into refused_usage_events (id, sender, name, content, is_whole, code, detail, first_refused_at, refused_at)
    select gen_random_uuid(), sender, 'many ' || number, '{}', true, 'field_required', 'It was empty.', at, at
    from (select 'key:flood' as sender, number, now() - interval '1 hour' + number * interval '1 ms' as at
      from generate_series(1, 10001) as number) as flood
    union all select gen_random_uuid(), 'key:old', 'old', '{}', true, 'field_required', 'It was empty.',
      now() - interval '31 days', now() - interval '31 days'`.execute(api.db)
  const intake = createUsageIntake({ db: api.db, now: () => new Date().toISOString() })
  await intake.push([{}], 'key:flood')
  const { rows } = await sql<{ count: number; oldest: string }>`
    select count(*) as count, min(name) filter (where name in ('many 1', 'many 2', 'many 3', 'old')) as oldest
    from refused_usage_events where sender in ('key:flood', 'key:old')`.execute(api.db)
  assert.deepEqual(rows, [{ count: 10_000, oldest: 'many 3' }])
})
