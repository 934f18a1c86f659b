import { sql } from 'kysely'
import type { LogLine, LogRequest } from '#domain/log-line.ts'
import type { Db } from './database.ts'

/** Asks for lines of an instance's logs. What others asked for and never fetched is deleted. */
export async function askForLog(
  db: Db,
  asked: { requestId: string; instanceId: string; request: LogRequest },
): Promise<void> {
  await db
    .deleteFrom('log_excerpts')
    .where('created_at', '<', sql<string>`now() - interval '10 minutes'`)
    .execute()
  await db
    .insertInto('log_excerpts')
    .values({
      request_id: asked.requestId,
      instance_id: asked.instanceId,
      asked: JSON.stringify(asked.request),
      lines: null,
    })
    .execute()
}

/** Undefined where nobody waits for it any more. */
export async function findAskedLog(
  db: Db,
  requestId: string,
): Promise<{ instanceId: string; request: LogRequest } | undefined> {
  const row = await db
    .selectFrom('log_excerpts')
    .select(['instance_id', 'asked'])
    .where('request_id', '=', requestId)
    .executeTakeFirst()
  return row && { instanceId: row.instance_id, request: row.asked }
}

export async function keepLogLines(db: Db, requestId: string, lines: readonly LogLine[]): Promise<void> {
  await db
    .updateTable('log_excerpts')
    .set({ lines: JSON.stringify(lines) })
    .where('request_id', '=', requestId)
    .execute()
}

/** Gives the lines, once: they stay nowhere. */
export async function takeLogLines(db: Db, requestId: string): Promise<readonly LogLine[]> {
  const row = await db
    .deleteFrom('log_excerpts')
    .where('request_id', '=', requestId)
    .returning('lines')
    .executeTakeFirst()
  return row?.lines ?? []
}
