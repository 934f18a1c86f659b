import { sql } from 'kysely'
import type { BusinessError } from '#domain/errors.ts'
import { toStorable } from '#domain/storable-text.ts'
import type { Db } from './database.ts'
import { insertEvent } from './event.ts'
import { closeTasks, openTask } from './task.ts'

/** The longest that is kept of why a message was refused. */
const longestDetail = 1_000
/** What was refused this long ago is over, once a message was taken again. */
const quietMs = 60 * 60_000

/**
 * Keeps that a message was refused: a count by peer, cause and day. The first of a day is an event; an operator has one task, which is
 * told of the first, the tenth, the hundredth and so on. Of nobody who is known, and of who
 * was closed, it is counted only: anybody can send something.
 */
export async function noteRefusal(
  db: Db,
  { peerId: claimed, error, now }: { peerId: string | null; error: BusinessError; now: string },
): Promise<void> {
  // It may say what came, in which anything can be.
  const detail = toStorable(error.message.slice(0, longestDetail))
  await db.transaction().execute(async (tx) => {
    const peer = await tx
      .selectFrom('peers')
      .select(['id', 'name', 'state'])
      .where('id', '=', claimed)
      .executeTakeFirst()
    const peerId = peer?.id ?? null
    const { rows } = await sql<{ count: number }>`
      insert into peer_refusals as refusal (peer_id, code, day, first_at, last_at, detail)
      values (${peerId}, ${error.code}, ${now.slice(0, 10)}, ${now}, ${now}, ${detail})
      on conflict on constraint one_refusal_per_day do update
        set count = refusal.count + 1, last_at = greatest(refusal.last_at, excluded.last_at), detail = excluded.detail
      returning count`.execute(tx)
    const count = rows[0]?.count ?? 1
    if (peer === undefined || peer.state === 'closed' || !Number.isInteger(Math.log10(count))) return
    if (count === 1)
      await insertEvent(tx, {
        kind: 'peer.message_refused',
        data: { peer: peer.name, code: error.code, reason: detail },
      })
    await openTask(tx, {
      kind: 'peer_message_refused',
      subjectKind: 'peer',
      subjectId: peer.id,
      subject: `Messages of the peer ${peer.name ?? ''} are refused`,
      detail: await describeRefusals(tx, peer.id, now),
    })
  })
}

async function describeRefusals(db: Db, peerId: string, now: string): Promise<string> {
  const rows = await db
    .selectFrom('peer_refusals')
    .select(['code', 'count', 'detail'])
    .where('peer_id', '=', peerId)
    .where('day', '=', now.slice(0, 10))
    .orderBy('last_at', 'desc')
    .limit(5)
    .execute()
  const said = rows.map(({ code, count, detail }) => `${code} (${count} today): ${detail}`)
  return `${said.join(' ')} Nothing else was changed. What the peer keeps it sends again by itself.`
}

/** Messages go over: when none was refused for an hour, there is nothing to be done any more. */
export async function endRefusals(db: Db, { peerId, now }: { peerId: string; now: string }): Promise<void> {
  const since = new Date(Date.parse(now) - quietMs).toISOString()
  const open = await db
    .selectFrom('tasks')
    .select('id')
    .where('kind', '=', 'peer_message_refused')
    .where('subject_kind', '=', 'peer')
    .where('subject_id', '=', peerId)
    .where('closed_at', 'is', null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('peer_refusals')
            .select('code')
            .where('peer_id', '=', peerId)
            .where('last_at', '>', since),
        ),
      ),
    )
    .executeTakeFirst()
  if (open === undefined) return
  await closeTasks(db, { kind: 'peer', id: peerId, reason: 'messages are taken again' }, [
    'peer_message_refused',
  ])
}
