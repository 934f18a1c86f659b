import { sql } from 'kysely'
import type { Db, Tx } from './database.ts'
import { isReadFrom } from './stored-reading.ts'

/** Windows that are billed without what could not be read of them. */
export async function noteUnsettled(tx: Tx, windowIds: readonly string[]): Promise<void> {
  if (windowIds.length === 0) return
  await sql`insert into unsettled_windows (usage_window_id, reason)
    select window_id, 'pending' from unnest(${windowIds}::uuid[]) as given (window_id)`.execute(tx)
}

/**
 * Before windows are measured anew: what is noted of them from now on waits until the caller's transaction ends. A reading that was
 * stored before is measured; one that comes after notes its window again, once this bill has settled it.
 */
export async function claimWindows(tx: Db, windowIds: readonly string[]): Promise<void> {
  if (windowIds.length === 0) return
  await sql`
    update unsettled_windows set measured_by = pg_current_xact_id() where usage_window_id in (
      select usage_window_id from unsettled_windows where usage_window_id = any(${windowIds}::uuid[])
      order by usage_window_id for update)`.execute(tx)
}

/** What was claimed and measured anew is settled, but for what could still not be read. What was noted without being claimed stays. */
export async function settleWindows(db: Db, windowIds: readonly string[]): Promise<void> {
  if (windowIds.length === 0) return
  await sql`
    delete from unsettled_windows unsettled
    using usage_windows frozen join subscription_lines line on line.id = frozen.subscription_line_id
    where unsettled.usage_window_id = any(${windowIds}::uuid[]) and frozen.id = unsettled.usage_window_id
      and unsettled.measured_by = pg_current_xact_id()
      and (not frozen.is_pending or exists (select from reading_series series
        cross join lateral (${isReadFrom(sql`series.id`, sql`upper(frozen.window_period)`)}) read
        where series.instance_id = line.instance_id and series.metric = frozen.metric))`.execute(db)
}

/** The windows that these late ones are of. */
export async function settleLateWindows(
  tx: Tx,
  late: readonly { readonly subscription_line_id: string; readonly window_period: string }[],
): Promise<void> {
  if (late.length === 0) return
  const { rows } = await sql<{ id: string }>`
    select frozen.id from usage_windows frozen
    join unnest(${late.map((row) => row.subscription_line_id)}::uuid[], ${late.map((row) => row.window_period)}::tstzrange[])
      as late (subscription_line_id, window_period) using (subscription_line_id, window_period)
    where not frozen.is_late`.execute(tx)
  await settleWindows(
    tx,
    rows.map(({ id }) => id),
  )
}
