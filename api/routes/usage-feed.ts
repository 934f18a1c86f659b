import { readFeedResumption, readUsageFeed } from '#db/read/usage-feed.ts'
import { resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { feedQuery, toFeedMark, toFedEventJson, toFeedPlace, usageFeedSchema } from '../schemas/usage-feed.ts'

/** For whoever bills what is deployed here. */
export function registerUsageFeed(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/usage-feed',
      permission: 'usage:read',
      tag: 'Usage',
      summary: 'Read what was used by what another system bills, as usage events',
      description:
        'Readings and pushed events of a customer’s subscriptions that are billed elsewhere, in the order in which they were recorded. It reaches as far back as readings are kept singly.',
      query: feedQuery,
      result: usageFeedSchema,
      refusals: ['customer_unknown'],
    },
    async ({ db, query, now }) => {
      const customerId = await resolveField(db, {
        kind: 'customer',
        text: query.customer,
        pointer: '?customer',
        unknown: 'customer_unknown',
      })
      // Before the page: what is recorded meanwhile is read by the next look.
      const resume = await readFeedResumption(db, customerId, now)
      const rows = await readUsageFeed(db, {
        customerId,
        after: toFeedPlace(query.after),
        limit: query.limit + 1,
      })
      const page = rows.slice(0, query.limit)
      const last = rows.length > query.limit ? page.at(-1) : undefined
      return {
        data: page.map(toFedEventJson),
        next: last === undefined ? null : toFeedMark({ at: last.recorded_at, name: last.name }),
        resume: toFeedMark({ at: new Date(resume).toISOString(), name: '' }),
      }
    },
  )
}
