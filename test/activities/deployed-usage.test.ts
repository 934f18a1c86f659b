import assert from 'node:assert/strict'
import test, { after, before, beforeEach } from 'node:test'
import { takeUsage } from '#activities/deployed-usage.ts'
import type { DeployerRequest } from '#activities/deployer-call.ts'
import { activateSubscription } from '#db/activation.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { insertDeployer, insertDeployment, sellMails } from '#test/support/deployer.ts'

// What a deployer answers when it is asked for what was used there, and what becomes of it here.

type Json = Record<string, unknown>

const there = 'sub_01kb0000000000000000000001'
let api: TestApi
let subscription = ''
let deployerId = ''
before(async () => {
  api = await createTestApi()
  subscription = await sellMails(api)
  await activateSubscription(api.db, decodeId('subscription', subscription), ago(60))
})
after(async () => api.close())

beforeEach(async () => {
  await api.db.deleteFrom('usage_events').execute()
  await api.db.deleteFrom('refused_usage_events').execute()
  await api.db.deleteFrom('deployments').execute()
  await api.db.deleteFrom('deployers').execute()
  deployerId = await insertDeployer(api.db, 'yard')
  const line = await api.db.selectFrom('subscription_lines').select('id').executeTakeFirstOrThrow()
  await insertDeployment(api.db, {
    deployerId,
    subscriptionId: decodeId('subscription', subscription),
    firstLineId: line.id,
  })
})

const usedAt = ago(1)

function ago(minutes: number): string {
  return new Date(Date.now() - minutes * 60_000).toISOString()
}

function mails(id: string, different: Json = {}): Json {
  return {
    specversion: '1.0',
    id,
    source: 'mail-server',
    type: 'mails',
    subject: there,
    time: usedAt,
    data: { quantity: '5' },
    ...different,
  }
}

const ended = { next: null, resume: '2026-01-01T00:00:00Z|' }

/** Takes over what the other side answers, page by page. @returns what was asked for of it */
async function take(...pages: readonly unknown[]) {
  const asked: string[] = []
  const left = [...pages]
  const row = await deployerRow()
  const deployer = { ...row, key: 'key', usageCursor: row.usage_cursor, usageReading: row.usage_reading }
  const ask = async ({ path }: DeployerRequest) => {
    asked.push(new URL(path, 'http://there').searchParams.get('after') ?? '')
    const answer = left.shift()
    if (answer instanceof Error) throw answer
    return answer
  }
  const taken = await takeUsage({ db: api.db }, { deployer, ask }).catch((error: unknown) => ({ error }))
  return { ...taken, asked }
}

async function deployerRow() {
  return await api.db
    .selectFrom('deployers')
    .selectAll()
    .where('id', '=', deployerId)
    .executeTakeFirstOrThrow()
}

async function refusedEvents() {
  const { body } = await api.get('/v1/refused-usage-events?limit=100')
  return body['data'] as Json[]
}

async function counted(): Promise<string[]> {
  const rows = await api.db.selectFrom('usage_events').select('event_id').orderBy('event_id').execute()
  return rows.map((row) => row.event_id)
}

