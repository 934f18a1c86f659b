import type { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { setExternalId } from '#db/external-id.ts'
import { changeDraft, confirmDraft, insertDraft, type DraftChange } from '#db/quote.ts'
import { getOrder } from '#db/read/order.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { dispatchOutbox } from '../relay.ts'
import { idParams } from '../schemas/common.ts'
import {
  confirmationSchema,
  draftChangeSchema,
  newDraftSchema,
  orderSchema,
  toAskedStart,
  toOrderJson,
} from '../schemas/order.ts'
import {
  orderRefusals,
  toAcceptance,
  toAgreedTotals,
  toAskedEnvironment,
  toOrderLines,
  toOrderRequest,
} from './orders.ts'

/** Orders that are quotes: nothing is sold until they are confirmed. */
export function registerDrafts(frame: Frame): void {
  registerNewDraft(frame)
  registerDraftChange(frame)
  registerConfirmation(frame)
}

function registerNewDraft(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/orders/drafts',
      permission: 'orders:write',
      tag: 'Orders',
      summary: 'Draft an order, as a quote with an end date',
      description:
        'Nothing is sold or counted until it is confirmed. Names that it chose for an environment are held until it expires, in the shop for some minutes.',
      body: newDraftSchema,
      result: orderSchema,
      status: 201,
      location: (order) => `/v1/orders/${order.id}`,
      refusals: orderRefusals,
    },
    async ({ db, transaction, body, principal, now }) => {
      const { expires_on: expiresOn, ...order } = body
      const request = await toOrderRequest(db, order, {
        actor: principal.name,
        now,
        installationKey: frame.deps.installationKey,
      })
      const id = await insertDraft(transaction(), request, expiresOn)
      return toOrderJson(await getOrder(db, id), now)
    },
  )
}

function registerDraftChange(frame: Frame): void {
  frame.route(
    {
      method: 'patch',
      path: '/v1/orders/{id}',
      permission: 'orders:write',
      tag: 'Orders',
      summary: 'Change a draft, or the external id of any order',
      description: 'What is left out stays. A draft is quoted anew, at the prices of today.',
      params: idParams,
      body: draftChangeSchema,
      result: orderSchema,
      refusals: [...orderRefusals, 'order_not_draft', 'quote_expired'],
    },
    async ({ db, transaction, params, body, now }) => {
      const id = await resolveAddress(db, 'order', params.id)
      const { external_id: externalId, ...draft } = body
      await setExternalId(db, 'order', { id, externalId })
      if (externalId === undefined || Object.keys(draft).length > 0)
        await changeDraft(transaction(), id, await toDraftChange(db, draft), {
          now,
          installationKey: frame.deps.installationKey,
        })
      return toOrderJson(await getOrder(db, id), now)
    },
  )
}

function registerConfirmation(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/orders/{id}/confirm',
      permission: 'orders:write',
      tag: 'Orders',
      summary: 'Confirm a draft',
      description:
        'It is sold as if it were ordered now, and refused where that is another amount than was quoted, or than is agreed.',
      params: idParams,
      body: confirmationSchema,
      result: orderSchema,
      refusals: [...orderRefusals, 'order_not_draft', 'price_changed', 'quote_expired', 'terms_not_accepted'],
    },
    async ({ db, transaction, params, body, principal, now, afterCommit }) => {
      const id = await resolveAddress(db, 'order', params.id)
      const agreed = toAgreedTotals(body.agreed)
      const accepted = toAcceptance(body.accepted_terms, principal.name)
      await confirmDraft(transaction(), id, {
        actor: principal.name,
        now,
        agreed,
        accepted,
        installationKey: frame.deps.installationKey,
      })
      afterCommit(async () => void (await dispatchOutbox(frame.deps)))
      return toOrderJson(await getOrder(db, id), now)
    },
  )
}

async function toDraftChange(
  db: Db,
  body: Omit<z.output<typeof draftChangeSchema>, 'external_id'>,
): Promise<DraftChange> {
  return {
    ...(body.lines === undefined ? {} : { lines: await toOrderLines(db, body.lines) }),
    ...(body.starts === undefined ? {} : { starts: toAskedStart(body.starts) }),
    ...(body.purchase_order_reference === undefined
      ? {}
      : { purchaseOrderReference: body.purchase_order_reference }),
    ...(body.discount_code === undefined ? {} : { discountCode: body.discount_code }),
    ...(body.least_amount === undefined ? {} : { leastAmount: body.least_amount }),
    ...(body.greatest_amount === undefined ? {} : { greatestAmount: body.greatest_amount }),
    ...(body.has_own_anchor === undefined ? {} : { hasOwnAnchor: body.has_own_anchor }),
    ...(body.environment === undefined
      ? {}
      : { environment: await toAskedEnvironment(db, body.environment) }),
    ...(body.expires_on === undefined ? {} : { expiresOn: body.expires_on }),
  }
}
