import { randomBytes } from 'node:crypto'
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { Db } from '#db/database.ts'
import { consumeLoginLink, endSession, insertSession, useSession } from '#db/session.ts'
import { BusinessError, linkExpired } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { hashSecret, isSameSecret, readApiKeyId } from './api-key.ts'
import type { KeyLookup } from './key-lookup.ts'
import type { Permission } from './permission.ts'

/** Who asks. `name` is what events and orders record; it is an id, never a person's name. */
export type Principal =
  | {
      readonly kind: 'key'
      readonly name: string
      readonly mode: 'live' | 'test'
      readonly scopes: readonly string[]
    }
  | {
      readonly kind: 'operator'
      readonly name: string
      readonly operatorName: string
      readonly formToken: string
    }

export interface Access {
  readonly db: Db
  readonly publicUrl: string
  readonly now: () => string
}

/**
 * The principal of a request, or undefined if it names none.
 * @throws `key_invalid`, `credentials_ambiguous`
 */
export async function authenticate(
  ctx: Context,
  access: Access & { readonly findKey: KeyLookup },
): Promise<Principal | undefined> {
  const header = ctx.req.header('authorization')
  const cookie = getCookie(ctx, cookieName(access.publicUrl))
  if (header !== undefined && cookie !== undefined) {
    throw new BusinessError('credentials_ambiguous', 'A request carries a cookie or a key, never both.')
  }
  if (header !== undefined) return await authenticateKey(header, access.findKey)
  return cookie === undefined ? undefined : await authenticateSession(cookie, access)
}

async function authenticateKey(header: string, findKey: KeyLookup): Promise<Principal> {
  const refusal = () => new BusinessError('key_invalid', 'The API key is not valid, or no longer.')
  const [, text] = /^Bearer (\S+)$/i.exec(header) ?? []
  const id = text === undefined ? undefined : readApiKeyId(text)
  if (text === undefined || id === undefined) throw refusal()
  const key = await findKey(id)
  if (!key || !isSameSecret(text, key.secretSha256)) throw refusal()
  return { kind: 'key', name: encodeId('apiKey', key.id), mode: key.mode, scopes: key.scopes }
}

async function authenticateSession(token: string, access: Access): Promise<Principal | undefined> {
  const session = await useSession(access.db, hashSecret(token), access.now())
  return (
    session && {
      kind: 'operator',
      name: `operator:${session.operatorId}`,
      operatorName: session.operatorName,
      formToken: session.formToken,
    }
  )
}

/**
 * Lets the principal pass or throws. Operators may do everything; a key what its scopes name.
 * @throws `login_required`, `scope_missing`
 */
export function authorize(principal: Principal | undefined, permission: Permission): void {
  if (permission === 'public') return
  if (!principal) throw new BusinessError('login_required', 'Send an API key, or open a login link.')
  if (permission === 'signed_in' || principal.kind === 'operator') return
  if (!principal.scopes.includes('*') && !principal.scopes.includes(permission)) {
    throw new BusinessError('scope_missing', `The key lacks the scope ${permission}.`)
  }
}

/**
 * A write that a cookie vouches for must come from our own page: the browser says where from, and the page knows the
 * session's form token. A key cannot be sent by another site, so it needs neither.
 * @throws `origin_refused`
 */
export function refuseForeignWrite(
  ctx: Context,
  request: { publicUrl: string; principal: Principal | undefined; formToken: string | undefined },
): void {
  const { principal } = request
  if (principal?.kind === 'operator') refuseForeignForm(ctx, { ...request, session: principal })
}

/** @throws `origin_refused` unless the request comes from a page that was shown to this very session */
export function refuseForeignForm(
  ctx: Context,
  request: { publicUrl: string; session: { readonly formToken: string }; formToken: string | undefined },
): void {
  refuseForeignOrigin(ctx, request.publicUrl)
  if (request.formToken === request.session.formToken) return
  throw new BusinessError('origin_refused', 'The form is not one of this session. Open the page again.')
}

/** @throws `origin_refused` unless the browser says that the request came from our own page */
export function refuseForeignOrigin(ctx: Context, publicUrl: string): void {
  const site = ctx.req.header('sec-fetch-site')
  const origin = ctx.req.header('origin')
  const isOurs = origin === undefined || ownOrigins(publicUrl).includes(origin)
  if ((site === 'same-origin' || (site === undefined && origin !== undefined)) && isOurs) return
  throw new BusinessError('origin_refused', 'The request did not come from a page of this installation.')
}

/** Loopback has two names; a browser says the one that the person typed. */
function ownOrigins(publicUrl: string): string[] {
  const { origin } = new URL(publicUrl)
  return [origin, origin.replace('//127.0.0.1', '//localhost'), origin.replace('//localhost', '//127.0.0.1')]
}

/** Consumes a login link and begins a session: its cookie is on the answer. @throws `link_expired` */
export async function beginSession(ctx: Context, token: string, access: Access): Promise<void> {
  const sessionToken = randomBytes(32).toString('base64url')
  const now = access.now()
  await access.db.transaction().execute(async (tx) => {
    const link = await consumeLoginLink(tx, hashSecret(token), now)
    if (!link) throw linkExpired()
    await insertSession(tx, {
      tokenSha256: hashSecret(sessionToken),
      operatorId: link.operatorId,
      formToken: randomBytes(32).toString('base64url'),
      now,
    })
  })
  setCookie(ctx, cookieName(access.publicUrl), sessionToken, {
    httpOnly: true,
    sameSite: 'Lax',
    path: '/',
    secure: isSecure(access.publicUrl),
  })
}

/** Ends the session of the request and tells the browser to forget it. */
export async function endOwnSession(ctx: Context, access: Access): Promise<void> {
  const token = getCookie(ctx, cookieName(access.publicUrl))
  if (token !== undefined) await endSession(access.db, hashSecret(token), access.now())
  deleteCookie(ctx, cookieName(access.publicUrl), { path: '/', secure: isSecure(access.publicUrl) })
  ctx.header('Clear-Site-Data', '"cookies", "storage"')
}

/**
 * Behind HTTPS the prefix binds the cookie to exactly this host. On loopback without TLS browsers refuse the prefix, and
 * cookies are shared by all ports, so the name holds the port: a parent and a child on one machine stay apart.
 */
function cookieName(publicUrl: string): string {
  return isSecure(publicUrl) ? '__Host-clouder' : `clouder_${new URL(publicUrl).port || '80'}`
}

export function isSecure(publicUrl: string): boolean {
  return publicUrl.startsWith('https:')
}
