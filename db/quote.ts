import Big from 'big.js'
import type { Selectable } from 'kysely'
import { dateIn } from '#domain/calendar.ts'
import { reservationEnd } from '#domain/environment.ts'
import { fieldError } from '#domain/errors.ts'
import { checkAgreed, checkDraft, checkExpiry, checkQuoted, type QuotedTotals } from '#domain/quote.ts'
import type { Acceptance } from '#domain/service-terms.ts'
import type { Tx } from './database.ts'
import { freeNames, reserveNames } from './environment.ts'
import { setExternalId } from './external-id.ts'
import { newId } from './identifier.ts'
import type { OrderRequest } from './order-context.ts'
import { previewOrder, type OrderPreview } from './order-preview.ts'
import { keepOrderSecrets, openOrderSecrets } from './order-secret.ts'
import { confirmOrder, insertOrderLines } from './order.ts'
import type { InstallationKey } from './sealing.ts'
import type { OrdersTable, QuoteTerms } from './tables/subscription.ts'

/** What a change of a draft may name; what is left out stays. */
export type DraftChange = Partial<Pick<OrderRequest, 'lines' | WishName>> & { readonly expiresOn?: string }
type WishName = Exclude<keyof QuoteTerms, keyof QuotedTotals>

interface Draft {
  readonly row: Selectable<OrdersTable>
  readonly expiresOn: string
  readonly today: string
  readonly request: OrderRequest
  readonly quoted: QuotedTotals
}

/**
 * Keeps an order as a draft, with what it comes to: nothing is sold or counted, only the names that it chose are held.
 * @throws what an order is refused for, and `date_range_invalid` for an end that is past
 */
export async function insertDraft(tx: Tx, request: OrderRequest, expiresOn: string): Promise<string> {
  const { terms, currency, on, answers } = await quote(tx, request)
  checkExpiry(expiresOn, on)
  const id = newId()
  await tx
    .insertInto('orders')
    .values({
      id,
      customer_id: request.customerId,
      test_clock_id: request.testClockId,
      currency,
      channel: request.channel,
      actor: request.actor,
      confirmed_at: null,
      cancelled_at: null,
      expires_on: expiresOn,
      quote: JSON.stringify(terms),
    })
    .execute()
  await setExternalId(tx, 'order', { id, externalId: request.externalId })
  await insertDraftLines(tx, id, request, answers)
  await holdNames(tx, { id, request, expiresOn })
  return id
}

/**
 * Gives a draft other lines or terms, at the prices of today.
 * @throws `order_not_draft`, `quote_expired`, and as `insertDraft`
 */
export async function changeDraft(
  tx: Tx,
  orderId: string,
  change: DraftChange,
  { now, installationKey }: { now: string; installationKey: InstallationKey | null },
): Promise<void> {
  const draft = await lockDraft(tx, orderId, { now, actor: null, installationKey })
  const { expiresOn = draft.expiresOn, ...changed } = change
  checkExpiry(expiresOn, draft.today)
  const request = { ...draft.request, ...changed }
  const { terms, answers } = await quote(tx, request)
  await tx
    .updateTable('orders')
    .set({ expires_on: expiresOn, quote: JSON.stringify(terms) })
    .where('id', '=', orderId)
    .execute()
  await freeNames(tx, orderId)
  await holdNames(tx, { id: orderId, request, expiresOn })
  if (change.lines === undefined) return
  await tx.deleteFrom('order_lines').where('order_id', '=', orderId).execute()
  await insertDraftLines(tx, orderId, request, answers)
}

/**
 * Sells what a draft says, at the totals that it quoted, or at those that a new preview showed.
 * @throws `order_not_draft`, `quote_expired`, `price_changed`, and as `confirmOrder`
 */
export async function confirmDraft(
  tx: Tx,
  orderId: string,
  asked: {
    actor: string
    now: string
    agreed?: QuotedTotals | null
    accepted?: Acceptance | null
    installationKey: InstallationKey | null
  },
): Promise<void> {
  const { agreed = null, accepted = null } = asked
  const { request, quoted } = await lockDraft(tx, orderId, asked)
  await confirmOrder(tx, request, {
    draftId: orderId,
    accepted,
    checkTotals: (present, currency) =>
      agreed === null ? checkQuoted(quoted, present, currency) : checkAgreed(agreed, present, currency),
  })
}

/** @throws `order_not_draft`, `quote_expired` */
export async function cancelDraft(tx: Tx, orderId: string, now: string): Promise<void> {
  await lockDraft(tx, orderId, { now, actor: null })
  await tx.updateTable('orders').set({ cancelled_at: now }).where('id', '=', orderId).execute()
  await freeNames(tx, orderId)
}

/** @throws `name_taken`, `prefix_taken` */
async function holdNames(
  tx: Tx,
  draft: { id: string; request: OrderRequest; expiresOn: string },
): Promise<void> {
  const { id: orderId, request, expiresOn } = draft
  if (request.environment?.kind !== 'new') return
  const { reservation_minutes: minutes } = await tx
    .selectFrom('installation')
    .select('reservation_minutes')
    .executeTakeFirstOrThrow()
  const { timeZone, nowAt } = await readTime(tx, request)
  const { channel, now } = request
  const expiresAt = reservationEnd({ channel, expiresOn, timeZone, nowAt }, minutes)
  await reserveNames(tx, request.environment, { orderId, expiresAt, now })
}

