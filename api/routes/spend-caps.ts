import { within, type Db } from '#db/database.ts'
import { setEarlyInvoice } from '#db/early-bill.ts'
import { readPresentCost } from '#db/present-usage.ts'
import { listUsageWarnings } from '#db/read/usage-warning.ts'
import { listSpendCaps, removeSpendCap, setSpendCap } from '#db/spend-cap.ts'
import { getSubscription } from '#db/subscription.ts'
import { spendCapOwners, type SpendCapOwner } from '#domain/spend.ts'
import { z } from '@hono/zod-openapi'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { addressField, idParams } from '../schemas/common.ts'
import {
  earlyInvoiceSchema,
  newSpendCapSchema,
  readCapAmount,
  spendSchema,
  toSpendCap,
  toSpendJson,
} from '../schemas/spend-cap.ts'
import { toUsageWarningJson, usageWarningSchema } from '../schemas/usage-warning.ts'
import { findSubscriptionFilter } from './builds.ts'

/** What usage may cost within a period, what was told of it, and when it is invoiced before the period's end. */
export function registerSpendCaps(frame: Frame): void {
  registerReads(frame)
  for (const setBy of spendCapOwners) registerCap(frame, setBy)
  frame.route(
    {
      method: 'put',
      path: '/v1/subscriptions/{id}/early-invoice',
      permission: 'subscriptions:write',
      tag: 'Usage',
      summary: 'Say at which amount unbilled usage is invoiced before its period ends',
      description:
        'All usage of whole days that is not billed then is; the end of the period bills the rest, and tiers go on counting. Highest and average values, shares of a value and prices with a least or greatest amount wait for the period’s end.',
      params: idParams,
      body: earlyInvoiceSchema,
      result: earlyInvoiceSchema,
    },
    async ({ db, params, body }) => {
      await keepEarlyInvoice(db, await resolveAddress(db, 'subscription', params.id), body)
      return body
    },
  )
}

function registerReads(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/subscriptions/{id}/spend-caps',
      permission: 'spend_caps:read',
      tag: 'Usage',
      summary: 'Read what usage of a subscription costs in this period, and what it may cost',
      params: idParams,
      result: spendSchema,
    },
    async ({ db, params, now }) =>
      await readSpend(db, await resolveAddress(db, 'subscription', params.id), now),
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/usage-warnings',
      permission: 'usage:read',
      tag: 'Usage',
      summary: 'List warnings: of shares of limits, and of what usage costs',
      query: z.strictObject({ ...pageQuery, subscription: addressField.optional() }),
      result: pageOf(usageWarningSchema),
      refusals: ['subscription_unknown'],
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      const subscriptionId = await findSubscriptionFilter(db, query.subscription)
      return toPage(await listUsageWarnings(db, { ...page, subscriptionId }), page, toUsageWarningJson)
    },
  )
}

/** @throws `field_invalid` */
export async function keepEarlyInvoice(
  db: Db,
  id: string,
  { amount }: z.output<typeof earlyInvoiceSchema>,
): Promise<void> {
  const { currency } = await getSubscription(db, id)
  await setEarlyInvoice(db, id, amount === null ? null : readCapAmount(amount, '/amount', currency))
}

/** A customer says it for himself, an operator for anybody: what one says the other does not change. */
function registerCap(frame: Frame, setBy: SpendCapOwner): void {
  const path = `/v1/subscriptions/{id}/spend-caps/${setBy}`
  const permission = setBy === 'customer' ? 'spend_caps:write' : 'subscriptions:write'
  frame.route(
    {
      method: 'put',
      path,
      permission,
      tag: 'Usage',
      summary: `Say what usage may cost a period, for the ${setBy}`,
      description:
        'In place of what was said before. It is looked at at once: a raised cap lets go what it held.',
      params: idParams,
      body: newSpendCapSchema,
      result: spendSchema,
    },
    async ({ db, params, body, principal, now }) => {
      const id = await resolveAddress(db, 'subscription', params.id)
      const { currency } = await getSubscription(db, id)
      const cap = toSpendCap(body, { setBy, currency })
      await within(db, async (tx) => setSpendCap(tx, id, { cap, actor: principal.name, now }))
      return await readSpend(db, id, now)
    },
  )
  frame.route(
    {
      method: 'delete',
      path,
      permission,
      tag: 'Usage',
      summary: `Take the cap of the ${setBy} away`,
      params: idParams,
      result: z.null(),
      status: 204,
    },
    async ({ db, params, principal, now }) => {
      const id = await resolveAddress(db, 'subscription', params.id)
      await within(db, async (tx) => removeSpendCap(tx, id, { setBy, actor: principal.name, now }))
      return null
    },
  )
}

async function readSpend(db: Db, id: string, now: string): Promise<z.input<typeof spendSchema>> {
  const { currency, test_clock_now_at: clockNow } = await getSubscription(db, id)
  const [caps, cost] = await Promise.all([listSpendCaps(db, id), readPresentCost(db, id, clockNow ?? now)])
  return toSpendJson(caps, cost, currency)
}
