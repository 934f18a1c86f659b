import { watchUsage } from '#db/usage-watch.ts'
import type { DatabaseDependencies } from './dependencies.ts'

/** Caps, warnings and early invoices: what is used is looked at while its period runs. */
export function createUsageWatchActivities({ db }: DatabaseDependencies) {
  return {
    /** All that lives in real time. What lives on a test clock is looked at as the clock moves. */
    async watchUsage(): Promise<void> {
      await watchUsage(db, { testClockId: null }, new Date().toISOString())
    },
  }
}
