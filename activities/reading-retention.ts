import { cleanUpReadings, type ReadingCleanUp } from '#db/reading-retention.ts'
import type { DatabaseDependencies } from './dependencies.ts'

/** What is kept of readings, and for how long. */
export function createReadingRetentionActivities({ db }: DatabaseDependencies) {
  return {
    /** Each day is a transaction of its own: begun again, it goes on where it was. */
    async cleanUpReadings(): Promise<ReadingCleanUp> {
      return await cleanUpReadings(db, new Date().toISOString())
    },
  }
}
