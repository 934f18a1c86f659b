import { compareDates, dateIn } from '#domain/calendar.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { transferLine, type Transfer } from '#domain/line-change.ts'
import { readTermsLeft } from './agreed-terms.ts'
import { readLife } from './asked-plan.ts'
import { once, type CommandKey } from './command.ts'
import type { Db, Tx } from './database.ts'
import { refuseTransferElsewhere } from './deployment.ts'
import { endBeside } from './line-beside.ts'
import { listLinesAfter, toLine, type LineChanges, type LineRow } from './line-change.ts'
import { confirmOrder } from './order.ts'
import { replaceLines } from './plan.ts'
import { handOverStock } from './stock.ts'
import { getSubscription, tellOf, type Subscription } from './subscription.ts'

export interface AskedTransfer {
  readonly subscriptionLineId: string
  readonly customerId: string
  /** Left out: all of it. */
  readonly quantity?: string | undefined
  /** The first day on which the other customer has it; left out, today. */
  readonly startsOn?: string | undefined
}

export interface PlannedTransfer {
  readonly instanceId: string | null
  readonly limitCode: string | null
  /** What stays with the giver; 0 when all is handed over. */
  readonly keptQuantity: string
  readonly startsOn: string
}

/** What a transfer would leave; nothing is saved. @throws what `transferLine` refuses, `not_found`, `action_not_allowed` */
export async function previewTransfer(
  db: Db,
  asked: AskedTransfer & { subscriptionId: string; now: string },
): Promise<PlannedTransfer> {
  const subscription = await getSubscription(db, asked.subscriptionId)
  const { line, transfer, startsOn } = await readTransfer(db, subscription, asked)
  return {
    instanceId: line.instance_id,
    limitCode: line.limit_code,
    keptQuantity: transfer.keptQuantity,
    startsOn,
  }
}

/**
 * Hands a line, or a part of its quantity, to another customer from a day on (C-46). The giver's line ends there, or goes on
 * with what stays. The taker gets an order and a subscription of his own, at the terms as agreed, whose line refers back;
 * what it needs is built for him. Invoices for the days before stay the giver's.
 * @throws as `previewTransfer`, and what `confirmOrder` refuses
 */
export async function transferSubscriptionLine(db: Db, key: CommandKey, asked: AskedTransfer): Promise<void> {
  await once(db, key, 'transfer', async (changes, subscription) => {
    const { tx } = changes
    const { line, lines, transfer, startsOn } = await readTransfer(tx, subscription, {
      ...asked,
      now: key.now,
    })
    const isWhole = transfer.given.successor === null
    await replaceLines(changes, lines, startsOn, isWhole ? null : { quantity: transfer.keptQuantity })
    const takenId = await sell(tx, { line, transfer, startsOn, subscription, key, asked })
    if (isWhole) {
      const today = dateIn(subscription.time_zone, key.now)
      await endBeside(changes, line, { endsOn: startsOn, today })
      await handOverStock(
        tx,
        { subscriptionId: subscription.id, productId: line.product_id },
        { subscriptionId: takenId, customerId: asked.customerId },
      )
    }
    if (isWhole) await endIfNothingIsLeft(changes, startsOn, key.now)
    await tellOf(tx, subscription, 'subscription.handed_over', {
      now: key.now,
      data: {
        product: line.description,
        quantity: transfer.movedQuantity,
        starts_on: startsOn,
        subscription: encodeId('subscription', takenId),
        actor: key.actor,
      },
    })
  })
}

async function readTransfer(
  db: Db,
  subscription: Subscription,
  asked: AskedTransfer & { now: string },
): Promise<{ line: LineRow; lines: LineRow[]; transfer: Transfer; startsOn: string }> {
  const today = dateIn(subscription.time_zone, asked.now)
  const startsOn = asked.startsOn ?? today
  if (compareDates(startsOn, today) < 0)
    throw fieldError('/starts_on', 'date_range_invalid', `It is handed over today, ${today}, or later.`)
  if (asked.customerId === subscription.customer_id)
    throw fieldError('/customer', 'action_not_allowed', 'It is this customer’s already.')
  const lines = await readLife(db, subscription, { lineId: asked.subscriptionLineId, today })
  const [line] = lines
  if (!line) throw new BusinessError('action_not_allowed', 'The line has ended; nothing is left of it.')
  if (line.billing_type === 'usage')
    throw new BusinessError('action_not_allowed', 'What is metered stays where it is metered.')
  await refuseTransferElsewhere(db, line.first_line_id)
  const { quantity } = line
  const movedQuantity = asked.quantity ?? quantity
  const transfer = transferLine(toLine(line), { quantity, movedQuantity, startsOn, today })
  return { line, lines, transfer, startsOn }
}

interface Sale {
  readonly line: LineRow
  readonly transfer: Transfer
  readonly startsOn: string
  readonly subscription: Subscription
  readonly key: CommandKey
  readonly asked: AskedTransfer
}

/** The taker's order, at the price that the giver had, and at what is left of his terms. */
async function sell(tx: Tx, { line, transfer, startsOn, subscription, key, asked }: Sale): Promise<string> {
  const { subscriptionIds } = await confirmOrder(
    tx,
    {
      customerId: asked.customerId,
      lines: [{ productId: line.product_id, quantity: transfer.movedQuantity }],
      testClockId: subscription.test_clock_id,
      currency: subscription.currency,
      channel: 'api',
      actor: key.actor,
      now: key.now,
      starts: { kind: 'date', on: startsOn },
      isBilledElsewhere: subscription.is_billed_elsewhere,
    },
    { isHandedOver: true },
  )
  const [subscriptionId] = subscriptionIds
  if (subscriptionId === undefined) throw new Error('an order of a line makes a subscription')
  await tx
    .updateTable('subscription_lines')
    .set({
      product_version: line.product_version,
      description: line.description,
      billing_type: line.billing_type,
      billing_timing: line.billing_timing,
      unit: line.unit,
      price: JSON.stringify(line.price),
      terms: JSON.stringify(await readTermsLeft(tx, line, startsOn)),
      tax_category: line.tax_category,
      price_list_item_id: line.price_list_item_id,
      conversion: line.conversion && JSON.stringify(line.conversion),
      interval_count: line.interval_count,
      interval_unit: line.interval_unit,
      transferred_from_line_id: line.id,
    })
    .where('subscription_id', '=', subscriptionId)
    .where('product_id', '=', line.product_id)
    .execute()
  return subscriptionId
}

/** A subscription of which nothing stays ends with what was handed over. */
async function endIfNothingIsLeft(
  { tx, subscription }: LineChanges,
  startsOn: string,
  now: string,
): Promise<void> {
  if ((await listLinesAfter(tx, subscription.id, startsOn)).length > 0) return
  await tx
    .updateTable('subscriptions')
    .set({
      cancel_requested_at: now,
      cancel_reason: 'Handed over.',
      cancel_reason_code: 'handed_over',
      ends_on: startsOn,
    })
    .where('id', '=', subscription.id)
    .execute()
}
