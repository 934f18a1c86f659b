import { describeUsageFilter, type UsageCondition } from '#domain/usage-filter.ts'

/** Of what a line bills, where that is not all of its metric. */
export function UsageFilter({ filter }: { filter: readonly UsageCondition[] | null | undefined }) {
  if (filter == null || filter.length === 0) return null
  return <div class="hint">only where {describeUsageFilter(filter)}</div>
}
