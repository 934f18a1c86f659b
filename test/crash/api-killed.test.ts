import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import test, { after, afterEach, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { loaderFlags } from '#bin/platform/tools.ts'
import { freePort } from '#bin/platform/ports.ts'
import { newId } from '#db/identifier.ts'
import {
  listObjects,
  startInstallation,
  until,
  type Json,
  type TestInstallation,
} from '#test/support/installation.ts'
import { openTemporalGate, type GateMode } from './temporal-gate.ts'

const promisedMs = 60_000

let installation: TestInstallation
const apis = new Set<ChildProcess>()

before(async () => {
  installation = await startInstallation()
})
afterEach(async () => {
  for (const api of apis) await kill(api)
})
after(async () => await installation.stop())

async function startApi(temporalAddress: string): Promise<{ api: ChildProcess; url: string }> {
  const port = await freePort()
  const api = spawn(process.execPath, [...loaderFlags, 'bin/api.ts'], {
    env: {
      ...process.env,
      CLOUDER_DATABASE_URL: installation.databaseUrl,
      CLOUDER_TEMPORAL_ADDRESS: temporalAddress,
      CLOUDER_PORT: String(port),
      CLOUDER_LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  apis.add(api)
  const url = `http://127.0.0.1:${port}`
  await until('the API is live', async () => {
    assert.equal(api.exitCode, null, 'the API ended before it was live')
    const response = await fetch(`${url}/livez`).catch(() => undefined)
    return response?.ok
  })
  return { api, url }
}

async function kill(api: ChildProcess): Promise<void> {
  apis.delete(api)
  if (api.exitCode !== null || api.signalCode !== null) return
  api.kill('SIGKILL')
  await once(api, 'exit')
}

async function order(url: string, idempotencyKey: string): Promise<{ status: number; body: Json }> {
  const response = await fetch(`${url}/v1/orders`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${installation.key}`,
      'content-type': 'application/json',
      'idempotency-key': idempotencyKey,
    },
    body: JSON.stringify({ customer: 'harbour-bakery', lines: [{ product: 'static-site', quantity: '1' }] }),
  })
  return { status: response.status, body: (await response.json()) as Json }
}

function subscriptionOf(order: Json): string {
  const [subscription] = order['subscriptions'] as Json[]
  return String(subscription?.['id'])
}

async function outboxRow(subscription: string) {
  return await installation.db
    .selectFrom('outbox')
    .select(['attempts', 'done_at'])
    .where('key', '=', `subscription/${subscription}`)
    .executeTakeFirstOrThrow()
}

async function isStarted(subscription: string): Promise<boolean> {
  const handle = installation.client.workflow.getHandle(`subscription/${subscription}`)
  return await handle.describe().then(
    () => true,
    () => false,
  )
}

/** Every execution Temporal ever had under the id. */
async function executionsOf(subscription: string): Promise<string[]> {
  const query = `WorkflowId = 'subscription/${subscription}'`
  const executions = await Array.fromAsync(installation.client.workflow.list({ query }))
  return executions.map((execution) => execution.runId)
}

/** Ordered through an API that hears nothing from Temporal, killed in that moment; then the next one, and the same request again. */
async function killBetweenCommitAndStart(mode: GateMode): Promise<void> {
  const gate = await openTemporalGate(installation.temporalAddress, mode)
  const key = newId()
  const dying = await startApi(gate.address)
  const first = await order(dying.url, key)
  assert.equal(first.status, 201)
  const subscription = subscriptionOf(first.body)
  await until('the start is under way', async () => (await outboxRow(subscription)).attempts === 1)
  if (mode === 'deaf') await until('Temporal has the workflow', async () => await isStarted(subscription))
  await kill(dying.api)
  await gate.close()
  assert.equal((await outboxRow(subscription)).done_at, null)
  assert.equal(await isStarted(subscription), mode === 'deaf')

  const { url } = await startApi(installation.temporalAddress)
  const again = await order(url, key)
  assert.deepEqual(again, first)
  await until(
    'the relay has started it',
    async () => (await outboxRow(subscription)).done_at !== null,
    promisedMs,
  )
  await until(`${subscription} is active`, async () => (await phaseOf(subscription)) === 'active')
  assert.deepEqual(await order(url, key), first)
  // Longer than the relay's round: a second start would be seen now.
  await sleep(2_000)
  assert.equal((await executionsOf(subscription)).length, 1)
}

async function phaseOf(subscription: string): Promise<unknown> {
  const { body } = await installation.call('GET', `/v1/subscriptions/${subscription}`)
  return body['phase']
}

test('an order whose API is killed after its commit and before its start is started by the next API, once', async () => {
  await killBetweenCommitAndStart('silent')
  assert.equal((await listObjects(installation.installationId)).containers.length, 1)
})

test('an order whose API is killed after Temporal took its start and before its row says so is not started again', async () => {
  await killBetweenCommitAndStart('deaf')
  assert.equal((await listObjects(installation.installationId)).containers.length, 2)
  const orders = await installation.db.selectFrom('orders').select('id').execute()
  assert.equal(orders.length, 2)
})

test('an order whose API is killed after it was accepted and before its workflow is told is built all the same', async () => {
  const product = {
    code: 'site-on-acceptance',
    name: 'Site',
    billing_type: 'flat',
    billing_timing: 'advance',
    unit: 'month',
    currency: 'USD',
    base_price: '3',
    recurrence: { count: 1, unit: 'month' },
    applications: ['static-site'],
    terms: { build_trigger: 'acceptance' },
  }
  assert.equal((await installation.call('POST', '/v1/products', product)).status, 201)
  const lines = [{ product: product.code }]
  const placed = await installation.call('POST', '/v1/orders', { customer: 'harbour-bakery', lines })
  const subscription = subscriptionOf(placed.body)
  await until('its workflow is there', async () => await isStarted(subscription))

  const gate = await openTemporalGate(installation.temporalAddress, 'silent')
  const dying = await startApi(gate.address)
  const accepted = await fetch(`${dying.url}/v1/orders/${String(placed.body['id'])}/accept`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${installation.key}`,
      'content-type': 'application/json',
      'idempotency-key': newId(),
    },
    body: '{}',
  })
  assert.equal(accepted.status, 200)
  const told = async () =>
    await installation.db
      .selectFrom('outbox')
      .select(['attempts', 'done_at'])
      .where('kind', '=', 'signal_workflow')
      .executeTakeFirstOrThrow()
  await until('the telling is under way', async () => (await told()).attempts === 1)
  await kill(dying.api)
  await gate.close()
  assert.deepEqual([(await told()).done_at, await phaseOf(subscription)], [null, 'ordered'])

  await startApi(installation.temporalAddress)
  await until(`${subscription} is active`, async () => (await phaseOf(subscription)) === 'active')
  assert.notEqual((await told()).done_at, null)
})
