import { sql } from 'kysely'
import { encodeId } from '#domain/identifier.ts'
import type { ServerDescription } from '#domain/runner.ts'
import { sayUnreachable, type UnreachableCause } from '#domain/server.ts'
import { within, type Db, type Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { closeTasks, openTask } from './task.ts'

/** Notes that a server's engine answered, and what it said of itself. One that was out of reach is back: its task is closed. */
export async function noteSeen(db: Db, serverId: string, facts: ServerDescription): Promise<void> {
  await within(db, async (tx) => {
    const before = await lockServer(tx, serverId)
    await tx
      .updateTable('servers')
      .set({
        last_seen_at: sql<string>`now()`,
        checked_at: sql<string>`now()`,
        facts: { ...facts },
        failure_cause: null,
        failure_detail: null,
        unreachable_since: null,
      })
      .where('id', '=', serverId)
      .execute()
    if (before.unreachable_since === null) return
    await insertEvent(tx, { kind: 'server.reachable', data: { server: before.code } })
    const subject = { kind: 'server', id: serverId, reason: 'its engine answers again' } as const
    await closeTasks(tx, subject, ['server_unreachable'])
  })
}

/** Notes that the sampler went over all instances of a server. */
export async function noteSampled(db: Db, serverId: string): Promise<void> {
  await db
    .updateTable('servers')
    .set({ sampled_at: sql<string>`now()` })
    .where('id', '=', serverId)
    .execute()
}

/** Notes that a server's engine did not answer, and why. It is told of once it was silent for long enough: `noteSilentServers`. */
export async function noteFailure(
  db: Db,
  serverId: string,
  failure: { cause: UnreachableCause; detail: string },
): Promise<void> {
  await db
    .updateTable('servers')
    .set({
      checked_at: sql<string>`now()`,
      failure_cause: failure.cause,
      failure_detail: failure.detail.slice(0, 500),
    })
    .where('id', '=', serverId)
    .execute()
}

/**
 * Tells, once, of each server that nobody has seen for as long as the installation allows: an event and one task. What waits on
 * its queue goes on waiting. By the database's clock, so that the clocks of hosts need not agree.
 * @returns public ids of those that were told of now
 */
export async function noteSilentServers(db: Db): Promise<string[]> {
  return await within(db, async (tx) => {
    // Locked in the order in which orders lock them, so that neither waits for the other for ever.
    const silent = await tx
      .selectFrom('servers')
      .select(['id', 'code', 'last_seen_at', 'failure_cause', 'failure_detail'])
      .where('resource_kind', '=', 'infrastructure')
      .where('removed_at', 'is', null)
      .where('unreachable_since', 'is', null)
      .where(isSilent)
      .orderBy('id')
      .forNoKeyUpdate()
      .execute()
    for (const server of silent) {
      await tx
        .updateTable('servers')
        .set({ unreachable_since: sql<string>`now()` })
        .where('id', '=', server.id)
        .execute()
      await tellSilence(tx, server)
    }
    return silent.map(({ id }) => encodeId('server', id))
  })
}

/** One that was never seen is out of reach only when it was asked in vain: else it is just expected. */
const isSilent = sql<boolean>`
  coalesce(last_seen_at, case when failure_cause is not null then coalesce(engine_set_at, created_at) end)
    < now() - (select server_silence_seconds from installation) * interval '1 second'`

interface SilentServer {
  readonly id: string
  readonly code: string
  readonly last_seen_at: string | null
  readonly failure_cause: UnreachableCause | null
  readonly failure_detail: string | null
}

async function tellSilence(tx: Tx, server: SilentServer): Promise<void> {
  const cause = sayUnreachable(server.failure_cause ?? 'worker_silent', server.failure_detail ?? '')
  const seen =
    server.last_seen_at === null ? 'It was never seen.' : `It was last seen at ${server.last_seen_at}.`
  await insertEvent(tx, { kind: 'server.unreachable', data: { server: server.code, detail: cause } })
  await openTask(tx, {
    kind: 'server_unreachable',
    subjectKind: 'server',
    subjectId: server.id,
    subject: `Server ${server.code} is out of reach`,
    detail: `${cause} ${seen} What is to be done there waits and goes on by itself; other servers go on.`,
  })
}

async function lockServer(tx: Tx, serverId: string) {
  return await tx
    .selectFrom('servers')
    .select(['code', 'unreachable_since'])
    .where('id', '=', serverId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow()
}
