import assert from 'node:assert/strict'
import test, { after, before, suite } from 'node:test'
import { sql } from 'kysely'
import { z } from 'zod'
import { encodeId } from '#domain/identifier.ts'
import { keepBackup, openBackup, recordCopy, recordVerified } from '#db/backup.ts'
import { openRestore } from '#db/restore.ts'
import { newId } from '#db/identifier.ts'
import { copyRow } from '#test/support/copied-row.ts'
import { keepInstanceCommand } from '#db/instance-command.ts'
import { askPeer, keepPeerAnswer } from '#db/peer-question.ts'
import { keepLostDocuments } from '#db/lost-document.ts'
import { keepSecrets } from '#db/secret.ts'
import { createTestApi, type TestApi } from '#test/support/api.ts'
import { liveOneLife, type Life } from '#test/support/life.ts'
import { insertPeer, receiveDocument, supplierDocument } from '#test/support/peer.ts'
import { singleType } from '#test/support/usage-events.ts'

interface Operation {
  readonly responses: Record<string, { content?: Record<string, { schema: unknown }> }>
  readonly parameters?: readonly { name: string; in: string; required?: boolean }[]
}
interface Document {
  readonly openapi: string
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { readonly schemas: Record<string, unknown> }
}

let api: TestApi
let life: Life
let document: Document
before(async () => {
  api = await createTestApi()
  life = await liveOneLife(api)
  await api.post('/v1/test-clocks', { name: 'clock', now: '2026-01-01T00:00:00Z' })
  await api.post('/v1/price-lists', {
    code: 'list',
    name: 'List',
    currency: 'USD',
    items: [{ unit_price: '1' }],
  })
  const rate = { base: 'EUR', quote: 'USD', rate: '1.25', source: 'ECB', valid_on: '2026-01-02' }
  await api.post('/v1/exchange-rates', rate)
  await api.post('/v1/service-terms', { text: 'Terms.', published_at: '2020-01-01T00:00:00Z' })
  await api.post('/v1/tax-rates', { country: 'DE', name: 'VAT', rate_percent: '19' })
  await api.post('/v1/subscription-templates', {
    code: 'partner',
    name: 'Partners',
    terms: { trial_days: 0 },
    term: { length: { count: 1, unit: 'year' } },
    tags: ['partner'],
  })
  await letIntoPortal()
  const metric = {
    code: 'disk-held',
    title: 'Disk',
    unit: 'GiB',
    kind: 'gauge',
    aggregation: 'max',
    level: 'volume',
  }
  await api.post('/v1/metrics', metric)
  await api.post('/v1/data-sources', {
    code: 'warehouse',
    kind: 'postgresql',
    host: 'db.example.com',
    port: 5432,
    database: 'shop',
    username: 'reader',
    password: 'a-password',
  })
  await api.post('/v1/registries', { host: 'images.example.com', username: 'reader', password: 'a-password' })
  const { body: hook } = await api.post('/v1/webhooks', { url: 'https://hooks.example.com/' })
  await api.post(`/v1/webhooks/${String(hook['id'])}/test`, {})
  await api.post('/v1/discounts', { name: 'Spring', code: 'SPRING', percent: '10', scope: 'line' })
  await creditPaidOneOff()
  await askRegister()
  await keepCopy()
  await findDrift()
  await waitForOffer()
  await actOnInstance()
  await receiveFromSupplier()
  await sellFeature()
  await deployForAnother()
  document = (await api.get('/openapi.json')).body as unknown as Document
})
after(async () => api.close())

/** The instance was saved, as before an unbuild. */
async function keepCopy(): Promise<void> {
  const { server_id: serverId } = await api.db
    .selectFrom('instances')
    .select('server_id')
    .where('id', '=', life.instanceId)
    .executeTakeFirstOrThrow()
  const { id: buildOrderId } = await api.db
    .selectFrom('build_orders')
    .select('id')
    .where('subscription_id', '=', life.subscriptionId)
    .executeTakeFirstOrThrow()
  const { id } = await openBackup(api.db, { instanceId: life.instanceId, serverId, buildOrderId })
  const copy = { volume: 'data', location: 'copies/data.tar', bytes: 1024, sha256: 'a'.repeat(64) }
  const now = '2026-03-01T00:00:00Z'
  await recordCopy(api.db, id, copy, now)
  await recordVerified(api.db, id, copy.volume, now)
  await keepBackup(api.db, id, now)
  await openRestore(api.db, {
    subscriptionId: life.subscriptionId,
    requestId: 'req_restored',
    backupId: id,
    actor: 'tester',
    now,
  })
}

