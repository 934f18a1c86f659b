import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { setInstanceState } from '#db/instance.ts'
import { decodeId } from '#domain/identifier.ts'
import { countRows } from '#test/support/count-rows.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'

const compose = (clouder: string) => `
services:
  web: { image: 'web:1', mem_limit: 2g, cpus: 0.5 }
x-clouder: { title: Web${clouder} }
`

let api: TestApi
before(async () => {
  api = await createTestApi()
  await seedCatalog(api)
  const product = {
    name: 'Web',
    billing_type: 'flat',
    billing_timing: 'advance',
    unit: 'month',
    base_price: '10.00',
  }
  const sold = {
    ...product,
    recurrence: { count: 1, unit: 'month' },
    currency: 'USD',
    terms: { build_trigger: 'payment' },
  }
  for (const [code, clouder] of [
    ['plain', ''],
    ['graphics', ', tags: [gpu], disk: 10g'],
  ] as const) {
    const replies = [
      await api.post('/v1/applications', { code, compose: compose(clouder) }),
      await api.post('/v1/products', { ...sold, code, applications: [code] }),
    ]
    for (const reply of replies) assert.equal(reply.status, 201, JSON.stringify(reply.body))
  }
})
after(async () => api.close())

async function order(product: string, line: Record<string, unknown> = {}) {
  return await api.post('/v1/orders', { customer: 'acme', lines: [{ product, ...line }] })
}

interface Share {
  readonly total: string | null
  readonly offered: string | null
  readonly reserved: string
  readonly free: string | null
}

async function capacityOf(server: string): Promise<Record<string, Share>> {
  return (await api.get(`/v1/servers/${server}`)).body['capacity'] as Record<string, Share>
}

async function reasonsOf(path: string): Promise<Record<string, string>> {
  const { servers } = (await api.get(path)).body as {
    servers: { server: string; reasons: { code: string; detail: string }[] }[]
  }
  return Object.fromEntries(
    servers.map(({ server, reasons }) => [server, reasons.map(({ code }) => code).join()]),
  )
}

/** Adds a server that a worker serves already. */
async function addServer(code: string, said: Record<string, unknown> = {}): Promise<void> {
  await api.post('/v1/servers', { code })
  const seen = { last_seen_at: new Date().toISOString() }
  await api.db.updateTable('servers').set(seen).where('code', '=', code).execute()
  const { status } = await api.patch(`/v1/servers/${code}`, said)
  assert.equal(status, 200)
}

test('of 16 GiB at 0.8 six instances of 2 GiB are sold, the seventh is refused before it is paid, then goes elsewhere', async () => {
  const unset = await capacityOf('local')
  assert.deepEqual(unset['memory_mib'], { total: null, offered: null, reserved: '0', free: null })
  await api.patch('/v1/servers/local', { capacity: { memory_mib: 16_384 }, efficiency: '0.8' })
  for (let sold = 0; sold < 6; sold += 1) assert.equal((await order('plain')).status, 201)
  assert.deepEqual((await capacityOf('local'))['memory_mib'], {
    total: '16384',
    offered: '13107.2',
    reserved: '12288',
    free: '819.2',
  })
  const rows = await countRows(api.db)
  const { status, body } = await order('plain')
  assert.deepEqual([status, body['code']], [409, 'no_server_for_application'])
  const [error] = body['errors'] as { pointer: string; detail: string }[]
  assert.deepEqual(error?.pointer, '/lines/0')
  assert.match(error.detail, /^local: 2 GiB memory needed, 819.2 MiB memory free of 12.8 GiB memory$/)
  const after = await countRows(api.db)
  assert.deepEqual([after['orders'], after['payment_requests']], [rows['orders'], rows['payment_requests']])
  await addServer('second')
  assert.equal((await order('plain')).status, 201)
  const there = (await api.get('/v1/instances?server=second')).body['data'] as { server: string }[]
  assert.deepEqual(
    there.map(({ server }) => server),
    ['second'],
  )
})

test('an order that is cancelled before it is paid gives its place back', async () => {
  const before = (await capacityOf('second'))['instances']?.reserved
  const { body } = await order('plain')
  assert.equal(Number((await capacityOf('second'))['instances']?.reserved), Number(before) + 1)
  await api.post(`/v1/orders/${String(body['id'])}/cancel`, {})
  // What its workflow does once it is told.
  const [subscription] = body['subscriptions'] as { id: string }[]
  const { id } = await api.db
    .selectFrom('instances')
    .select('id')
    .where('subscription_id', '=', decodeId('subscription', subscription?.id ?? ''))
    .executeTakeFirstOrThrow()
  await setInstanceState(api.db, id, 'destroyed')
  assert.equal((await capacityOf('second'))['instances']?.reserved, before)
})

