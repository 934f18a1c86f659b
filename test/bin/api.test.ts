import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import test, { after, afterEach, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Connection } from '@temporalio/client'
import { loaderFlags } from '#bin/platform/tools.ts'
import { ensureInstallation } from '#bin/installation.ts'
import { freePort } from '#bin/platform/ports.ts'
import { insertCustomer } from '#db/customer.ts'
import { newId } from '#db/identifier.ts'
import { insertProduct } from '#db/product.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'
import { createKey } from '#test/support/api.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'

const temporalAddress = process.env['CLOUDER_TEST_TEMPORAL_ADDRESS'] ?? ''
/** A port on which nothing ever answers. */
const nowhere = '127.0.0.1:1'

let database: TestDatabase
let connection: Connection
let key = ''
before(async () => {
  assert.notEqual(
    temporalAddress,
    '',
    'CLOUDER_TEST_TEMPORAL_ADDRESS is not set: run the tests with npm test',
  )
  database = await createTestDatabase()
  connection = await Connection.connect({ address: temporalAddress })
  await ensureInstallation(database.db, 'dry-run')
  key = await createKey(database.db, ['*'])
  const terms = { currency: 'USD', metric: null, limitCode: null, applicationIds: [] }
  const recurrence = { count: 1, unit: 'month' } as const
  const product = {
    code: 'support',
    name: 'Support',
    unit: 'month',
    basePrice: perUnitPrice('10'),
    recurrence,
    ...terms,
  }
  await insertProduct(database.db, { ...product, billingType: 'flat', billingTiming: 'advance' })
  const customer = { code: 'acme', name: 'Acme', email: null, address: null, currency: 'USD' }
  await insertCustomer(database.db, { ...customer, timeZone: 'UTC', priceListId: null })
})
const running: ChildProcess[] = []
afterEach(async () => {
  for (const child of running.splice(0)) await end(child, 'SIGKILL')
})
after(async () => {
  await connection.close()
  await database.drop()
})

async function start(env: Record<string, string>): Promise<{ child: ChildProcess; url: string }> {
  const port = await freePort()
  const child = spawn(process.execPath, [...loaderFlags, 'bin/api.ts'], {
    env: { ...process.env, CLOUDER_DATABASE_URL: database.url, CLOUDER_PORT: String(port), ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  running.push(child)
  const url = `http://127.0.0.1:${port}`
  while (!(await isLive(url))) {
    assert.equal(child.exitCode, null, 'the API ended before it was live')
    await sleep(50)
  }
  return { child, url }
}

async function isLive(url: string): Promise<boolean> {
  return await fetch(`${url}/livez`).then(
    (response) => response.ok,
    () => false,
  )
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  return child.exitCode
}

async function placeOrder(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/orders`, {
    method: 'POST',
    body: JSON.stringify({ customer: 'acme', lines: [{ product: 'support' }] }),
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'idempotency-key': newId(),
    },
  })
  assert.equal(response.status, 201)
  const [, id = ''] = /(sub_[0-9a-z]{26})/.exec(await response.text()) ?? []
  return id
}

async function countRuns(workflowId: string): Promise<number> {
  const client = new Client({ connection })
  const { count } = await client.workflow.count(`WorkflowId = '${workflowId}'`)
  return count
}

test('without its configuration it names all that is missing, and ends with 2', async () => {
  const child = spawn(process.execPath, [...loaderFlags, 'bin/api.ts'], {
    env: { PATH: process.env['PATH'], CLOUDER_PORT: 'x' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  running.push(child)
  const output = (await child.stderr.toArray()).join('')
  assert.equal(await end(child, 'SIGTERM'), 2)
  for (const name of ['CLOUDER_DATABASE_URL', 'CLOUDER_TEMPORAL_ADDRESS', 'CLOUDER_PORT']) {
    assert.match(output, new RegExp(name))
  }
})

test('killed between the commit and the start, the next process starts the workflow, once', async () => {
  const first = await start({ CLOUDER_TEMPORAL_ADDRESS: nowhere })
  const workflowId = `subscription/${await placeOrder(first.url)}`
  await end(first.child, 'SIGKILL')
  assert.equal(await countRuns(workflowId), 0)
  await Promise.all([1, 2].map(async () => start({ CLOUDER_TEMPORAL_ADDRESS: temporalAddress })))
  const deadline = Date.now() + 60_000
  while ((await countRuns(workflowId)) === 0 && Date.now() < deadline) await sleep(200)
  await sleep(1_500)
  assert.equal(await countRuns(workflowId), 1)
  await new Client({ connection }).workflow.getHandle(workflowId).terminate('the test has seen it')
})

test('told to stop, it ends in order and at once, though a stream is open', async () => {
  const { child, url } = await start({ CLOUDER_TEMPORAL_ADDRESS: temporalAddress })
  const stream = await fetch(`${url}/v1/events/stream`, { headers: { authorization: `Bearer ${key}` } })
  assert.equal(stream.status, 200)
  const startedMs = performance.now()
  assert.equal(await end(child, 'SIGTERM'), 0)
  assert.ok(performance.now() - startedMs < 6_000)
  await stream.body?.cancel().catch(() => {})
})