/** The application has an action, which somebody ran; the instance has a secret, and its log a line. */
async function actOnInstance(): Promise<void> {
  const { instanceId } = life
  const action = { code: 'clear_cache', title: 'Clear the cache', right: 'customer', service: 'web' }
  const actions = [{ ...action, command: ['true'], fields: [], confirmation: null, timeoutS: 30 }]
  await sql`update application_versions set definition = definition || ${JSON.stringify({ actions })}::jsonb
    where id = (select application_version_id from instances where id = ${instanceId})`.execute(api.db)
  const command = { instanceId, requestId: 'req_1', kind: 'action', subject: 'clear_cache' } as const
  await keepInstanceCommand(api.db, { ...command, actor: 'key_1', plain: {}, secret: null }, null)
  const secret = { name: 'PASSWORD', keyId: 'key', sealed: Buffer.from('sealed') }
  await keepSecrets(api.db, instanceId, [secret])
  const line = { at: '2026-01-01T00:00:00Z', service: 'web', stream: 'stdout', level: 'info', text: 'begun' }
  api.temporal.behaviour.onExecute = async () =>
    await api.db
      .updateTable('log_excerpts')
      .set({ lines: JSON.stringify([line]) })
      .execute()
}

/** What the newest subscription was sold as has single sign-on, beside the versions that its lines stand on. */
async function sellFeature(): Promise<void> {
  await sql`alter table product_versions disable trigger user`.execute(api.db)
  await sql`update product_versions set features = '{"sso": true}'`.execute(api.db)
  await sql`alter table product_versions enable trigger user`.execute(api.db)
}

/** A supplier has billed this installation. */
async function receiveFromSupplier(): Promise<void> {
  const peerId = await insertPeer(api.db)
  await receiveDocument(api.db, peerId, supplierDocument())
  await askSupplier(peerId)
  await keepLost(peerId)
  const { body } = await api.get('/v1/supplier-invoices')
  const [invoice] = body['data'] as { id: string }[]
  await api.post('/v1/expense-categories', { code: 'hosting', name: 'Hosting' })
  await api.post(`/v1/supplier-invoices/${invoice?.id}/disputes`, { reason: 'Billed twice', lines: [1] })
  await api.post('/v1/supplier-payments', { pays: [{ supplier_invoice: invoice?.id, amount_minor: 200 }] })
  const monthly = { name: 'Hosting', begins_on: '2026-03-01', amount_minor: 1_000 }
  const { body: suppliers } = await api.get('/v1/suppliers')
  const [supplier] = suppliers['data'] as { id: string }[]
  await api.post('/v1/supplier-subscriptions', { supplier: supplier?.id, ...monthly })
}

/** It has a document of ours that is not here. */
async function keepLost(peerId: string): Promise<void> {
  const said = { kind: 'invoice', number: 'INV-99999', currency: 'USD' } as const
  const document = { ...said, issuedOn: '2026-03-01', totalMinor: 1_200, sha256: 'a'.repeat(64) }
  const lost = [{ ...document, documentId: newId(), content: { number: 'INV-99999' } }]
  const now = '2026-03-01T00:00:00Z'
  await api.db
    .transaction()
    .execute(async (tx) => await keepLostDocuments(tx, peerId, { lost, toldSequence: null, now }))
}

/** It was asked for a proof, and for the usage behind a line. */
async function askSupplier(peerId: string): Promise<void> {
  const supplied = await api.db.selectFrom('supplier_invoices').select('id').executeTakeFirstOrThrow()
  const evidence = {
    url: 'https://upstream.example.com/v1/peer-questions',
    headers: { signature: 'sig=:AA==:' },
    body: '{}',
    answer: { status: 200, headers: { signature: 'sig=:AA==:' }, body: '{}' },
  }
  const now = '2026-03-01T00:00:00Z'
  const asked = { peerId, askedBy: 'tester', now }
  const month = { month: '2026-03', documents: 1, root: 'a'.repeat(64) }
  const known = { document: 'inv_01kb0000000000000000000001', number: 'UP-1', issuedOn: '2026-03-01' }
  const range = { from: '2026-01-01', to: '2027-01-01' }
  const proof = await askPeer(api.db, { ...asked, key: 'one', kind: 'proof', question: range })
  const differences = [{ ...known, difference: 'missing_here', isWaiting: false } as const]
  const answer = { isEqual: false, ours: [], theirs: [month], differences }
  await keepPeerAnswer(api.db, proof, { answer, evidence, now })
  const usage = await askPeer(api.db, {
    ...asked,
    key: 'two',
    kind: 'usage',
    supplierInvoiceId: supplied.id,
    question: { document: known.document, line: 1, on: null },
  })
  const day = { on: '2026-03-02', readings: 2, events: 1, counted: '3' }
  const window = {
    id: 'win_1',
    subscription: 'sub_1',
    subscription_line: 'line_1',
    instance: null,
    invoice: 'inv_1',
    metric: 'network',
    quantity: '3',
    unit: 'GiB',
    start: now,
    end: now,
    late: false,
    pending: false,
    first_read_at: null,
    last_read_at: null,
    readings: 2,
    events: 1,
    days: [day],
  }
  await keepPeerAnswer(api.db, usage, { answer: { window, readings: [], events: [] }, evidence, now })
}

