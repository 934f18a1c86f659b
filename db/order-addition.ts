import { sql } from 'kysely'
import { isExtra, type PlannedAddition } from '#domain/addition.ts'
import { compareDates, dateIn, laterDate } from '#domain/calendar.ts'
import { fieldError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { fitsBeside } from '#domain/order-joining.ts'
import type { PlannedLine } from '#domain/order.ts'
import { ensureDocument } from './activation.ts'
import { readPeriodEnd } from './asked-plan.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import { listLinesAfter, type LineRow } from './line-change.ts'
import { agreedColumns } from './order-line.ts'
import { insertWorkflowSignal } from './outbox.ts'
import { listDocuments, lockDocuments } from './subscription-documents.ts'
import { lockSubscription, tellOf, type Subscription } from './subscription.ts'

/** Whose order it is. */
export interface AddingOrder {
  readonly customerId: string
  readonly testClockId: string | null
  readonly nowAt: string
  /** The day of the order, where the customer is. */
  readonly on: string
  readonly startsOn: string | null
}

/**
 * Refuses what cannot join: another customer's subscription, one on another clock, one that ends, an add-on without what it
 * is sold beside, and a one-time fee of one that has no invoice to come.
 * @throws `subscription_unknown`, `addon_not_available`, each with the pointer of its line
 */
export async function checkAdditions(
  db: Db,
  additions: readonly PlannedAddition[],
  order: Pick<AddingOrder, 'customerId' | 'testClockId' | 'on'>,
): Promise<void> {
  for (const addition of additions) {
    const row = await db
      .selectFrom('subscriptions')
      .select(['customer_id', 'test_clock_id', 'phase', 'ends_on', 'activated_at'])
      .where('id', '=', addition.subscriptionId)
      .executeTakeFirst()
    const pointer = `/lines/${addition.orderLineIndex}/subscription`
    if (row?.customer_id !== order.customerId) {
      throw fieldError(pointer, 'subscription_unknown', 'The customer has no such subscription.')
    }
    const refuse = (detail: string) => fieldError(pointer, 'addon_not_available', detail)
    if (row.test_clock_id !== order.testClockId) throw refuse('The subscription lives by another clock.')
    if (row.phase === 'unbuilding' || row.phase === 'ended') throw refuse('The subscription has ended.')
    if (row.ends_on !== null) throw refuse(`The subscription ends on ${row.ends_on}.`)
    if (!(await hasMain(db, addition, additions, order.on))) throw refuseAddOn(addition)
    for (const line of [addition.line, ...addition.options]) {
      if (isExtra(line))
        await getLimitBelow(db, { subscriptionId: addition.subscriptionId, line, on: order.on })
    }
    if (addition.line.interval === null && row.activated_at !== null) {
      const documents = await listDocuments(db, addition.subscriptionId)
      if (documents.every((document) => document.closed_at !== null))
        throw refuse(
          'The subscription has no invoice to come that a one-time fee could be on. Order it by itself.',
        )
    }
  }
}

/**
 * The recurring line on whose limit an extra quantity is sold, the first where there are several.
 * @throws `addon_not_available` where nothing of the subscription sells the limit now, or in another unit
 */
async function getLimitBelow(
  db: Db,
  { subscriptionId, line, on }: { subscriptionId: string; line: PlannedLine; on: string },
): Promise<LineRow & { readonly instance_id: string }> {
  const { limitCode, unit, code } = line.product
  const sold = (await listLinesAfter(db, subscriptionId, on)).filter(
    (row) => row.limit_code === limitCode && row.document_id !== null && compareDates(row.starts_on, on) <= 0,
  )
  const [below] = sold.toSorted((first, second) => first.position - second.position)
  const refuse = (detail: string) =>
    fieldError(`/lines/${line.orderLineIndex}/product`, 'addon_not_available', detail)
  if (below?.instance_id == null)
    throw refuse(`The subscription sells no ${limitCode ?? ''} on ${on}, on top of which ${code} could be.`)
  if (below.unit !== unit)
    throw refuse(`${code} is sold in ${unit}, and ${limitCode ?? ''} in ${below.unit}.`)
  return { ...below, instance_id: below.instance_id }
}

/** A product that is no add-on needs none; what an add-on needs may come by the same order. */
async function hasMain(
  db: Db,
  addition: PlannedAddition,
  additions: readonly PlannedAddition[],
  on: string,
): Promise<boolean> {
  const { line, subscriptionId } = addition
  if (line.product.addOnOf.length === 0) return true
  const comesToo = additions.some(
    (other) => other.subscriptionId === subscriptionId && fitsBeside(line.product, other.line.product),
  )
  return comesToo || (await findMain(db, { subscriptionId, line, on })) !== undefined
}

function refuseAddOn({ orderLineIndex, line }: PlannedAddition) {
  return fieldError(
    `/lines/${orderLineIndex}/subscription`,
    'addon_not_available',
    `The subscription has nothing that ${line.product.code} is sold beside.`,
  )
}

/** The life of the line that an add-on is sold beside: its first line. */
async function findMain(
  db: Db,
  { subscriptionId, line, on }: { subscriptionId: string; line: PlannedLine; on: string },
): Promise<string | undefined> {
  const mainIds = sql<string>`any(${line.product.addOnOf}::uuid[])`
  const row = await db
    .selectFrom('subscription_lines')
    .innerJoin('products', 'products.id', 'subscription_lines.product_id')
    .select('first_line_id')
    .where('subscription_id', '=', subscriptionId)
    .where((eb) => eb.or([eb('products.id', '=', mainIds), eb('products.variant_of_id', '=', mainIds)]))
    .where((eb) => eb.or([eb('ends_on', 'is', null), eb('ends_on', '>', on)]))
    .orderBy('position')
    .executeTakeFirst()
  return row?.first_line_id
}

/**
 * Adds the lines, from the day of the order on. Where the subscription is not active yet, activation opens them with the
 * others. Subscriptions are locked in one order, so that two orders never wait for each other.
 */
export async function insertAdditions(
  tx: Tx,
  additions: readonly PlannedAddition[],
  order: AddingOrder & { readonly orderId: string; readonly actor: string },
): Promise<void> {
  // An add-on comes after what it is sold beside.
  const isAddOn = ({ line }: PlannedAddition) => Number(line.product.addOnOf.length > 0)
  const sorted = additions.toSorted(
    (first, second) =>
      first.subscriptionId.localeCompare(second.subscriptionId) || isAddOn(first) - isAddOn(second),
  )
  await checkAdditions(tx, sorted, order)
  for (const addition of sorted) {
    const subscription = await lockSubscription(tx, addition.subscriptionId)
    await insertAddition(tx, subscription, addition, order)
    await tellOf(tx, subscription, 'order.confirmed', {
      now: order.nowAt,
      data: {
        order: encodeId('order', order.orderId),
        title: addition.line.product.name,
        actor: order.actor,
      },
    })
  }
}

async function insertAddition(
  tx: Tx,
  subscription: Subscription,
  { line, options }: PlannedAddition,
  order: AddingOrder & { readonly orderId: string },
): Promise<void> {
  const main = await findMain(tx, { subscriptionId: subscription.id, line, on: order.on })
  const id = await insertLine(tx, subscription, { line, mainLineId: main ?? null }, order)
  for (const option of options) await insertLine(tx, subscription, { line: option, mainLineId: id }, order)
}

async function insertLine(
  tx: Tx,
  subscription: Subscription,
  { line, mainLineId }: { line: PlannedLine; mainLineId: string | null },
  order: AddingOrder & { readonly orderId: string },
): Promise<string> {
  const columns = agreedColumns(line)
  const standing = await readStanding(tx, subscription.id)
  const today = dateIn(subscription.time_zone, order.nowAt)
  const startsOn =
    subscription.activated_at === null
      ? null
      : laterDate(order.startsOn ?? today, subscription.starts_on ?? today)
  const documentId = startsOn === null ? null : await placeLine(tx, subscription, line, startsOn)
  const id = newId()
  const extra = isExtra(line) ? await sellExtra(tx, subscription, { line, id, on: startsOn ?? today }) : {}
  await tx
    .insertInto('subscription_lines')
    .values({
      ...columns,
      id,
      first_line_id: id,
      subscription_id: subscription.id,
      document_id: documentId,
      instance_id: standing.instanceId,
      position: standing.position,
      opened_by: `order/${encodeId('order', order.orderId)}`,
      main_line_id: mainLineId,
      starts_on: startsOn,
      ends_on: null,
      ...extra,
    })
    .execute()
  return id
}

/** It lasts until the end of the period of what it is on top of; its workflow has the instance take it, and give it back then. */
async function sellExtra(
  tx: Tx,
  { id: subscriptionId }: Subscription,
  { line, id, on }: { line: PlannedLine; id: string; on: string },
): Promise<{ instance_id: string; ends_on: string }> {
  const below = await getLimitBelow(tx, { subscriptionId, line, on })
  const workflowId = `subscription/${encodeId('subscription', subscriptionId)}`
  await insertWorkflowSignal(tx, { workflowId, signal: 'limitCrossed' }, `extra/${id}`)
  return { instance_id: below.instance_id, ends_on: await readPeriodEnd(tx, below, on) }
}

/** The subscription's own document of the interval goes before any other; a one-time fee lies on whichever it has. */
async function placeLine(
  tx: Tx,
  subscription: Subscription,
  { interval, product }: PlannedLine,
  startsOn: string,
): Promise<string | null> {
  const documents = await lockDocuments(tx, subscription.id)
  const own = documents.find(
    (document) =>
      document.closed_at === null &&
      (interval === null ||
        (document.interval_count === interval.count && document.interval_unit === interval.unit)),
  )
  if (own || interval === null) return own?.id ?? null
  const line = { interval_count: interval.count, interval_unit: interval.unit, terms: product.terms }
  return await ensureDocument(tx, subscription, line, startsOn)
}

/** What a new line of a subscription takes over from those that it has. */
async function readStanding(tx: Tx, subscriptionId: string) {
  const rows = await tx
    .selectFrom('subscription_lines')
    .select(['position', 'instance_id'])
    .where('subscription_id', '=', subscriptionId)
    .orderBy('position')
    .execute()
  return {
    position: Math.max(-1, ...rows.map((row) => row.position)) + 1,
    instanceId: rows.find((row) => row.instance_id !== null)?.instance_id ?? null,
  }
}
