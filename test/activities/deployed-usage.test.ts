import assert from 'node:assert/strict'
import test, { after, before, beforeEach } from 'node:test'
import { takeUsage } from '#activities/deployed-usage.ts'
import type { DeployerRequest } from '#activities/deployer-call.ts'
import { activateSubscription } from '#db/activation.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'
import { insertDeployer, insertDeployment } from '#test/support/deployer.ts'

// What a deployer answers when it is asked for what was used there, and what becomes of it here.

type Json = Record<string, unknown>

const there = 'sub_01kb0000000000000000000001'
let api: TestApi
let subscription = ''
let deployerId = ''
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  await api.post('/v1/products', {
    code: 'mails',
    name: 'Mails sent',
    billing_type: 'usage',
    billing_timing: 'arrears',
    recurrence: { count: 1, unit: 'month' },
    unit: 'piece',
    base_price: '0.10',
    currency: 'USD',
    metric: 'mails',
  })
  const order = await api.post('/v1/orders', { customer: 'acme', lines: [{ product: 'mails' }] })
  const [{ id } = { id: '' }] = order.body['subscriptions'] as { id: string }[]
  subscription = id
  await activateSubscription(api.db, decodeId('subscription', id), ago(60))
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
    time: ago(1),
    data: { quantity: '5' },
    ...different,
  }
}

const ended = { next: null, resume: '2026-01-01T00:00:00Z|' }

/** Takes over what the other side answers, page by page. @returns what was asked for of it */
async function take(...pages: readonly unknown[]) {
  const asked: string[] = []
  const left = [...pages]
  const row = await api.db
    .selectFrom('deployers')
    .selectAll()
    .where('id', '=', deployerId)
    .executeTakeFirstOrThrow()
  const deployer = { ...row, key: 'key', usageCursor: row.usage_cursor }
  const ask = async ({ path }: DeployerRequest) => {
    asked.push(new URL(path, 'http://there').searchParams.get('after') ?? '')
    return left.shift()
  }
  const taken = await takeUsage({ db: api.db }, { deployer, ask, find: async () => undefined })
  return { ...taken, asked }
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
  const { stored, refused } = await take({ data: [mails('a'), ...bad, mails('b')], ...ended })
  assert.deepEqual([stored, refused], [2, bad.length])
  assert.deepEqual(await counted(), ['a', 'b'])
  const seen = await refusedEvents()
  assert.deepEqual(
    [seen.length, new Set(seen.map(({ sender }) => sender))],
    [bad.length, new Set([encodeId('deployer', deployerId)])],
  )
  const { usage_cursor: cursor } = await api.db
    .selectFrom('deployers')
    .select('usage_cursor')
    .executeTakeFirstOrThrow()
  assert.equal(cursor, ended.resume)
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
