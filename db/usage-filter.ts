import type { UsageCondition } from '#domain/usage-filter.ts'

/** As `takes_usage` reads what a line takes of its metric; null: everything. */
export function toFilterJson({
  usageFilter = [],
}: {
  readonly usageFilter?: readonly UsageCondition[]
}): string | null {
  return usageFilter.length === 0 ? null : JSON.stringify(usageFilter)
}
