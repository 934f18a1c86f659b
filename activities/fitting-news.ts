import type { FittingChange } from '#db/waiting-decision.ts'

/** Told of again after so long, though nothing has changed: what was told may have been lost, or the instance thinks otherwise by now. */
const againMs = 15 * 60_000

/**
 * Which changes that fit are news. The instance itself is asked before one is made, and may disagree with what was measured: at each
 * look it would be asked in vain, and its subscription's history would grow by a dozen events. Kept in memory alone: a process that
 * begins anew tells of all once more.
 */
export function createFittingNews() {
  const told = new Map<
    string,
    { readonly used: string; readonly instanceId: string; readonly atMs: number }
  >()
  return {
    /** @returns the subscriptions to be told, of the instances that were looked at */
    of(instanceIds: readonly string[], fitting: readonly FittingChange[], nowMs: number): string[] {
      const looked = new Set(instanceIds)
      const found = new Set(fitting.map(({ id }) => id))
      for (const [id, { instanceId, atMs }] of told)
        if (nowMs - atMs >= againMs || (looked.has(instanceId) && !found.has(id))) told.delete(id)
      const news = fitting.filter(({ id, used }) => told.get(id)?.used !== used)
      for (const { id, used, instanceId } of news) told.set(id, { used, instanceId, atMs: nowMs })
      return [...new Set(news.map(({ subscriptionId }) => subscriptionId))]
    },
  }
}
