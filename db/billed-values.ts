import Big from 'big.js'
import { sql } from 'kysely'
import { convertUnit } from '#domain/unit.ts'
import { netEvents, type PushedUsage } from '#domain/usage.ts'
import type { Db } from './database.ts'
import { eventsOf, findUsageWindow } from './read/usage-window.ts'

/**
 * The single values of which a billed window is made, in its unit, in the order of time. Undefined where it has none: what was read is one
 * sum, and what took back values of another window is no value by itself.
 */
export async function readBilledValues(db: Db, windowId: string): Promise<readonly string[] | undefined> {
  const window = await findUsageWindow(db, windowId)
  if (window === null || window.reading_count > 0) return undefined
  const { rows } = await sql<PushedUsage>`
    select id, quantity, unit, occurred_at as "occurredAt", reverses_id as "reversesId" from (${eventsOf(window)}) as event
    order by occurred_at, id`.execute(db)
  const values = netEvents(rows).map((event) => convertUnit(new Big(event.quantity), event.unit, window.unit))
  return values.some((value) => value.lt(0)) ? undefined : values.map((value) => value.toFixed())
}
