import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { BusinessError } from '#domain/errors.ts'
import { toStorable } from '#domain/storable-text.ts'
import { readEventName } from '#domain/usage-event.ts'
import type { Db, Tx } from './database.ts'
import { newIds } from './identifier.ts'

export interface RefusedUsageEvent {
  /** Of the event, or of its content where it has none: sent again it has the same place. */
  readonly name: string
  readonly source: string | null
  readonly eventId: string | null
  /** As it was sent. */
  readonly content: string
  readonly isWhole: boolean
  readonly code: string
  readonly detail: string
  readonly pointer: string | null
}

const longestContentBytes = 8_000
const longestDetail = 1_000
const longestPointer = 500

/**
 * What was refused, as far as it is kept: whoever sent it may have written anything, of any length.
 * @param sent the event, or a text that is none
 */
export function toRefusedUsageEvent(
  sent: { readonly value: unknown } | { readonly text: string },
  refusal: BusinessError,
): RefusedUsageEvent {
  const written = 'text' in sent ? sent.text : textOf(sent.value)
  const text = toStorable(written ?? 'It is nested too deeply to be written.')
  const bytes = Buffer.from(text)
  const isWhole = written !== undefined && bytes.byteLength <= longestContentBytes
  const named = 'text' in sent ? null : readEventName(sent.value)
  return {
    name: named === null ? createHash('sha256').update(bytes).digest('hex') : `${named.source} ${named.id}`,
    source: named?.source ?? null,
    eventId: named?.id ?? null,
    content: isWhole ? text : bytes.subarray(0, longestContentBytes).toString(),
    isWhole,
    ...saidOf(refusal),
  }
}

/** What is nested too deeply can be read, but not be written again: undefined. */
function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** A refusal names what was sent: a unit or a name of any characters. */
export function saidOf({ code, message, fields }: BusinessError) {
  const pointer = fields[0]?.pointer.slice(0, longestPointer)
  return {
    code,
    detail: toStorable(message.slice(0, longestDetail)),
    pointer: pointer === undefined ? null : toStorable(pointer),
  }
}

export const refusedUsageBounds = { keptDays: 30, keptOfASender: 10_000 } as const

/**
 * Keeps what was refused of one sender, each event once however often it is sent. What is older than 30 days, and what is more
 * than ten thousand of a sender, goes: nobody fills the disk with what nobody bills.
 */
export async function keepRefusedUsageEvents(
  db: Db,
  { sender, now }: { readonly sender: string; readonly now: string },
  refused: readonly RefusedUsageEvent[],
): Promise<void> {
  // In one order for all, and each name once: what was said last of it.
  const events = [...new Map(refused.map((event) => [event.name, event])).values()]
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .slice(-refusedUsageBounds.keptOfASender)
  if (events.length === 0) return
  const ids = newIds(events.length)
  const rows = events.map((event, index) => ({ ...event, id: ids[index] }))
  await db.transaction().execute(async (tx) => {
    await sql`
      insert into refused_usage_events as kept (id, sender, name, source, event_id, content, is_whole, code, detail, pointer,
        first_refused_at, refused_at)
      select id, ${sender}, name, source, "eventId", content, "isWhole", code, detail, pointer, ${now}::timestamptz, ${now}::timestamptz
      from json_to_recordset(${JSON.stringify(rows)}::json) as given (id uuid, name text, source text, "eventId" text,
        content text, "isWhole" boolean, code text, detail text, pointer text)
      on conflict (sender, name) do update set content = excluded.content, is_whole = excluded.is_whole, code = excluded.code,
        detail = excluded.detail, pointer = excluded.pointer, refusals = kept.refusals + 1,
        refused_at = greatest(kept.refused_at, excluded.refused_at)`.execute(tx)
    await removeSurplus(tx, { sender, now })
  })
}

/** What another transaction holds it leaves to that one: no two wait for each other. */
async function removeSurplus(
  tx: Tx,
  { sender, now }: { readonly sender: string; readonly now: string },
): Promise<void> {
  const { keptDays, keptOfASender } = refusedUsageBounds
  // As arrays, which are made once: a planner that takes the table for small makes them anew for each row.
  await sql`
    delete from refused_usage_events where id = any(array(
      select id from refused_usage_events where refused_at < ${now}::timestamptz - make_interval(days => ${keptDays})
      for update skip locked))`.execute(tx)
  await sql`
    delete from refused_usage_events where id = any(array(
      select id from refused_usage_events where id = any(array(
        select id from refused_usage_events where sender = ${sender}
        order by refused_at desc, id desc offset ${keptOfASender}))
      for update skip locked))`.execute(tx)
}

export interface RefusedUsageRow extends Omit<RefusedUsageEvent, 'name'> {
  readonly id: string
  readonly refusedMs: number
}

/** Those that wait, the longest untried first, held by whoever sends them again. */
export async function lockRefusedUsageEvents(
  tx: Tx,
  wanted: {
    readonly id?: string
    readonly code?: string
    /** Those that were refused last before it. */
    readonly triedBefore?: string
    readonly limit: number
  },
): Promise<RefusedUsageRow[]> {
  let query = waitingEvents(tx)
    .selectAll('refused')
    .orderBy('refused.refused_at')
    .orderBy('refused.id')
    .limit(wanted.limit)
  if (wanted.id !== undefined) query = query.where('refused.id', '=', wanted.id)
  if (wanted.triedBefore !== undefined) query = query.where('refused.refused_at', '<=', wanted.triedBefore)
  if (wanted.code !== undefined) query = query.where('refused.code', '=', wanted.code)
  const rows = await query.forUpdate('refused').skipLocked().execute()
  return rows.map((row) => ({
    id: row.id,
    source: row.source,
    eventId: row.event_id,
    content: row.content,
    isWhole: row.is_whole,
    code: row.code,
    detail: row.detail,
    pointer: row.pointer,
    refusedMs: Date.parse(row.first_refused_at),
  }))
}

/** What was refused and does not count yet: a sender may have put it right by himself. */
export function waitingEvents(db: Db) {
  return db.selectFrom('refused_usage_events as refused').where(
    sql<boolean>`not exists (select from usage_events counted where counted.source = refused.source
      and counted.event_id = refused.event_id and counted.received_at >= refused.refused_at)`,
  )
}

export async function forgetRefusedUsageEvents(tx: Db, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await tx
    .deleteFrom('refused_usage_events')
    .where('id', '=', sql<string>`any(${ids}::uuid[])`)
    .execute()
}

/** What was said when they were sent again. */
export async function noteRefusedAgain(
  tx: Db,
  now: string,
  refusals: readonly {
    readonly id: string
    readonly code: string
    readonly detail: string
    readonly pointer: string | null
  }[],
): Promise<void> {
  if (refusals.length === 0) return
  await sql`
    update refused_usage_events kept set code = given.code, detail = given.detail, pointer = given.pointer,
      refusals = kept.refusals + 1, refused_at = greatest(kept.refused_at, ${now}::timestamptz)
    from json_to_recordset(${JSON.stringify(refusals)}::json) as given (id uuid, code text, detail text, pointer text)
    where kept.id = given.id`.execute(tx)
}
