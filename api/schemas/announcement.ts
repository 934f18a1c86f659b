import { z } from '@hono/zod-openapi'
import type { AnnouncementRow } from '#db/read/announcement.ts'
import { announcedFields } from '#domain/announcement.ts'
import { encodeId } from '#domain/identifier.ts'

export const announcementSchema = z
  .object({
    id: z.string(),
    customer: z.string(),
    subscription: z.string(),
    line: z.string().openapi({ description: 'The first line of its life.' }),
    field: z.enum(announcedFields),
    old_value: z.string(),
    new_value: z.string(),
    effective_on: z.string(),
    created_at: z.string(),
  })
  .openapi('Announcement')

export function toAnnouncementJson(row: AnnouncementRow): z.input<typeof announcementSchema> {
  return {
    id: encodeId('announcement', row.id),
    customer: encodeId('customer', row.customer_id),
    subscription: encodeId('subscription', row.subscription_id),
    line: encodeId('subscriptionLine', row.first_line_id),
    field: row.field,
    old_value: row.old_value,
    new_value: row.new_value,
    effective_on: row.effective_on,
    created_at: row.created_at,
  }
}
