import { randomBytes } from 'node:crypto'
import { z } from '@hono/zod-openapi'
import type { Tx } from '#db/database.ts'
import { closePortal, endPortalSession, insertPortalLink } from '#db/portal-session.ts'
import { listPortalSessions } from '#db/read/portal-session.ts'
import { resolveAddress } from '../addressing.ts'
import { hashSecret } from '../api-key.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { openPortal } from '../permission.ts'
import { addressParams, idParams } from '../schemas/common.ts'
import {
  newPortalLinkSchema,
  portalLinkSchema,
  portalSessionSchema,
  toPortalSessionJson,
} from '../schemas/portal-session.ts'
import { nothingSchema } from '../schemas/subscription.ts'

/** Who is let into the portal. No mail is sent yet: who makes a link hands it over. */
export function registerPortalSessions(frame: Frame): void {
  registerPortalLinks(frame)
  frame.route(
    {
      method: 'get',
      path: '/v1/customers/{id}/portal-sessions',
      permission: 'customers:read',
      tag: 'Customers',
      summary: 'List who is, and was, signed in to the portal as a customer',
      params: addressParams,
      query: z.strictObject(pageQuery),
      result: pageOf(portalSessionSchema),
    },
    async ({ db, params, query }) => {
      const customerId = await resolveAddress(db, 'customer', params.id)
      const page = toPageRequest(query)
      return toPage(await listPortalSessions(db, { ...page, customerId }), page, toPortalSessionJson)
    },
  )
  frame.route(
    {
      method: 'post',
      path: '/v1/customers/{id}/close-portal',
      permission: openPortal,
      tag: 'Customers',
      summary: 'End all portal sessions of a customer, and take back its links',
      description: 'Who is signed in is out with the next page. A new link lets somebody in again.',
      params: addressParams,
      body: nothingSchema,
      result: nothingSchema,
    },
    async ({ db, transaction, params, principal, now }) => {
      const customerId = await resolveAddress(db, 'customer', params.id)
      await closePortal(transaction(), { customerId, actor: principal.name, now })
      return {}
    },
  )
  frame.route(
    {
      method: 'delete',
      path: '/v1/portal-sessions/{id}',
      permission: openPortal,
      tag: 'Customers',
      summary: 'End a session of the portal',
      params: idParams,
      result: z.null(),
      status: 204,
    },
    async ({ db, transaction, params, principal, now }) => {
      const id = await resolveAddress(db, 'portalSession', params.id)
      await endPortalSession(transaction(), { id, actor: principal.name, now })
      return null
    },
  )
}

function registerPortalLinks(frame: Frame): void {
  const { deps } = frame
  frame.route(
    {
      method: 'post',
      path: '/v1/customers/{id}/portal-links',
      permission: openPortal,
      tag: 'Customers',
      summary: 'Make a link that lets somebody into the portal as a customer, once',
      description:
        'No mail is sent: the link is in this answer only, for you to hand over. Who made it is recorded, and when it was used.',
      params: addressParams,
      body: newPortalLinkSchema,
      result: portalLinkSchema,
      effect: 'unkept',
      status: 201,
    },
    async ({ db, params, body, principal, now }) => {
      const customerId = await resolveAddress(db, 'customer', params.id)
      const asked = { customerId, minutes: body.expires_in_minutes, actor: principal.name, now }
      const { path, expiresAt } = await db
        .transaction()
        .execute(async (tx) => await makePortalLink(tx, asked))
      return { url: `${deps.publicUrl}${path}`, expires_at: expiresAt }
    },
  )
}

/** A path of ours that lets in, once. Only its digest is kept. */
export async function makePortalLink(
  tx: Tx,
  asked: { customerId: string; minutes: number; actor: string; now: string },
): Promise<{ path: string; expiresAt: string }> {
  const token = randomBytes(32).toString('base64url')
  const expiresAt = new Date(Date.parse(asked.now) + asked.minutes * 60_000).toISOString()
  await insertPortalLink(tx, { ...asked, tokenSha256: hashSecret(token), expiresAt })
  return { path: `/portal/login/${token}`, expiresAt }
}