/** The order as whoever is named would place it now. The row stays locked: of two who confirm at once, one sells. */
async function lockDraft(
  tx: Tx,
  orderId: string,
  asked: { now: string; actor: string | null; installationKey?: InstallationKey | null },
): Promise<Draft> {
  const row = await tx
    .selectFrom('orders')
    .selectAll()
    .where('id', '=', orderId)
    .forUpdate()
    .executeTakeFirstOrThrow()
  const { timeZone, nowAt } = await readTime(tx, {
    customerId: row.customer_id,
    testClockId: row.test_clock_id,
    now: asked.now,
  })
  const today = dateIn(timeZone, nowAt)
  const { quote: terms, expires_on: expiresOn } = row
  const { confirmed_at: confirmedAt, cancelled_at: cancelledAt, expired_at: expiredAt } = row
  checkDraft({ confirmedAt, cancelledAt, expiredAt, expiresOn }, today)
  if (terms === null || expiresOn === null) throw new Error(`the draft ${orderId} has no quote`)
  const { totalNowMinor, totalPerPeriodMinor, ...wishes } = terms
  const request = {
    ...wishes,
    customerId: row.customer_id,
    lines: await readOrderLines(tx, orderId, asked.installationKey),
    testClockId: row.test_clock_id,
    currency: row.currency,
    channel: row.channel,
    actor: asked.actor ?? row.actor,
    now: asked.now,
    draftId: orderId,
    installationKey: asked.installationKey ?? null,
  }
  return { row, expiresOn, today, request, quoted: { totalNowMinor, totalPerPeriodMinor } }
}

/** Where the customer is, and what time it is by the clock of the order. */
async function readTime(
  tx: Tx,
  order: Pick<OrderRequest, 'customerId' | 'testClockId' | 'now'>,
): Promise<{ timeZone: string; nowAt: string }> {
  const { time_zone: timeZone, now_at: clockNow } = await tx
    .selectFrom('customers')
    .leftJoin('test_clocks', (join) => join.on('test_clocks.id', '=', order.testClockId))
    .select(['customers.time_zone', 'test_clocks.now_at'])
    .where('customers.id', '=', order.customerId)
    .executeTakeFirstOrThrow()
  return { timeZone, nowAt: clockNow ?? order.now }
}

/** The lines of an order as they were asked for. With what was said in secret, unless no key is named: then the lines are only looked at. */
export async function readOrderLines(
  tx: Tx,
  orderId: string,
  key?: InstallationKey | null,
): Promise<OrderRequest['lines']> {
  const secrets =
    key === undefined ? new Map<string, Record<string, string>>() : await openOrderSecrets(tx, orderId, key)
  const rows = await tx
    .selectFrom('order_lines')
    .selectAll()
    .where('order_id', '=', orderId)
    .orderBy('position')
    .execute()
  return rows.map((row) => ({
    ...(row.kit_id === null ? { productId: row.product_id ?? '' } : { kitId: row.kit_id }),
    quantity: row.quantity,
    joins: row.subscription_id ?? undefined,
    externalId: row.external_id ?? undefined,
    answers: { ...row.answers, fields: { ...row.answers.fields, ...secrets.get(row.id) } },
    agreed: row.agreed,
    preferredServerId: row.preferred_server_id,
  }))
}

async function quote(
  tx: Tx,
  request: OrderRequest,
): Promise<{ terms: QuoteTerms } & Pick<OrderPreview, 'currency' | 'on' | 'answers'>> {
  const { currency, on, answers, totalNowMinor, totalPerPeriodMinor } = await previewOrder(tx, request)
  return { terms: { ...wishesOf(request), totalNowMinor, totalPerPeriodMinor }, currency, on, answers }
}

/** What was said in secret is sealed with its line. */
async function insertDraftLines(
  tx: Tx,
  orderId: string,
  request: OrderRequest,
  answers: OrderPreview['answers'],
): Promise<void> {
  const plain = answers.map((kept) => kept.plain)
  const ids = await insertOrderLines(tx, orderId, request.lines, plain)
  for (const [index, id] of ids.entries())
    await keepOrderSecrets(tx, id, answers[index]?.secret ?? {}, request.installationKey ?? null)
}

function wishesOf(request: OrderRequest): Pick<QuoteTerms, WishName> {
  const { leastAmount = null, greatestAmount = null } = request
  if (leastAmount !== null && greatestAmount !== null && new Big(leastAmount).gt(greatestAmount)) {
    const detail = `The greatest amount, ${greatestAmount}, lies below the least one, ${leastAmount}.`
    throw fieldError('/greatest_amount', 'field_invalid', detail)
  }
  return {
    starts: request.starts ?? null,
    purchaseOrderReference: request.purchaseOrderReference ?? null,
    discountCode: request.discountCode ?? null,
    leastAmount,
    greatestAmount,
    hasOwnAnchor: request.hasOwnAnchor ?? false,
    environment: request.environment ?? null,
  }
}
