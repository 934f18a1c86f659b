import assert from 'node:assert/strict'
import test from 'node:test'
import { findPackageArchive } from '#bin/platform/package-archive.ts'
import { readApplication } from '#docker/applications.ts'
import { isImageReachable } from '#docker/registry.ts'
import { createDockerRunner } from '#docker/runner.ts'
import type { MetricDefinition } from '#domain/application.ts'
import { containerName } from '#domain/build-plan.ts'
import { applicationsFolder, build, context, testInstance } from './support.ts'

// The first run on a machine builds or pulls the image, which is kept.

const builtWithinMs = 9 * 60_000

test('of a PostgreSQL no more connections are had than its limit, its size is read, and its owner cannot lift the limit', async (t) => {
  const isPublic = await isImageReachable(process.env['DOCKER_HOST'], 'postgres:17')
  const code = isPublic ? 'postgresql' : 'postgresql-debian'
  t.diagnostic(`application ${code}`)
  const runner = createDockerRunner({
    applicationsFolder,
    busyboxPath: '',
    packageArchive: await findPackageArchive(),
  })
  const definition = await readApplication(applicationsFolder, code)
  const instance = await testInstance(t, { application: code, name: 'database', hostPort: null })
  const ref = { definition, instance }
  const secrets = { SERVER_PASSWORD: 'server0123456789', CUSTOMER_PASSWORD: 'customer0123456789' }
  const ctx = { ...context(secrets), abortSignal: AbortSignal.timeout(builtWithinMs) }
  await build(runner, ref, ctx)

  const container = containerName(instance, 'database')
  const asCustomer = async (sql: string) => {
    const argv = [
      'psql',
      '--no-psqlrc',
      '--dbname',
      'host=127.0.0.1 user=customer dbname=customer',
      '-Atc',
      sql,
    ]
    const line = 'PGPASSWORD="$CUSTOMER_PASSWORD" exec "$@"'
    return await runner.execute({ container, argv: ['sh', '-c', line, 'sh', ...argv] }, ctx)
  }
  assert.equal((await asCustomer('CREATE TABLE t AS SELECT 1 AS one')).exitCode, 0)

  const { inForce, inUse } = await runner.applyLimit(ref, { code: 'connections', value: 1 }, ctx)
  assert.deepEqual([inForce, inUse], [1, 0])
  const first = asCustomer('SELECT pg_sleep(3)')
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  const second = await asCustomer('SELECT 1')
  assert.match(second.stderr, /too many connections for role "customer"/)
  assert.equal((await first).exitCode, 0)

  const lifted = await asCustomer('ALTER ROLE customer CONNECTION LIMIT 100')
  assert.match(lifted.stderr, /permission denied|must have CREATEROLE/)

  const query = {
    type: 'sql',
    service: 'database',
    engine: 'postgresql',
    user: 'postgres',
    database: 'postgres',
  }
  const asked = (code: string, text: string): MetricDefinition => ({
    code,
    title: code,
    unit: 'piece',
    kind: 'gauge',
    aggregation: 'max',
    source: { ...query, query: text },
  })
  const metrics = [
    ...definition.metrics,
    asked('databases', "select count(*) from pg_database where datname = 'customer'"),
    asked('nothing', 'select 1 where false'),
    asked('writing', 'create table t as select 1'),
  ]
  const { readings, failures } = await runner.readMetrics(
    { ...ref, definition: { ...definition, metrics } },
    ctx,
  )
  assert.equal(readings.find(({ metric }) => metric === 'databases')?.value, '1')
  const told = Object.fromEntries(failures.map(({ metric, detail }) => [metric, detail]))
  assert.deepEqual(Object.keys(told), ['nothing', 'writing'])
  assert.match(told['nothing'] ?? '', /gave no value/)
  assert.match(told['writing'] ?? '', /read-only transaction/)
  const size = readings.find((reading) => reading.metric === 'database_size')
  assert.ok(size !== undefined && Number(size.value) > 0.001, JSON.stringify(readings))
})
