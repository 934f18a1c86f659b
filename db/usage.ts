import { assert } from '#domain/assert.ts'
import type { UsageQuantity } from '#domain/usage.ts'
import type { Db } from './database.ts'
import { measureUsages, type UsageQuestion } from './usage-measure.ts'

export interface NewReading {
  readonly metric: string
  readonly series: string
  readonly value: string
  readonly unit: string
}

/** Stores what was read of one instance at one moment; the same moment again is the same reading. */
export async function insertReadings(
  db: Db,
  at: { instanceId: string; isOpening: boolean; sampledAt: string; readAt: string },
  readings: readonly NewReading[],
): Promise<number> {
  if (readings.length === 0) return 0
  const rows = readings.map((reading) => ({
    instance_id: at.instanceId,
    metric: reading.metric,
    series: reading.series,
    value: reading.value,
    unit: reading.unit,
    is_opening: at.isOpening,
    read_at: at.readAt,
    sampled_at: at.sampledAt,
  }))
  const results = await db
    .insertInto('readings')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['instance_id', 'metric', 'series', 'sampled_at']).doNothing())
    .returning('id')
    .execute()
  return results.length
}

/** The usage of one line in a window, in the line's unit, from readings and pushed events. */
export async function measureUsage(db: Db, question: UsageQuestion): Promise<UsageQuantity> {
  const [answer] = await measureUsages(db, [question])
  assert(answer, 'every question has an answer')
  return answer.usage
}
