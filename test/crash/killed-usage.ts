import { openDatabase } from '#db/database.ts'
import { liveOn, openJournal, type MeteredInstance, type StatementPoint } from './usage-life.ts'

/** The argument of this process. */
export interface KilledUsageOrder {
  readonly url: string
  readonly of: MeteredInstance
  readonly journalFile: string
  /** One for each of its lives. */
  readonly points: readonly StatementPoint[]
}

const order: KilledUsageOrder = JSON.parse(process.argv[2] ?? '')
const journal = openJournal(order.journalFile)
const armed = order.points[journal.diedAt().length]
const db = openDatabase(order.url)
await liveOn(db, order.of, journal, (point) => {
  if (point !== armed) return
  journal.write({ diedAt: point })
  process.kill(process.pid, 'SIGKILL')
})
await db.destroy()
