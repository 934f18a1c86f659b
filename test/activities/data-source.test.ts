import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { reachDataSources } from '#activities/data-source.ts'
import { setDataSource } from '#db/data-source.ts'
import type { ApplicationDefinition, MetricDefinition } from '#domain/application.ts'
import type { DataSource } from '#domain/data-source.ts'
import { standIn } from '#test/docker/support.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts'

const installationKey = { id: 'test', bytes: Buffer.alloc(32, 3) }

let database: TestDatabase
before(async () => {
  database = await createTestDatabase()
})
after(async () => database.drop())

async function give(code: string, host: string, password = 'a-password'): Promise<void> {
  const source: DataSource = {
    code,
    kind: 'postgresql',
    host,
    port: 5432,
    database: 'shop',
    username: 'reader',
    hasTls: true,
    certificateAuthority: null,
  }
  await database.db.transaction().execute(async (tx) => {
    const by = { actor: 'test', now: '2026-04-01T09:00:00Z' }
    await setDataSource(tx, installationKey, { ...source, password }, by)
  })
}

function naming(...codes: string[]): ApplicationDefinition {
  const metrics = codes.map((code): MetricDefinition => ({
    code,
    title: code,
    unit: 'piece',
    kind: 'gauge',
    aggregation: 'max',
    source: { type: 'external-sql', data_source: code, query: 'select 1' },
  }))
  return { ...standIn, metrics }
}

const answers: Readonly<Record<string, readonly string[]>> = {
  'public.example.com': ['93.184.216.34', '2606:2800:220:1::1'],
  'inside.example.com': ['10.30.0.5'],
  'mixed.example.com': ['93.184.216.34', '10.30.0.5'],
  'nowhere.example.com': [],
}
const look = async (host: string) =>
  await Promise.resolve((answers[host] ?? []).map((address) => ({ address, family: 4 })))

async function reach(definition: ApplicationDefinition, dataSourceRanges: readonly string[] = []) {
  const { db } = database
  const reached = await reachDataSources({ db, installationKey, dataSourceRanges }, definition, look)
  const entries = [...(reached ?? [])].map(([code, one]) => [
    code,
    one instanceof Error ? one.message : `${one.address} ${one.password}`,
  ])
  return Object.fromEntries(entries) as Record<string, string>
}

test('a data source is connected to at an address that was checked, with its password opened; one that is refused keeps no other', async () => {
  await give('outside', 'public.example.com')
  await give('inside', 'inside.example.com', 'another')
  await give('mixed', 'mixed.example.com')
  await give('nowhere', 'nowhere.example.com')
  await give('cloud', '169.254.169.254')
  await give('own', '127.0.0.1')
  await give('outside', 'public.example.com', 'the-second')
  const all = naming('outside', 'inside', 'mixed', 'nowhere', 'cloud', 'own', 'unknown')
  const reached = await reach(all)
  assert.equal(reached['outside'], '93.184.216.34 the-second')
  for (const code of ['inside', 'mixed', 'cloud', 'own']) assert.match(reached[code] ?? '', /is not asked: /)
  assert.match(reached['nowhere'] ?? '', /has no address/)
  assert.equal(reached['unknown'], undefined)
  const allowed = await reach(all, ['10.30.0.0/16', '127.0.0.0/8'])
  assert.deepEqual(
    [allowed['inside'], allowed['mixed'], allowed['own']],
    ['10.30.0.5 another', '93.184.216.34 a-password', '127.0.0.1 a-password'],
  )
  assert.match(allowed['cloud'] ?? '', /is not asked: 169\.254\.169\.254/)
})

test('where no metric names one, none is opened or looked up', async () => {
  const { db } = database
  const never = async () => await Promise.reject(new Error('looked up'))
  assert.equal(await reachDataSources({ db, installationKey }, { ...standIn, metrics: [] }, never), undefined)
})
