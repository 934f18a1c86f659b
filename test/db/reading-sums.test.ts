import assert from 'node:assert/strict'
import fc from 'fast-check'
import { sql } from 'kysely'
import test, { after, before } from 'node:test'
import type { MetricDefinition } from '#domain/application.ts'
import { aggregateUsage, metricAggregations, type MetricRule, type Reading } from '#domain/usage.ts'
import { rollUpReadings } from '#db/reading-retention.ts'
import { insertReadings, type NewReading } from '#db/usage.ts'
import { measureUsages } from '#db/usage-measure.ts'
import { findInstanceId } from '#test/support/instances.ts'
import { createSeller, type Seller } from '#test/support/seller.ts'

let seller: Seller
let subscriptionId = ''
let instanceId = ''
before(async () => {
  seller = await createSeller()
  subscriptionId = await seller.sell({ kit: 'odoo-config-1', now: '2026-01-01T00:00:00Z' })
  instanceId = await findInstanceId(seller.db, subscriptionId)
})
after(async () => seller.drop())

const startMs = Date.parse('2026-01-01T00:00:00Z')
const at = (minute: number) => new Date(startMs + minute * 60_000 + (minute % 7) * 1_001).toISOString()

/** Every way there is to make one of many. */
const rules: readonly MetricRule[] = [
  { kind: 'counter', aggregation: 'sum' },
  { kind: 'counter', aggregation: 'sum', rounding: { mode: 'up', step: '0.5' } },
  ...metricAggregations.map((aggregation): MetricRule => ({ kind: 'gauge', aggregation })),
  ...[0.1, 33.3, 50, 95].map((percent): MetricRule => ({
    kind: 'gauge',
    aggregation: 'percentile',
    percent,
  })),
  { kind: 'gauge', aggregation: 'bucket_max', bucketSeconds: 600 },
]

/** Looks at an instance: at each, some of its series, in their own units, as containers come and go. */
const look = fc.record({
  minute: fc.integer({ min: 0, max: 4_000 }),
  lagMinutes: fc.constantFrom(0, 0, 0, 5),
  isOpening: fc.constantFrom(false, false, false, true),
  values: fc.uniqueArray(
    fc.record({
      series: fc.constantFrom('a', 'b', 'c'),
      value: fc.oneof(
        fc.integer({ min: 0, max: 2 }),
        fc.integer({ min: 0, max: 2 }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
      ),
      unit: fc.constantFrom('second', 'second', 'minute'),
    }),
    { minLength: 1, maxLength: 3, selector: ({ series }) => series },
  ),
})
const story = fc.record({
  looks: fc.uniqueArray(look, { maxLength: 14, size: 'max', selector: ({ minute }) => minute }),
  window: fc.tuple(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 1, max: 2_000 })),
  isLast: fc.boolean(),
  isRolledUp: fc.boolean(),
})
type Story = typeof story extends fc.Arbitrary<infer Value> ? Value : never

let stories = 0

/** What the definition says, and what the database does, rolled up or not. */
async function tell({ looks, ...of }: Story) {
  const metric = `metric-${(stories += 1)}`
  const readings: Reading[] = []
  await seller.db.transaction().execute(async (tx) => {
    for (const { minute, lagMinutes, isOpening, values } of looks) {
      const [readAt, sampledAt] = [at(minute), at(minute + lagMinutes)]
      const read = values.map((one): NewReading => ({ ...one, metric, value: one.value.toFixed(6) }))
      await insertReadings(tx, { instanceId, isOpening, readAt, sampledAt }, read)
      readings.push(...read.map((one) => ({ ...one, isOpening, readAt, sampledAt })))
    }
  })
  if (of.isRolledUp) {
    await rollUpReadings(seller.db, '2026-06-01T00:00:00Z')
    await sql`delete from reading_values`.execute(seller.db)
    await sql`update reading_store set rolled_up_to = '2000-01-01T00:00:00Z'`.execute(seller.db)
  }
  return { metric, readings: readings.toSorted(byTime), ...of }
}

const byTime = (one: Reading, other: Reading) =>
  Date.parse(one.readAt) - Date.parse(other.readAt) ||
  Date.parse(one.sampledAt ?? '') - Date.parse(other.sampledAt ?? '')

test('D-05 D-12 D-13 D-14 the database adds readings up to what the definition says, raw and rolled up', async () => {
  await fc.assert(
    fc.asyncProperty(story, async (told) => {
      const { metric, readings, isLast } = await tell(told)
      const [from, length] = told.window
      const window = { start: at(from), end: at(from + length) }
      const reached = [window.end, ...(isLast ? readings.map(({ readAt }) => readAt) : [])]
      const end = reached.reduce((latest, one) => (Date.parse(one) > Date.parse(latest) ? one : latest))
      for (const rule of rules) {
        const source = { type: 'engine-cpu' }
        const definition: MetricDefinition = { code: metric, title: metric, unit: 'second', source, ...rule }
        const [answer] = await measureUsages(
          seller.db,
          [{ subscriptionId, instanceId, metric, unit: 'hour', window, isLast }],
          { meters: new Map([[instanceId, { isRunning: true, metrics: [definition] }]]) },
        )
        const expected = aggregateUsage(rule, { ...window, end }, { readings, events: [] }, 'hour')
        assert.deepEqual(answer?.usage, expected, JSON.stringify(rule))
      }
    }),
    { numRuns: 15 },
  )
})
