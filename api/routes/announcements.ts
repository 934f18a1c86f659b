import { z } from '@hono/zod-openapi'
import { listAnnouncements } from '#db/read/announcement.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { announcementSchema, toAnnouncementJson } from '../schemas/announcement.ts'
import { addressField } from '../schemas/common.ts'
import { findSubscriptionFilter } from './builds.ts'

export function registerAnnouncements(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/announcements',
      permission: 'subscriptions:read',
      tag: 'Subscriptions',
      summary: 'List what customers are told of changes of their lines',
      description: 'Of the fields that the seller chose in announced_fields; each change of each line once.',
      query: z.strictObject({ ...pageQuery, subscription: addressField.optional() }),
      result: pageOf(announcementSchema),
      refusals: ['subscription_unknown'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const subscriptionId = await findSubscriptionFilter(db, query.subscription)
      return toPage(await listAnnouncements(db, { ...page, subscriptionId }), page, toAnnouncementJson)
    },
  )
}
