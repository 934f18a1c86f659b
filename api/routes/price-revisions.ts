import { z } from '@hono/zod-openapi'
import type { Db } from '#db/database.ts'
import { applyRevision, planRevision, type RevisionRequest } from '#db/price-revision.ts'
import { lineFormulaNames } from '#domain/invoice/rated-line.ts'
import { assert } from '#domain/assert.ts'
import { resolveField } from '../addressing.ts'
import type { Call, Frame } from '../frame.ts'
import { readPrice } from '../schemas/price.ts'
import {
  newPriceRevisionSchema,
  priceRevisionSchema,
  toPriceRevisionJson,
} from '../schemas/price-revision.ts'

const revisionQuery = z.strictObject({
  dry_run: z
    .stringbool()
    .default(false)
    .openapi({ type: 'boolean', description: 'Lists what would be revised, and saves nothing.' }),
})

type Body = z.output<typeof newPriceRevisionSchema>

/** New prices for what is sold already: each line ends, and its successor has the new price. */
export function registerPriceRevisions(frame: Frame): void {
  frame.route(
    {
      method: 'post',
      path: '/v1/price-revisions',
      permission: 'subscriptions:write',
      tag: 'Subscriptions',
      summary: 'Revise the prices of what is sold, from a day on',
      description:
        'By a percentage or to a price; of all, of one product, or of chosen subscriptions. Lines whose terms say ' +
        '`is_never_revised` are passed by. With `?dry_run=1` the answer lists every line with its old and its new price, ' +
        'and nothing is saved.',
      query: revisionQuery,
      body: newPriceRevisionSchema,
      result: priceRevisionSchema,
      refusals: [
        'date_range_invalid',
        'price_negative',
        'product_unknown',
        'subscription_unknown',
        'tiers_invalid',
      ],
    },
    async (call) => {
      const request = await toRequest(call)
      const tx = call.transaction()
      const prices = await planRevision(tx, request)
      const isDryRun = call.query.dry_run
      if (!isDryRun) await applyRevision(tx, request, prices)
      return toPriceRevisionJson(prices, { startsOn: request.startsOn, isDryRun })
    },
  )
}

async function toRequest(call: Call<unknown, unknown, Body>): Promise<RevisionRequest> {
  const { body, db } = call
  return {
    revision: toRevision(body),
    startsOn: body.starts_on,
    productId:
      body.product === undefined
        ? null
        : await resolveField(db, {
            kind: 'product',
            text: body.product,
            pointer: '/product',
            unknown: 'product_unknown',
          }),
    subscriptionIds: body.subscriptions === undefined ? null : await resolveAll(db, body.subscriptions),
    requestId: call.commandId,
    actor: call.principal.name,
    now: call.now,
  }
}

function toRevision({ percent, price }: Body): RevisionRequest['revision'] {
  if (price !== undefined)
    return { price: readPrice(price, '/price', lineFormulaNames({ isRecurring: false })) }
  assert(percent !== undefined, 'a revision without a price has a percentage')
  return { percent }
}

async function resolveAll(db: Db, subscriptions: readonly string[]): Promise<string[]> {
  const ids: string[] = []
  for (const [index, text] of subscriptions.entries()) {
    const pointer = `/subscriptions/${index}`
    ids.push(await resolveField(db, { kind: 'subscription', text, pointer, unknown: 'subscription_unknown' }))
  }
  return ids
}
