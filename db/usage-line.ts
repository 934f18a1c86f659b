import { sql } from 'kysely'
import type { BilledStretch, EventBounds } from '#domain/usage-event.ts'
import type { UsageCondition } from '#domain/usage-filter.ts'
import type { Db } from './database.ts'
import { billedFrom, billedUntil, eventBounds, servedUntil, usageLines } from './read/usage.ts'
import { holdOffBills } from './subscription-documents.ts'

/** What usage events are placed by: a metered line of their subscription. */
export interface UsageLine {
  readonly metric: string
  readonly unit: string
  readonly usageFilter: readonly UsageCondition[]
  /** Of its test clock; null: the present. */
  readonly nowMs: number | null
  readonly servedUntilMs: number | null
  readonly bounds: EventBounds
  /** Of the days for which it bills. */
  readonly billed: BilledStretch
}

/** One that no bill takes usage of until the transaction ends. */
export interface HeldLine extends UsageLine {
  /** The end of what was billed last; null where nothing was. */
  readonly billedUntilMs: number | null
  /** Its subscription ends, or has ended. */
  readonly hasEnd: boolean
}

/**
 * The metered lines of subscriptions, by subscription, read once their documents are held against bills until the caller's
 * transaction ends. A chunk of usage events asks for a thousand of them: nothing is read that it does not need.
 */
export async function holdUsageLines(
  tx: Db,
  subscriptionIds: readonly string[],
): Promise<Map<string, HeldLine[]>> {
  if (subscriptionIds.length === 0) return new Map()
  await holdOffBills(tx, subscriptionIds)
  const rows = await usageLines(tx, subscriptionIds)
    .select([
      'line.subscription_id',
      'line.metric',
      'line.unit',
      sql<UsageCondition[] | null>`line.terms -> 'usageFilter'`.as('usage_filter'),
      'clock.now_at as clock_now_at',
      servedUntil.as('served_until'),
      billedFrom.as('billed_from'),
      billedUntil.as('billed_to'),
      ...eventBounds,
      sql<boolean>`subscription.ends_on is not null`.as('has_end'),
      sql<string | null>`(select max(upper(frozen.window_period)) from usage_windows frozen
        where frozen.subscription_line_id = line.id and not frozen.is_late)`.as('billed_until'),
    ])
    .execute()
  const held = new Map<string, HeldLine[]>()
  for (const row of rows) {
    const line = { ...toUsageLine(row), billedUntilMs: toMs(row.billed_until), hasEnd: row.has_end }
    const others = held.get(row.subscription_id)
    if (others) others.push(line)
    else held.set(row.subscription_id, [line])
  }
  return held
}

export function toUsageLine(row: {
  readonly metric: string | null
  readonly unit: string
  readonly usage_filter: UsageCondition[] | null
  readonly clock_now_at: string | null
  readonly served_until: string | null
  readonly billed_from: string | null
  readonly billed_to: string | null
  readonly late_days: number
  readonly early_seconds: number
}): UsageLine {
  return {
    metric: row.metric ?? '',
    unit: row.unit,
    usageFilter: row.usage_filter ?? [],
    nowMs: toMs(row.clock_now_at),
    servedUntilMs: toMs(row.served_until),
    bounds: { lateDays: row.late_days, earlySeconds: row.early_seconds },
    billed: { beginsMs: toMs(row.billed_from), endsMs: toMs(row.billed_to) },
  }
}

function toMs(instant: string | null): number | null {
  return instant === null ? null : Date.parse(instant)
}