/** A volume of nobody was seen on the server. */
async function findDrift(): Promise<void> {
  const { id } = await api.db.selectFrom('servers').select('id').executeTakeFirstOrThrow()
  const seen = { found_at: '2026-03-01T00:00:00Z', seen_at: '2026-03-01T00:00:00Z', settled_at: null }
  const what = {
    kind: 'orphan',
    severity: 'warning',
    object_kind: 'volume',
    object_name: 'left-over',
  } as const
  const how = { detail: 'no row knows it', is_safe: false, command: 'docker volume inspect left-over' }
  await api.db
    .insertInto('findings')
    .values({ id: newId(), server_id: id, instance_id: null, ...what, ...how, ...seen })
    .execute()
}

/** The instance waits for what nobody offers. */
async function waitForOffer(): Promise<void> {
  const waiting = { name: 'dns', kind: 'dns', is_required: false, state: 'waiting' } as const
  const none = { offering_instance_id: null, reason: null }
  await api.db
    .insertInto('links')
    .values({ id: newId(), wanting_instance_id: life.instanceId, ...waiting, ...none })
    .execute()
}

/** A register was asked for the tax id of every customer. */
async function askRegister(): Promise<void> {
  const customers = await api.db.selectFrom('customers').select('id').execute()
  for (const { id } of customers) {
    const answer = { tax_id: 'FR1', answer: 'unreachable', failure: 'away' } as const
    await api.db
      .insertInto('tax_id_checks')
      .values({ ...answer, id: newId(), customer_id: id, checked_at: '2026-01-01T00:00:00Z' })
      .execute()
  }
}

/** The newest customer pays a one-off and is credited it: he is owed something. */
async function creditPaidOneOff(): Promise<void> {
  const { body } = await api.get('/v1/customers')
  const [customer] = body['data'] as { code: string }[]
  const charge = { description: 'Work', unit_price: '10', currency: 'USD' }
  await api.post(`/v1/customers/${customer?.code}/one-off-charges`, charge)
  const invoice = await api.post('/v1/invoices', { customer: customer?.code, currency: 'USD' })
  const address = `/v1/invoices/${String(invoice.body['id'])}`
  const { amount_minor: amountMinor } = invoice.body['total'] as { amount_minor: number }
  await api.post(`${address}/payments`, { amount_minor: amountMinor })
  await api.post(`${address}/credit-notes`, {})
  await api.post('/v1/usage-events', {}, singleType)
}

/** A schema without references, and closed: a field that is not in the document makes the answer wrong. */
function resolve(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(resolve)
  if (typeof schema !== 'object' || schema === null) return schema
  const entries = schema as Record<string, unknown>
  if (typeof entries['$ref'] === 'string') {
    const name = entries['$ref'].split('/').at(-1) ?? ''
    return resolve(document.components.schemas[name])
  }
  if (Array.isArray(entries['allOf'])) return resolve(merge(entries['allOf']))
  const resolved = Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, resolve(value)]))
  const isClosed = 'properties' in resolved && !('additionalProperties' in resolved)
  return isClosed ? { ...resolved, additionalProperties: false } : resolved
}

function merge(parts: readonly unknown[]): Record<string, unknown> {
  const [first = {}, ...rest] = parts.map((part) => resolve(part) as Record<string, unknown>)
  return rest.reduce<Record<string, unknown>>(
    (whole, part) => ({
      ...whole,
      ...part,
      properties: { ...(whole['properties'] as object), ...(part['properties'] as object) },
      required: [...((whole['required'] ?? []) as string[]), ...((part['required'] ?? []) as string[])],
    }),
    first,
  )
}

