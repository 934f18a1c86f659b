import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { sql } from 'kysely'
import { readServer } from '#activities/usage.ts'
import { setDataSource } from '#db/data-source.ts'
import { listMetricStates } from '#db/read/instance.ts'
import { createDryRunRunner } from '#docker/dry-run.ts'
import type { DataSource } from '#domain/data-source.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Runner } from '#domain/runner.ts'
import { dockerRunner } from '#test/docker/support.ts'
import { until } from '#test/support/installation.ts'
import { findInstanceId, moveInstances } from '#test/support/instances.ts'
import { startOwnMysql, type OwnMysql } from '#test/support/own-mysql.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
let mysql: OwnMysql
let instanceId: string
before(async () => {
  mysql = await startOwnMysql()
  seller = await createSeller()
  const subscriptionId = await seller.sell({ kit: 'odoo-config-1', now: new Date().toISOString() })
  instanceId = await findInstanceId(seller.db, subscriptionId)
  await moveInstances(seller.db, subscriptionId, 'building', 'running')
  await sql`update subscriptions set phase = 'active', activated_at = now() where id = ${subscriptionId}`.execute(
    seller.db,
  )
  await declareMetrics()
  await mysql.run(
    "create user reader@'%' identified by 'secret-word'",
    'create table shop.orders (tenant varchar(40), amount decimal(40,10))',
    "insert into shop.orders values ('another', 1000)",
  )
})
after(async () => {
  await mysql.remove()
  await seller.drop()
})

const ctx = { abortSignal: new AbortController().signal, onProgress: () => undefined, secrets: {} }
const installationKey = { id: 'test', bytes: Buffer.alloc(32, 3) }

/** As the version of the application that was sold would have them. */
async function declareMetrics(): Promise<void> {
  const source = { type: 'external-sql', data_source: 'warehouse', parameters: ['instance'] }
  const metrics = JSON.stringify([
    {
      code: 'orders',
      title: 'Orders',
      unit: 'piece',
      kind: 'counter',
      aggregation: 'sum',
      source: { ...source, query: 'select count(*) from orders where tenant = ?' },
    },
    {
      code: 'turnover',
      title: 'Turnover',
      unit: 'piece',
      kind: 'gauge',
      aggregation: 'last',
      source: { ...source, query: 'select sum(amount) from orders where tenant = ?' },
    },
  ])
  await seller.db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx)
    await sql`update application_versions set definition = jsonb_set(definition, '{metrics}', ${metrics}::jsonb)`.execute(
      tx,
    )
  })
}

async function give(password: string, change: Partial<DataSource> = {}): Promise<void> {
  const source: DataSource = {
    code: 'warehouse',
    kind: 'mysql',
    host: '127.0.0.1',
    port: mysql.port,
    database: 'shop',
    username: 'reader',
    hasTls: false,
    certificateAuthority: null,
    ...change,
  }
  const by = { actor: 'test', now: new Date().toISOString() }
  await seller.db
    .transaction()
    .execute(async (tx) => setDataSource(tx, installationKey, { ...source, password }, by))
}

/** One tick of the sampler; what is known of both metrics after it. */
async function tick(dataSourceRanges: readonly string[] = ['127.0.0.0/8']) {
  // What is sold as a limit has nothing to be counted in: no container runs.
  const engine = dockerRunner()
  const runner: Runner = {
    ...createDryRunRunner(),
    readMetrics: async (...asked) => await engine.readMetrics(...asked),
  }
  await readServer({ db: seller.db, runner, installationKey, dataSourceRanges }, seller.serverId, ctx)
  const states = await listMetricStates(seller.db, instanceId)
  return Object.fromEntries(states.map((state) => [state.metric, state]))
}

const add = async (amount: string) =>
  mysql.run(`insert into shop.orders values ('${encodeId('instance', instanceId)}', ${amount})`)

test('D-03 what a query in a MySQL elsewhere counts of an instance is read at each tick, exact, and what fails is told until it is mended', async () => {
  await mysql.run("grant select on shop.* to reader@'%'")
  await give('secret-word')
  const { orders: none, turnover: unknown } = await tick()
  assert.deepEqual([none?.value, none?.failure, unknown?.value], ['0', null, null])
  assert.equal(unknown?.failure_code, 'reading_without_value')

  await add('0.1')
  await add('123456789012345678901234567890.0000000001')
  const counted = await tick()
  assert.equal(counted['orders']?.value, '2')
  assert.equal(counted['turnover']?.value, '123456789012345678901234567890.1000000001')
  assert.equal(counted['turnover']?.failure, null)

  await give('another-word')
  const refused = await tick()
  assert.match(refused['orders']?.failure ?? '', /Access denied for user 'reader'/)
  assert.equal(refused['orders']?.value, '2')
  assert.doesNotMatch(JSON.stringify(refused), /another-word/)

  await give('secret-word', { hasTls: true })
  assert.match((await tick())['orders']?.failure ?? '', /not support secure connection/)

  await give('secret-word')
  const outside = await tick([])
  assert.match(outside['orders']?.failure ?? '', /127\.0\.0\.1 is no public address/)
  assert.equal(outside['orders']?.failure_code, 'data_source_refused')
  assert.equal((await tick())['orders']?.failure, null)

  mysql.kill()
  const gone = await until('the server is gone', async () => (await tick())['orders']?.failure ?? false)
  assert.match(gone, /ECONNREFUSED|closed|ECONNRESET/)
  const { rows } = await sql<{ values: string[] }>`
    select array_agg(distinct read.value::text order by read.value::text) as values
    from reading_series series join reading_values read on read.series_id = series.id
    where series.instance_id = ${instanceId} and series.metric = 'orders'`.execute(seller.db)
  assert.deepEqual(rows[0]?.values, ['0', '2'])
})
