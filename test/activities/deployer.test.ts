import assert from 'node:assert/strict'
import test, { after, before, beforeEach } from 'node:test'
import { asyncLocalStorage, type Context } from '@temporalio/activity'
import { createDeployerActivities } from '#activities/deployer.ts'
import { createDeploymentActivities } from '#activities/deployment.ts'
import type { DatabaseDependencies } from '#activities/dependencies.ts'
import { newId } from '#db/identifier.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'
import { createTestApi, seedCatalog, type TestApi } from '#test/support/api.ts'
import { openDoor } from '#test/support/door.ts'
import { insertDeployment } from '#test/support/deployer.ts'
import { installationKey } from '#test/support/workers.ts'

// What another installation, or whatever answers at its address, may say of what it deploys for this one.

type Json = Record<string, unknown>

let api: TestApi
let door: Awaited<ReturnType<typeof openDoor>>
let deployer = ''
let asked: string[] = []
before(async () => {
  api = await createTestApi({ installationKey })
  await seedCatalog(api)
  door = await openDoor()
  const given = { code: 'yard', url: door.url, customer: 'acme', key: 'of-yard' }
  deployer = String((await api.post('/v1/deployers', given)).body['id'])
})
after(async () => {
  await api.close()
  await door.close()
})
beforeEach(async () => {
  await api.db.deleteFrom('deployments').execute()
  asked = []
})

const json = (body: unknown, status = 200) => Response.json(body, { status })
const notFound = () => json({ code: 'not_found', detail: 'There is no such subscription.' }, 404)

/** The other side, whose feed is empty unless it says otherwise. */
function answer(by: (url: URL) => Response | undefined): void {
  door.lead(async (request) => {
    const url = new URL(request.url)
    asked.push(`${request.method} ${url.pathname}`)
    const said = by(url)
    if (said !== undefined) return said
    return url.pathname === '/v1/usage-feed' ? json({ data: [], next: null, resume: 'r' }) : notFound()
  })
}

/** Lines of subscriptions that run there. @returns ids of the deployments, and of what each is there */
async function deployMany(count: number, different: Readonly<Record<string, unknown>> = {}) {
  const line = { product: 'support' }
  await api.post('/v1/orders', { customer: 'acme', lines: Array.from({ length: count }, () => line) })
  const lines = await api.db
    .selectFrom('subscription_lines')
    .select(['id', 'subscription_id'])
    .where((eb) =>
      eb.not(eb.exists(eb.selectFrom('deployments').whereRef('first_line_id', '=', 'subscription_lines.id'))),
    )
    .limit(count)
    .execute()
  assert.equal(lines.length, count)
  const made = lines.map((row) => ({
    ...row,
    deploymentId: newId(),
    there: encodeId('subscription', newId()),
  }))
  for (const { id, subscription_id: subscriptionId, deploymentId, there } of made)
    await insertDeployment(
      api.db,
      { deployerId: decodeId('deployer', deployer), subscriptionId, firstLineId: id },
      { id: deploymentId, subscription_there: there, ...different },
    )
  return made.map(({ deploymentId, there }) => ({
    deploymentId: encodeId('deployment', deploymentId),
    there,
  }))
}

async function deploy(different: Readonly<Record<string, unknown>> = {}) {
  const [made] = await deployMany(1, different)
  assert.ok(made)
  return made
}

const listed = (id: string, different: Json = {}) => ({
  id,
  phase: 'active',
  parked_reason: null,
  address: 'http://127.0.0.1:20000/',
  suspensions: [],
  ...different,
})

function activities() {
  const deps: DatabaseDependencies = {
    db: api.db,
    client: api.temporal.client,
    installationKey,
    consoleUrl: 'http://127.0.0.1:4400',
  }
  return { ...createDeployerActivities(deps), ...createDeploymentActivities(deps) }
}

/** As a worker runs it. */
async function within<T>(act: () => Promise<T>): Promise<T> {
  const context = { cancellationSignal: new AbortController().signal } as Context
  return await asyncLocalStorage.run(context, act)
}

const look = async () => await within(async () => activities().lookAtDeployer({ deployerId: deployer }))

async function deployments() {
  const rows = await api.db.selectFrom('deployments').selectAll().orderBy('id').execute()
  return rows.map((row) => ({ ...row, id: encodeId('deployment', row.id) }))
}

test('how 120 deployments stand is two questions, however many of them have ended here', async () => {
  const made = [...(await deployMany(60)), ...(await deployMany(60))]
  await deploy({ state: 'ended', subscription_there: null })
  const rows = [listed(encodeId('subscription', newId())), ...made.map(({ there }) => listed(there))]
  answer(({ pathname, searchParams }) => {
    if (pathname !== '/v1/subscriptions') return undefined
    assert.deepEqual(
      ['customer', 'billed_elsewhere', 'ended', 'limit'].map((name) => searchParams.get(name)),
      ['acme', 'true', 'false', '100'],
    )
    const from = Number(searchParams.get('after') ?? '0')
    return json({
      data: rows.slice(from, from + 100),
      next_cursor: from + 100 < rows.length ? `${from + 100}` : null,
    })
  })
  const seen = await look()
  assert.deepEqual([seen.isGone, seen.deployments], [false, 120])
  assert.deepEqual(asked.filter((one) => one !== 'GET /v1/usage-feed').length, 2)
  const kept = (await deployments()).filter(({ state }) => state === 'running')
  assert.ok(kept.every((row) => row.seen_at !== null && row.address_there === 'http://127.0.0.1:20000/'))
  await look()
  const again = new Map((await deployments()).map(({ id, seen_at: at }) => [id, at]))
  assert.ok(kept.every((row) => Date.parse(again.get(row.id) ?? '') > Date.parse(row.seen_at ?? '')))
})