test('a server that is tagged gpu takes what asks for the tag and nothing else, and each server says why', async () => {
  await addServer('gpu-1', { tags: ['gpu'], capacity: { disk_mib: 15_360 } })
  assert.deepEqual(await reasonsOf('/v1/applications/plain/placement?server=gpu-1'), {
    'gpu-1': 'tags',
    local: 'full',
    second: 'most_free',
  })
  assert.deepEqual(await reasonsOf('/v1/applications/graphics/placement'), {
    'gpu-1': 'most_free',
    local: 'tags,full',
    second: 'tags',
  })
  const preview = await api.post('/v1/orders/preview', {
    customer: 'acme',
    lines: [{ product: 'graphics', quantity: 2 }],
  })
  const [previewed] = preview.body['subscriptions'] as { server: string; placements: { takes: object }[] }[]
  assert.equal(previewed?.server, 'gpu-1')
  assert.equal((await order('graphics')).status, 201)
  assert.equal((await capacityOf('gpu-1'))['disk_mib']?.free, '5120')
  const { body } = await order('graphics')
  assert.match(
    String(body['detail']),
    /gpu-1: 10 GiB disk needed, 5 GiB disk free of 15 GiB disk\. local: not tagged gpu/,
  )
})

test('an order names the server that is preferred, and nobody does in the shop', async () => {
  await addServer('third')
  const { body } = await order('plain', { server: 'third' })
  const [subscription] = body['subscriptions'] as { id: string }[]
  const placed = (await api.get(`/v1/instances?subscription=${subscription?.id}`)).body['data'] as {
    server: string
  }[]
  assert.equal(placed[0]?.server, 'third')
  const draft = await api.post('/v1/orders/drafts', {
    customer: 'acme',
    expires_on: '2099-01-01',
    lines: [{ product: 'plain', server: 'third' }],
  })
  assert.equal(draft.status, 201, JSON.stringify(draft.body))
  await api.post(`/v1/orders/${String(draft.body['id'])}/confirm`, {})
  assert.equal(((await api.get('/v1/instances?server=third')).body['data'] as unknown[]).length, 2)
  const shop = await api.post('/v1/orders/preview', {
    customer: 'acme',
    channel: 'shop',
    lines: [{ product: 'plain', server: 'third' }],
  })
  assert.deepEqual(
    [shop.status, (shop.body['errors'] as { pointer: string }[])[0]?.pointer],
    [422, '/lines/0/server'],
  )
  assert.equal((await order('plain', { server: 'nowhere' })).status, 404)
})

test('a server is drained, is not removed while something is on it, and is with its token once it is empty', async () => {
  const drained = await api.patch('/v1/servers/third', { draining: true })
  assert.equal(typeof drained.body['draining_since'], 'string')
  assert.deepEqual((await api.patch('/v1/servers/third', { draining: true })).body, drained.body)
  assert.equal((await reasonsOf('/v1/applications/plain/placement?server=third'))['third'], 'draining')
  const listed = (await api.get('/v1/instances?server=third')).body['data'] as { id: string; name: string }[]
  const refused = await api.delete('/v1/servers/third')
  assert.deepEqual([refused.status, refused.body['code']], [409, 'server_in_use'])
  for (const { id, name } of listed)
    assert.ok(String(refused.body['detail']).includes(`${id} (${name}, ordered)`))
  for (const { id } of listed) await setInstanceState(api.db, decodeId('instance', id), 'destroyed')
  assert.equal((await api.post('/v1/servers/third/join-token', {})).status, 201)
  assert.equal((await api.delete('/v1/servers/third')).status, 204)
  assert.deepEqual(await api.db.selectFrom('server_join_tokens').select('server_id').execute(), [])
  assert.equal((await api.get('/v1/servers/third')).status, 404)
  const left = (await api.get('/v1/servers')).body['data'] as { code: string }[]
  assert.ok(!left.some(({ code }) => code.startsWith('third')))
  assert.equal((await api.post('/v1/servers', { code: 'third' })).status, 201)
  assert.equal((await reasonsOf('/v1/applications/plain/placement'))['third'], 'unreachable')
})

test('what is wrong with a change of a server is said at its field, and nothing changes', async () => {
  const before = (await api.get('/v1/servers/local')).body
  for (const [body, pointer] of [
    [{ capacity: { memory_mib: 0 } }, '/capacity/memory_mib'],
    [{ capacity: { cpus: '-1' } }, '/capacity/cpus'],
    [{ capacity: { instances: 1.5 } }, '/capacity/instances'],
    [{ efficiency: 0 }, '/efficiency'],
    [{ efficiency: '11' }, '/efficiency'],
    [{ tags: ['GPU'] }, '/tags/0'],
  ] as const) {
    const reply = await api.patch('/v1/servers/local', body)
    assert.equal(reply.status, 422, pointer)
    assert.equal((reply.body['errors'] as { pointer: string }[])[0]?.pointer, pointer)
  }
  assert.deepEqual((await api.get('/v1/servers/local')).body['capacity'], before['capacity'])
})
