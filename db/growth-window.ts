import { sql } from 'kysely'
import type { InstantWindow } from '#domain/usage.ts'
import type { Db } from './database.ts'
import { never } from './pushed-usage.ts'
import { firstReadFrom } from './stored-reading.ts'
import type { UsageQuestion } from './usage-measure.ts'

/**
 * By index, where the boundary between two windows is not where a counter's growth is parted: a window that was pending when
 * it was billed reaches to the first reading after it, and the next one begins there.
 */
export async function readGrowthWindows(
  db: Db,
  questions: readonly Pick<UsageQuestion, 'instanceId' | 'metric' | 'window'>[],
): Promise<ReadonlyMap<number, InstantWindow>> {
  const metered = questions.flatMap((question, index) =>
    question.instanceId === null ? [] : [{ ...question, index, instanceId: question.instanceId }],
  )
  if (metered.length === 0) return new Map()
  const { rows } = await sql<{ index: number; begins: string; ends: string }>`
    select asked.index, bounds.begins, bounds.ends
    from unnest(${metered.map(({ index }) => index)}::integer[], ${metered.map(({ instanceId }) => instanceId)}::uuid[],
      ${metered.map(({ metric }) => metric)}::text[], ${metered.map(({ window }) => window.start)}::timestamptz[],
      ${metered.map(({ window }) => window.end)}::timestamptz[]) as asked (index, instance_id, metric, begins, ends)
    cross join lateral (
      select coalesce(max(next.read_at) filter (where upper(frozen.window_period) = asked.begins), asked.begins) as begins,
        coalesce(max(next.read_at) filter (where upper(frozen.window_period) = asked.ends), asked.ends) as ends,
        count(*) as pending
      from usage_windows frozen
      join subscription_lines line on line.id = frozen.subscription_line_id and line.instance_id = asked.instance_id
      cross join lateral (
        select coalesce(min(read.read_at), ${never}::timestamptz) as read_at from reading_series series
        cross join lateral (${firstReadFrom(sql`series.id`, sql`upper(frozen.window_period)`)}) read
        where series.instance_id = asked.instance_id and series.metric = asked.metric
      ) next
      where frozen.is_pending and frozen.metric = asked.metric
        and upper(frozen.window_period) in (asked.begins, asked.ends)
    ) bounds
    where bounds.pending > 0`.execute(db)
  return new Map(rows.map((row) => [row.index, { start: row.begins, end: row.ends }]))
}