function assertMatches(
  path: string,
  method: string,
  reply: { status: number; body: unknown; type: string },
): void {
  const response = document.paths[path]?.[method]?.responses[String(reply.status)]
  const schema = response?.content?.[reply.type]?.schema
  assert.ok(
    schema,
    `${method} ${path} may answer ${reply.status} as ${reply.type}, says the API but not its document`,
  )
  const result = z.fromJSONSchema(resolve(schema) as z.core.JSONSchema.JSONSchema).safeParse(reply.body)
  assert.ok(
    result.success,
    `${method} ${path} ${reply.status}: ${result.error?.message}\n${JSON.stringify(reply.body)}`,
  )
}

/** What is ordered here for another system to bill was used, and what is billed here can be ordered elsewhere. */
async function deployForAnother(): Promise<void> {
  // Older than all others: what is read first stays the one that was lived.
  const id = '00000000-0000-7000-8000-000000000001'
  const different = { id, is_billed_elsewhere: true, external_id: null }
  await copyRow(api.db, 'subscriptions', life.subscriptionId, different)
  await insertEvent({ subscription_id: id, occurred_at: '2026-01-15T00:00:00Z' })
  await api.post('/v1/deployers', {
    code: 'yard',
    url: 'https://yard.example.com',
    customer: 'life',
    key: 'a-key',
  })
}

async function insertEvent(of: { subscription_id: string; occurred_at: string }): Promise<void> {
  const event = { id: newId(), source: 'gateway', event_id: newId() }
  const used = { metric: 'network', quantity: '1', unit: 'GiB' }
  await api.db
    .insertInto('usage_events')
    .values({ ...event, ...used, ...of })
    .execute()
}

/** Of the network of January, with an event among what it is made of. */
async function billedWindow(): Promise<string> {
  const { id } = await api.db
    .selectFrom('usage_windows')
    .select('id')
    .where('metric', '=', 'network')
    .orderBy('window_period')
    .executeTakeFirstOrThrow()
  await insertEvent({ subscription_id: life.subscriptionId, occurred_at: '2026-01-15T00:00:00Z' })
  return encodeId('usageWindow', id)
}

/** Somebody of the customer that lists have first. */
async function letIntoPortal(): Promise<void> {
  const { body: list } = await api.get('/v1/customers')
  const [customer] = list['data'] as { id: string }[]
  const { body: link } = await api.post(`/v1/customers/${customer?.id}/portal-links`, {})
  const headers = { 'sec-fetch-site': 'same-origin' }
  await api.request(String(link['url']).replace(api.publicUrl, ''), { method: 'POST', headers })
}

/** What stands for {id} in each address. */
async function addressOf(path: string): Promise<string> {
  const list = path.replace(/\/\{id\}.*$/, '')
  if (list === '/v1/usage-windows') return path.replace('{id}', await billedWindow())
  const { body } = await api.get(list)
  const [first] = body['data'] as { id: string }[]
  assert.ok(first, `${list} is empty: the test shows nothing`)
  const address = path.replace('{id}', first.id).replace('/features/{code}', '/features/sso')
  return path === '/v1/supplier-invoices/{id}/usage' ? `${address}?line=1` : address
}

/** What a list must be asked with. */
const askedWith: Readonly<Record<string, string>> = { month: '2026-03', customer: 'life' }

function queryOf(parameters: readonly { readonly name: string; readonly required?: boolean }[]): string {
  const asked = parameters.filter(
    ({ name, required }) => name === 'month' || (name === 'customer' && required),
  )
  const query = asked.map(({ name }) => `${name}=${askedWith[name]}`).join('&')
  return query === '' ? '' : `?${query}`
}

