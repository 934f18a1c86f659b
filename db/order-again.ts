import { addDays } from '#domain/calendar.ts'
import { compareLines, type LineDifference, type OrderedLine } from '#domain/order-difference.ts'
import { encodeId } from '#domain/identifier.ts'
import type { PlannedLine } from '#domain/order.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { linesOfAdditions, type OrderRequest } from './order-context.ts'
import { previewOrder } from './order-preview.ts'
import { insertDraft, readOrderLines } from './quote.ts'

/** So long a draft can be had that says no end. */
const usualDays = 30

export interface PlacedAgain {
  readonly draftId: string
  readonly currency: string
  readonly differences: readonly LineDifference[]
}

/**
 * Drafts an order anew, with its lines and what was asked beside them, at the prices of today. What is archived is left out,
 * and told of. The customer's own environment takes the place of one that the order had made.
 * @throws as `insertDraft`, so `order_empty` where nothing of it is sold any more
 */
export async function placeAgain(
  tx: Tx,
  orderId: string,
  asked: Pick<OrderRequest, 'actor' | 'channel' | 'now'> & { expiresOn: string | undefined },
): Promise<PlacedAgain> {
  const row = await tx.selectFrom('orders').selectAll().where('id', '=', orderId).executeTakeFirstOrThrow()
  const request: OrderRequest = {
    ...(await readWishes(tx, orderId)),
    customerId: row.customer_id,
    lines: await readSoldLines(tx, orderId),
    testClockId: row.test_clock_id,
    currency: row.currency,
    actor: asked.actor,
    channel: asked.channel,
    now: asked.now,
  }
  const preview = await previewOrder(tx, request)
  const draftId = await insertDraft(tx, request, asked.expiresOn ?? addDays(preview.on, usualDays))
  const planned = [
    ...preview.subscriptions.flatMap(({ lines }) => lines),
    ...linesOfAdditions(preview.additions),
  ]
  const before = await readAgreedLines(tx, orderId)
  const now = planned.map(toOrderedLine)
  // A quote that was never confirmed agreed nothing by line; its totals are with it.
  const differences = row.confirmed_at === null ? [] : compareLines(before, now, row.currency)
  await insertEvent(tx, {
    kind: 'order.placed_again',
    customerId: row.customer_id,
    data: {
      order: encodeId('order', draftId),
      of: encodeId('order', orderId),
      actor: asked.actor,
      changes: differences.map((difference) => ({
        product: difference.product,
        before: difference.before?.priceSentence ?? null,
        now: difference.now?.priceSentence ?? null,
      })),
    },
  })
  return { draftId, currency: row.currency, differences }
}

/** Its lines without the ids of others, which are one order's each, and without what is not sold any more. */
async function readSoldLines(tx: Tx, orderId: string): Promise<OrderRequest['lines']> {
  const lines = await readOrderLines(tx, orderId)
  const archived = await Promise.all(
    lines.map(async ({ productId, kitId }) => {
      const row = await tx
        .selectFrom(productId === undefined ? 'kits' : 'products')
        .select('archived_at')
        .where('id', '=', productId ?? kitId ?? '')
        .executeTakeFirst()
      return row?.archived_at != null
    }),
  )
  return lines
    .filter((_, index) => archived[index] === false)
    .map(({ externalId: _externalId, ...line }) => line)
}

/** What was asked beside its lines, as its subscriptions keep it: a start and a discount are agreed anew. */
async function readWishes(tx: Tx, orderId: string): Promise<Partial<OrderRequest>> {
  const sold = await tx
    .selectFrom('subscriptions')
    .select(['purchase_order_reference', 'has_own_anchor', 'least_amount', 'greatest_amount'])
    .where('order_id', '=', orderId)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  if (!sold) return {}
  return {
    purchaseOrderReference: sold.purchase_order_reference,
    hasOwnAnchor: sold.has_own_anchor,
    leastAmount: sold.least_amount,
    greatestAmount: sold.greatest_amount,
  }
}

/** The first lines of what the order sold, whatever became of them since. */
async function readAgreedLines(db: Db, orderId: string): Promise<OrderedLine[]> {
  const rows = await db
    .selectFrom('subscription_lines as line')
    .innerJoin('subscriptions as subscription', 'subscription.id', 'line.subscription_id')
    .innerJoin('products as product', 'product.id', 'line.product_id')
    .select([
      'line.product_id',
      'product.code',
      'line.unit',
      'line.quantity',
      'line.price',
      'line.billing_type',
    ])
    .whereRef('line.id', '=', 'line.first_line_id')
    .where((eb) =>
      eb.or([
        eb.and([eb('subscription.order_id', '=', orderId), eb('line.opened_by', 'is', null)]),
        eb('line.opened_by', '=', `order/${encodeId('order', orderId)}`),
      ]),
    )
    .orderBy('line.subscription_id')
    .orderBy('line.position')
    .execute()
  return rows.map((row) => ({
    productId: row.product_id,
    product: row.code,
    unit: row.unit,
    quantity: row.quantity,
    price: row.price,
    isMetered: row.billing_type === 'usage',
  }))
}

function toOrderedLine({ product, quantity, price }: PlannedLine): OrderedLine {
  return {
    productId: product.id,
    product: product.code,
    unit: product.unit,
    quantity,
    price: price.price,
    isMetered: product.billingType === 'usage',
  }
}