test('what is not in the list is looked at by itself; nonsense of one keeps away neither the others nor what was used', async () => {
  const [strange, ended, fine] = [await deploy(), await deploy(), await deploy()]
  answer(({ pathname }) => {
    if (pathname === '/v1/subscriptions')
      return json({
        data: [7, null, listed(strange.there, { phase: { is: 'active' } }), listed(fine.there)],
        next_cursor: null,
      })
    if (pathname === `/v1/subscriptions/${ended.there}`) return json(listed(ended.there, { phase: 'ended' }))
    return undefined
  })
  await assert.rejects(look(), /1 of 3 cannot be looked at/)
  const seen = new Map((await deployments()).map((row) => [row.id, [row.phase_there, row.seen_at === null]]))
  assert.deepEqual(seen.get(fine.deploymentId), ['active', false])
  assert.deepEqual(seen.get(ended.deploymentId), ['ended', false])
  assert.deepEqual(seen.get(strange.deploymentId), ['active', true])
  const row = await api.db.selectFrom('deployers').selectAll().executeTakeFirstOrThrow()
  assert.deepEqual([row.usage_cursor, row.failing_since === null], ['r', false])
})

test('a list that goes round in a circle ends, and says so', async () => {
  await deploy()
  answer(({ pathname }) =>
    pathname === '/v1/subscriptions' ? json({ data: [], next_cursor: 'again' }) : undefined,
  )
  await assert.rejects(look(), /goes round in a circle/)
  assert.equal(asked.filter((one) => one === 'GET /v1/subscriptions').length, 2)
})

test('what a product would be refused for there is told before anybody orders it, and no longer once it would not be', async () => {
  const given = await api.post('/v1/deployers/yard/products', { product: 'setup', product_there: 'wiki' })
  assert.equal(given.status, 200, JSON.stringify(given.body))
  const refusal = async () => {
    await look()
    const { body } = await api.get('/v1/deployers/yard')
    return (body['products'] as Json[]).map((of) => of['refusal'])
  }
  const refused = { code: 'field_required', detail: 'Its title is asked for.' }
  const isPreview = ({ pathname }: URL) => pathname === '/v1/orders/preview'
  answer((url) => (isPreview(url) ? json(refused, 422) : undefined))
  assert.deepEqual(await refusal(), ['Deployer yard refuses. field_required: Its title is asked for.'])
  answer((url) => (isPreview(url) ? new Response('away', { status: 503 }) : undefined))
  await assert.rejects(refusal())
  answer((url) => (isPreview(url) ? json({}) : undefined))
  assert.deepEqual(await refusal(), [null])
  assert.ok(!asked.includes('POST /v1/orders'))
  await api.delete('/v1/deployers/yard/products/setup')
})

test('a refusal of any characters is noted, and told again', async () => {
  await deploy()
  answer(() => json({ code: 'key_revoked', detail: 'The key \0 was \uD800 revoked.' }, 401))
  await assert.rejects(look(), /key_revoked/)
  const row = await api.db.selectFrom('deployers').selectAll().executeTakeFirstOrThrow()
  assert.equal(row.failure, 'Deployer yard refuses. key_revoked: The key \u{FFFD} was \u{FFFD} revoked.')
  answer(() => new Response('\0 is no JSON'))
  await assert.rejects(look(), SyntaxError)
})

test('what runs there and is not known at the address any more is not taken for ended: a person is told', async () => {
  const { deploymentId, there } = await deploy()
  answer(() => undefined)
  await assert.rejects(
    within(async () => activities().endDeployment({ deploymentId })),
    (error) =>
      error instanceof Error && error.message.startsWith(`${there} is not known at ${door.url} any more`),
  )
  assert.deepEqual(
    (await deployments()).map(({ state }) => state),
    ['running'],
  )
})

test('a 404 of whatever else answers there is no answer; one of the other side ends what was never ordered', async () => {
  const { deploymentId } = await deploy({ state: 'planned', subscription_there: null, phase_there: null })
  const end = async () => await within(async () => activities().endDeployment({ deploymentId }))
  answer(() => new Response('<h1>Not found</h1>', { status: 404 }))
  await assert.rejects(end(), /answers 404/)
  assert.deepEqual(
    (await deployments()).map(({ state }) => state),
    ['planned'],
  )
  answer(() => undefined)
  assert.deepEqual(await end(), { detail: 'nothing was ordered there' })
  assert.deepEqual(
    (await deployments()).map(({ state }) => state),
    ['ended'],
  )
})