suite('the document', () => {
  test('it is OpenAPI 3.1 and has every route below /v1', () => {
    assert.equal(document.openapi, '3.1.0')
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map(
        (method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
      ),
    )
    const routes = [...api.frame.permissions.keys()].filter((route) => route.includes(' /v1/'))
    assert.deepEqual(described.toSorted(), routes.toSorted())
  })

  test('every answer to a GET is as the document says, field by field', async () => {
    for (const [path, operations] of Object.entries(document.paths)) {
      // A stream has no end to wait for.
      if (!operations['get']?.responses['200']?.content?.['application/json']) continue
      const query = queryOf(operations['get'].parameters ?? [])
      const address = `${path.includes('{id}') ? await addressOf(path) : path}${query}`
      const { status, body } = await api.get(address)
      assert.equal(status, 200, `${address}: ${JSON.stringify(body)}`)
      if (Array.isArray(body['data'])) assert.ok(body['data'].length > 0, `${path} is empty`)
      assertMatches(path, 'get', { status, body, type: 'application/json' })
    }
  })

  test('refusals are as the document says', async () => {
    const refusals: readonly [string, string, string, unknown, Record<string, string>?][] = [
      ['/v1/orders', 'post', '/v1/orders', {}],
      ['/v1/orders', 'post', '/v1/orders', '{'],
      ['/v1/orders', 'post', '/v1/orders', 'x', { 'content-type': 'text/plain' }],
      ['/v1/orders', 'post', '/v1/orders', {}, { authorization: 'Bearer nobody' }],
      ['/v1/products', 'post', '/v1/products', {}],
      ['/v1/subscriptions/{id}/resume', 'post', '/v1/subscriptions/sub_01kb0000000000000000000000/resume', {}],
      ['/v1/subscriptions/{id}/resume', 'post', `/v1/subscriptions/${encodeId('subscription', life.subscriptionId)}/resume`, {}],
      ['/v1/builds/{id}/retry', 'post', (await addressOf('/v1/builds/{id}')) + '/retry', {}],
    ] // prettier-ignore
    for (const [path, method, address, body, headers] of refusals) {
      const reply = await api.post(address, body, headers)
      assert.ok(reply.status >= 400, address)
      assertMatches(path, method, { ...reply, type: 'application/problem+json' })
    }
  })

  test('a POST that leaves something asks for an Idempotency-Key', () => {
    const without = Object.entries(document.paths)
      .filter(([, operations]) => operations['post'])
      .filter(
        ([, operations]) => !operations['post']?.parameters?.some(({ name }) => name === 'Idempotency-Key'),
      )
      .map(([path]) => path)
    assert.deepEqual(without.toSorted(), [
      '/v1/billing-runs/preview',
      '/v1/customers/{id}/portal-links',
      '/v1/instances/{id}/login-links',
      '/v1/instances/{id}/preview',
      '/v1/instances/{id}/secrets/{name}/show',
      '/v1/orders/preview',
      '/v1/peer-documents',
      '/v1/peer-messages',
      '/v1/peer-questions',
      '/v1/peers/invitations',
      '/v1/servers/{id}/join-token',
      '/v1/subscriptions/{id}/change-plan/preview',
      '/v1/subscriptions/{id}/simulation',
      // Each event names itself, by source and id.
      '/v1/usage-events',
      '/v1/webhooks',
      '/v1/webhooks/{id}/rotate-secret',
    ])
  })
})

suite('what a life looks like', () => {
  test('the invoice of January bills three GiB and February’s five users, and says from what', async () => {
    const id = encodeId('document', life.documentId)
    const { body: list } = await api.get(`/v1/invoices?document=${id}`)
    const [invoice] = list['data'] as { id: string; total: unknown }[]
    assert.deepEqual(invoice?.total, { amount_minor: 800, currency: 'USD' })
    const { body } = await api.get(`/v1/invoices/${invoice?.id}`)
    const lines = body['lines'] as Record<string, unknown>[]
    assert.deepEqual(
      Object.fromEntries(
        lines.map((line) => [line['product'], [line['quantity'], line['service_period'], line['amount']]]),
      ),
      {
        network: ['3', { start: '2026-01-01', end: '2026-02-01' }, { amount_minor: 300, currency: 'USD' }],
        users: ['5', { start: '2026-02-01', end: '2026-03-01' }, { amount_minor: 500, currency: 'USD' }],
      },
    )
  })

  test('its usage shows what was billed and what was not yet', async () => {
    const { body } = await api.get(`/v1/subscriptions/${encodeId('subscription', life.subscriptionId)}/usage`)
    const [line] = body['lines'] as { current: { quantity: string }; windows: { quantity: string }[] }[]
    assert.equal(line?.current.quantity, '1')
    assert.deepEqual(
      line?.windows.map((window) => window.quantity),
      ['3'],
    )
  })

  test('the instance shows the limit that is in force and the command that set it', async () => {
    const { body } = await api.get(`/v1/instances/${encodeId('instance', life.instanceId)}`)
    const [seats, users] = body['limits'] as Record<string, unknown>[]
    assert.deepEqual(
      [users?.['code'], users?.['sold_quantity'], users?.['in_force_quantity']],
      ['users', '5', '5'],
    )
    assert.deepEqual([seats?.['code'], seats?.['used_quantity'], seats?.['reached_at']], ['seats', '1', null])
    const [command] = body['limit_commands'] as { command: string[]; answer: string; read_back: string }[]
    assert.deepEqual([command?.command, command?.answer, command?.read_back], [['set', '5'], 'ok', '5'])
  })
})
