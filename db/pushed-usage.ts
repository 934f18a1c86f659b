import { sql } from 'kysely'
import type { PushedUsage } from '#domain/usage.ts'
import type { Db } from './database.ts'
import { groupByIndex } from './stored-reading.ts'
import { toFilterJson } from './usage-filter.ts'
import type { UsageQuestion } from './usage-measure.ts'

/** After the end of every window. */
export const never = '9999-12-31T00:00:00Z'

/** Pushed in the window of each question, in the order of time. @param withLate also what came after its line had billed it */
export async function readEvents(
  db: Db,
  questions: readonly UsageQuestion[],
  withLate: boolean,
): Promise<ReadonlyMap<number, PushedUsage[]>> {
  const { rows } = await sql<EventRow>`
    select asked.index, event.id, event.quantity, event.unit, event.occurred_at, event.reverses_id
    from unnest(${questions.map((_, index) => index)}::integer[],
      ${questions.map(({ subscriptionId }) => subscriptionId)}::uuid[], ${questions.map(({ metric }) => metric)}::text[],
      ${questions.map(({ window }) => window.start)}::timestamptz[], ${questions.map(untilOf)}::timestamptz[],
      ${questions.map(toFilterJson)}::jsonb[], ${questions.map(({ lineId }) => lineId ?? null)}::uuid[])
      as asked (index, subscription_id, metric, begins, until, usage_filter, line_id)
    join usage_events event on event.subscription_id = asked.subscription_id and event.metric = asked.metric
      and event.occurred_at > asked.begins and event.occurred_at <= asked.until 
      and (${withLate} or not event.is_late or not exists (
        select from late_usage_events late where late.usage_event_id = event.id and late.subscription_line_id = asked.line_id))
      and (asked.usage_filter is null or takes_usage(asked.usage_filter, event.properties))
    order by asked.index, event.occurred_at, event.id`.execute(db)
  return groupByIndex(rows, toPushed)
}

/** What a gauge was pushed to last before its window: it is in force still, whenever it came. */
export async function readEventBefore(
  db: Db,
  gauges: readonly (UsageQuestion & { readonly index: number })[],
): Promise<ReadonlyMap<number, PushedUsage[]>> {
  if (gauges.length === 0) return new Map()
  const { rows } = await sql<EventRow>`
    select asked.index, event.id, event.quantity, event.unit, event.occurred_at, event.reverses_id
    from unnest(${gauges.map(({ index }) => index)}::integer[],
      ${gauges.map(({ subscriptionId }) => subscriptionId)}::uuid[], ${gauges.map(({ metric }) => metric)}::text[],
      ${gauges.map(({ window }) => window.start)}::timestamptz[], ${gauges.map(toFilterJson)}::jsonb[])
      as asked (index, subscription_id, metric, begins, usage_filter)
    cross join lateral (
      select told.id, told.quantity + coalesce(reversal.quantity, 0) as quantity, told.unit, told.occurred_at, told.reverses_id
      from usage_events told left join usage_events reversal on reversal.reverses_id = told.id
      where told.subscription_id = asked.subscription_id and told.metric = asked.metric and told.occurred_at <= asked.begins
        and told.reverses_id is null and told.quantity + reversal.quantity is distinct from 0
        and (asked.usage_filter is null or takes_usage(asked.usage_filter, told.properties))
      order by told.occurred_at desc, told.id desc limit 1
    ) event`.execute(db)
  return groupByIndex(rows, toPushed)
}

interface EventRow {
  readonly index: number
  readonly id: string
  readonly quantity: string
  readonly unit: string
  readonly occurred_at: string
  readonly reverses_id: string | null
}

const toPushed = (row: EventRow): PushedUsage => ({
  id: row.id,
  quantity: row.quantity,
  unit: row.unit,
  occurredAt: row.occurred_at,
  reversesId: row.reverses_id,
})

function untilOf({ isLast, window }: UsageQuestion): string {
  return isLast ? never : window.end
}
