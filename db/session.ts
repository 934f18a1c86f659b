import { sql } from 'kysely'
import type { Db } from './database.ts'

export interface Session {
  readonly operatorId: string
  readonly operatorName: string
  /** Bound to the session; every form sends it back. */
  readonly formToken: string
}

const idleMinutes = 30
const longestHours = 12

/** Takes a login link, once: of two that try, one gets the operator and the other nothing. */
export async function consumeLoginLink(
  db: Db,
  tokenSha256: Buffer,
  now: string,
): Promise<{ operatorId: string } | undefined> {
  const row = await db
    .updateTable('login_links')
    .set({ consumed_at: now })
    .where('token_sha256', '=', tokenSha256)
    .where('consumed_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('operator_id')
    .executeTakeFirst()
  return row && { operatorId: row.operator_id }
}

export async function isLoginLinkOpen(db: Db, tokenSha256: Buffer, now: string): Promise<boolean> {
  const row = await db
    .selectFrom('login_links')
    .select('operator_id')
    .where('token_sha256', '=', tokenSha256)
    .where('consumed_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return row !== undefined
}

export async function insertLoginLink(
  db: Db,
  link: { tokenSha256: Buffer; operatorId: string; expiresAt: string },
): Promise<void> {
  await db
    .insertInto('login_links')
    .values({
      token_sha256: link.tokenSha256,
      operator_id: link.operatorId,
      expires_at: link.expiresAt,
      consumed_at: null,
    })
    .execute()
}

export async function insertSession(
  db: Db,
  session: { tokenSha256: Buffer; operatorId: string; formToken: string; now: string },
): Promise<void> {
  const expiresAt = Temporal.Instant.from(session.now).add({ hours: longestHours }).toString()
  await db
    .insertInto('sessions')
    .values({
      token_sha256: session.tokenSha256,
      operator_id: session.operatorId,
      form_token: session.formToken,
      expires_at: expiresAt,
      last_used_at: session.now,
      ended_at: null,
    })
    .execute()
}

/** The session that a cookie names, and marks it as used. Undefined once it ended, idled too long or is too old. */
export async function useSession(db: Db, tokenSha256: Buffer, now: string): Promise<Session | undefined> {
  const row = await db
    .updateTable('sessions as session')
    .from('operators as operator')
    .whereRef('operator.id', '=', 'session.operator_id')
    .set({ last_used_at: now })
    .where('session.token_sha256', '=', tokenSha256)
    .where('session.ended_at', 'is', null)
    .where('session.expires_at', '>', now)
    .where(
      'session.last_used_at',
      '>',
      sql<string>`${now}::timestamptz - make_interval(mins => ${idleMinutes})`,
    )
    .returning(['session.operator_id', 'operator.name', 'session.form_token'])
    .executeTakeFirst()
  return row && { operatorId: row.operator_id, operatorName: row.name, formToken: row.form_token }
}

export async function endSession(db: Db, tokenSha256: Buffer, now: string): Promise<void> {
  await db.updateTable('sessions').set({ ended_at: now }).where('token_sha256', '=', tokenSha256).execute()
}
