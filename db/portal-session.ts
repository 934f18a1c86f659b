import { sql } from 'kysely'
import { linkExpired } from '#domain/errors.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent, type EventKind } from './event.ts'
import { newId } from './identifier.ts'

/** Of whom somebody is that is signed in to the portal. It is of one customer for as long as it lives. */
export interface PortalSession {
  readonly id: string
  readonly customerId: string
  /** Bound to the session; every form sends it back. */
  readonly formToken: string
}

const idleMinutes = 30
const longestHours = 12
/** Of one customer; whoever signs in beyond that ends the session that was begun first. */
const mostSessions = 10

/** Keeps a link by the digest of its token; that it was made, and by whom, is told in the timeline. */
export async function insertPortalLink(
  tx: Tx,
  link: { customerId: string; tokenSha256: Buffer; actor: string; now: string; expiresAt: string },
): Promise<void> {
  await tx
    .insertInto('portal_links')
    .values({
      id: newId(),
      customer_id: link.customerId,
      token_sha256: link.tokenSha256,
      made_by: link.actor,
      made_at: link.now,
      expires_at: link.expiresAt,
    })
    .execute()
  await tell(tx, 'customer.portal_link_made', { ...link, data: { actor: link.actor } })
}

/** Whether a link can still be opened; to look does not use it up. */
export async function isPortalLinkOpen(db: Db, tokenSha256: Buffer, now: string): Promise<boolean> {
  const row = await db
    .selectFrom('portal_links')
    .select('id')
    .where('token_sha256', '=', tokenSha256)
    .where('opened_at', 'is', null)
    .where('withdrawn_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return row !== undefined
}

/** Uses a link up, and begins the session of its customer: of two who try, one gets it. @throws `link_expired` */
export async function beginPortalSession(
  tx: Tx,
  session: { linkSha256: Buffer; tokenSha256: Buffer; formToken: string; now: string },
): Promise<void> {
  const { now } = session
  const link = await tx
    .updateTable('portal_links')
    .set({ opened_at: now })
    .where('token_sha256', '=', session.linkSha256)
    .where('opened_at', 'is', null)
    .where('withdrawn_at', 'is', null)
    .where('expires_at', '>', now)
    .returning(['id', 'customer_id', 'made_by'])
    .executeTakeFirst()
  if (link === undefined) throw linkExpired()
  const expiresAt = Temporal.Instant.from(now).add({ hours: longestHours }).toString()
  await tx
    .insertInto('portal_sessions')
    .values({
      id: newId(),
      link_id: link.id,
      customer_id: link.customer_id,
      token_sha256: session.tokenSha256,
      form_token: session.formToken,
      begun_at: now,
      last_used_at: now,
      expires_at: expiresAt,
    })
    .execute()
  await endBeyond(tx, link.customer_id, now)
  await tell(tx, 'customer.portal_entered', {
    customerId: link.customer_id,
    now,
    data: { made_by: link.made_by },
  })
}

async function endBeyond(tx: Tx, customerId: string, now: string): Promise<void> {
  await tx
    .updateTable('portal_sessions')
    .set({ ended_at: now, ended_by: 'a newer session' })
    .where('id', 'in', (session) =>
      session
        .selectFrom('portal_sessions')
        .select('id')
        .where('customer_id', '=', customerId)
        .where('ended_at', 'is', null)
        .orderBy('id', 'desc')
        .offset(mostSessions),
    )
    .execute()
}

/** The session that a cookie names, and marks it as used. Undefined once it ended, idled too long or is too old. */
export async function usePortalSession(
  db: Db,
  tokenSha256: Buffer,
  now: string,
): Promise<PortalSession | undefined> {
  const row = await db
    .updateTable('portal_sessions')
    .set({ last_used_at: now })
    .where('token_sha256', '=', tokenSha256)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', now)
    .where('last_used_at', '>', sql<string>`${now}::timestamptz - make_interval(mins => ${idleMinutes})`)
    .returning(['id', 'customer_id', 'form_token'])
    .executeTakeFirst()
  return row && { id: row.id, customerId: row.customer_id, formToken: row.form_token }
}

/** Ended once: who ends it again changes nothing. */
export async function endPortalSession(
  tx: Tx,
  session: { id: string; actor: string; now: string },
): Promise<void> {
  const { id, actor, now } = session
  const ended = await tx
    .updateTable('portal_sessions')
    .set({ ended_at: now, ended_by: actor })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .returning('customer_id')
    .executeTakeFirst()
  if (ended === undefined) return
  await tell(tx, 'customer.portal_left', { customerId: ended.customer_id, now, data: { actor } })
}

/** Ends all sessions of a customer, and takes back the links that nobody has opened. */
export async function closePortal(
  tx: Tx,
  of: { customerId: string; actor: string; now: string },
): Promise<void> {
  const { customerId, actor, now } = of
  await tx
    .updateTable('portal_sessions')
    .set({ ended_at: now, ended_by: actor })
    .where('customer_id', '=', customerId)
    .where('ended_at', 'is', null)
    .execute()
  await tx
    .updateTable('portal_links')
    .set({ withdrawn_at: now })
    .where('customer_id', '=', customerId)
    .where('opened_at', 'is', null)
    .where('withdrawn_at', 'is', null)
    .execute()
  await tell(tx, 'customer.portal_closed', { customerId, now, data: { actor } })
}

async function tell(
  db: Db,
  kind: EventKind,
  of: { customerId: string; now: string; data: Record<string, unknown> },
): Promise<void> {
  await insertEvent(db, { kind, customerId: of.customerId, businessAt: of.now, data: of.data })
}
