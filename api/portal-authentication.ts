import { randomBytes } from 'node:crypto'
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import {
  beginPortalSession,
  endPortalSession,
  usePortalSession,
  type PortalSession,
} from '#db/portal-session.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { hashSecret } from './api-key.ts'
import { isSecure, type Access } from './authentication.ts'

/**
 * The session of a customer that the request's cookie names. It has a cookie of its own: that of an operator is not looked at here,
 * as this one is not looked at by the console and the API.
 * @throws `credentials_ambiguous`, `login_required`
 */
export async function authenticateCustomer(ctx: Context, access: Access): Promise<PortalSession> {
  if (ctx.req.header('authorization') !== undefined) {
    throw new BusinessError('credentials_ambiguous', 'The portal is for people: it takes no key.')
  }
  const token = getCookie(ctx, cookieName(access.publicUrl))
  const session = token && (await usePortalSession(access.db, hashSecret(token), access.now()))
  if (session) return session
  throw new BusinessError('login_required', 'Open the link that you were given, or ask for a new one.')
}

/** Uses a link up and begins a session of its customer: its cookie is on the answer. @throws `link_expired` */
export async function enterPortal(ctx: Context, linkToken: string, access: Access): Promise<void> {
  const token = randomBytes(32).toString('base64url')
  await access.db.transaction().execute(async (tx) => {
    await beginPortalSession(tx, {
      linkSha256: hashSecret(linkToken),
      tokenSha256: hashSecret(token),
      formToken: randomBytes(32).toString('base64url'),
      now: access.now(),
    })
  })
  setCookie(ctx, cookieName(access.publicUrl), token, {
    httpOnly: true,
    sameSite: 'Lax',
    ...scopeOf(access.publicUrl),
  })
}

/** Ends the session and has the browser forget its cookie, and no other: staff may be signed in to the console beside it. */
export async function leavePortal(ctx: Context, session: PortalSession, access: Access): Promise<void> {
  const actor = encodeId('customer', session.customerId)
  await access.db.transaction().execute(async (tx) => {
    await endPortalSession(tx, { id: session.id, actor, now: access.now() })
  })
  deleteCookie(ctx, cookieName(access.publicUrl), scopeOf(access.publicUrl))
}

/** Bound to the host behind HTTPS, which asks for all paths of it; else to the paths of the portal, and by name to the port. */
function cookieName(publicUrl: string): string {
  return isSecure(publicUrl) ? '__Host-clouder-portal' : `clouder_portal_${new URL(publicUrl).port || '80'}`
}

function scopeOf(publicUrl: string): { path: string; secure: boolean } {
  return isSecure(publicUrl) ? { path: '/', secure: true } : { path: '/portal', secure: false }
}