test('what is no event, or refused, holds up no other of its page: a person finds it among the refused ones', async () => {
  const nested = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`) as unknown
  const bad = [
    mails('unit', { data: { quantity: '1', unit: `\0${'u'.repeat(30)}` } }),
    mails('long', { data: { quantity: '1', [`x${'\uD800'.repeat(2_000)}`]: 1 } }),
    mails('wide', { note: 'n'.repeat(20_000), data: { quantity: 'many' } }),
    mails('below', { data: { quantity: '-3' } }),
    mails('ahead', { time: '2999-01-01T00:00:00Z' }),
    mails('typed', { source: { name: 'mail-server' } }),
    mails('nested', { data: nested }),
    mails('nobody', { subject: 7 }),
    mails('other-name', { subject: `ext:\0` }),
    'text',
    null,
  ]
  const taken = await take({ data: [mails('a'), ...bad, mails('b')], ...ended })
  assert.deepEqual(taken, { stored: 2, refused: bad.length, asked: [''] })
  assert.deepEqual(await counted(), ['a', 'b'])
  const seen = await refusedEvents()
  assert.deepEqual(
    [seen.length, new Set(seen.map(({ sender }) => sender))],
    [bad.length, new Set([encodeId('deployer', deployerId)])],
  )
  assert.equal((await deployerRow()).usage_cursor, ended.resume)
})

test('a refused one counts once it is sent again and fits; what names nobody there counts for nobody here', async () => {
  await api.patch(`/v1/subscriptions/${subscription}`, { external_id: 'shop-7' })
  await take({
    data: [mails('soon', { time: '2999-01-01T00:00:00Z' }), mails('guess', { subject: 'ext:shop-7' })],
    ...ended,
  })
  const row = await api.db
    .selectFrom('refused_usage_events')
    .selectAll()
    .where('code', '=', 'usage_event_in_future')
    .executeTakeFirstOrThrow()
  await api.db
    .updateTable('refused_usage_events')
    .set({ content: row.content.replace('2999-01-01T00:00:00Z', ago(2)) })
    .where('id', '=', row.id)
    .execute()
  const again = await api.post('/v1/refused-usage-events/send-again', {})
  assert.equal(again.status, 200, JSON.stringify(again.body))
  assert.deepEqual(await counted(), ['soon'])
})

test('a reading that was broken off goes on where it was, and the next one begins where this one could not know all', async () => {
  const broken = await take(
    { data: [mails('1')], next: 'p1', resume: 'r1' },
    { data: [mails('2')], next: 'p2', resume: 'r2' },
    new Error('the connection was reset'),
  )
  assert.deepEqual(broken.asked, ['', 'p1', 'p2'])
  assert.equal((await deployerRow()).usage_taken_at, null)
  const resumedAt = new Date().toISOString()
  const gone = await take({ data: [mails('3')], next: null, resume: 'r3' })
  assert.deepEqual(gone, { stored: 1, refused: 0, asked: ['p2'] })
  const row = await deployerRow()
  assert.deepEqual([row.usage_cursor, row.usage_reading], ['r1', null])
  // What was recorded meanwhile may be missing: it is told for the instant at which the reading began.
  assert.ok(row.usage_taken_at !== null && Date.parse(row.usage_taken_at) <= Date.parse(resumedAt))
  assert.deepEqual((await take({ data: [], ...ended })).asked, ['r1'])
  assert.deepEqual(await counted(), ['1', '2', '3'])
})

test('a place that the other side takes for none is forgotten: it is read from the beginning, and each event counts once', async () => {
  await take({ data: [mails('1')], next: null, resume: 'nonsense' })
  const refusal = new BusinessError(
    'deployer_refuses',
    'Deployer yard refuses. field_invalid: It is next or resume.',
  )
  const taken = await take(refusal, { data: [mails('1'), mails('2')], ...ended })
  assert.deepEqual(taken, { stored: 1, refused: 0, asked: ['nonsense', ''] })
})

test('a feed that goes round in a circle, gives more than was asked for, or no place to go on is not read on', async () => {
  const page = (next: string) => ({ data: [mails('1')], next, resume: 'r' })
  const round = await take(page('p1'), page('p2'), page('p1'), page('p2'))
  assert.deepEqual(
    [round.asked.length, 'error' in round && String(round.error)],
    [3, 'Error: the usage feed of yard goes round in a circle'],
  )
  for (const nonsense of [
    { data: Array.from({ length: 2_001 }, () => 'x'), ...ended },
    { data: [], next: null, resume: '\0' },
    { data: [], next: '', resume: 'r' },
    { data: {}, ...ended },
    'text',
  ])
    assert.ok('error' in (await take(nonsense)))
  assert.deepEqual(await counted(), ['1'])
})
