import { z } from '@hono/zod-openapi'
import type { PortalSessionRow } from '#db/read/portal-session.ts'
import { encodeId } from '#domain/identifier.ts'

export const portalLinkSchema = z
  .object({
    url: z.string().openapi({ description: 'Shown once, works once.' }),
    expires_at: z.string(),
  })
  .openapi('PortalLink')

/** A link is handed over by people: by telephone at once, by mail within a day. */
export const newPortalLinkSchema = z
  .strictObject({
    expires_in_minutes: z.int().min(1).max(1_440).default(10).openapi({
      description: 'How long it works: 10 minutes, or up to a day for one that is sent by mail.',
    }),
  })
  .openapi('NewPortalLink')

export const portalSessionSchema = z
  .object({
    id: z.string(),
    customer: z.string(),
    link_made_by: z.string().openapi({ description: 'Who made the link that began it.' }),
    begun_at: z.string(),
    last_used_at: z.string(),
    expires_at: z.string().openapi({ description: 'It ends then, or 30 minutes after it was used last.' }),
    ended_at: z.string().nullable(),
    ended_by: z.string().nullable(),
  })
  .openapi('PortalSession')

export function toPortalSessionJson(row: PortalSessionRow): z.input<typeof portalSessionSchema> {
  return {
    id: encodeId('portalSession', row.id),
    customer: encodeId('customer', row.customer_id),
    link_made_by: row.made_by,
    begun_at: row.begun_at,
    last_used_at: row.last_used_at,
    expires_at: row.expires_at,
    ended_at: row.ended_at,
    ended_by: row.ended_by,
  }
}
