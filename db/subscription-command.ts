import { dateIn } from '#domain/calendar.ts'
import { decideChange, lineEndsOn, periodEndAfter, type DecidedChange } from '#domain/change.ts'
import { BusinessError } from '#domain/errors.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import { listDocuments, lockDocuments } from './subscription-documents.ts'
import { getSubscription, lockSubscription, tellOf, type Subscription } from './subscription.ts'

export interface CommandKey {
  readonly subscriptionId: string
  readonly requestId: string
  readonly actor: string
  /** The instant of the command in the subscription's own time. */
  readonly now: string
}

/**
 * Carries out a command once: its effect and the note that it was handled are one transaction.
 * Lock order, always: subscription, documents by id, lines. Billing begins with the document: who has it has its lines.
 */
async function once(
  db: Db,
  key: CommandKey,
  kind: string,
  effect: (tx: Tx, subscription: Subscription) => Promise<void>,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const subscription = await lockSubscription(tx, key.subscriptionId)
    await lockDocuments(tx, key.subscriptionId)
    const isNew = await tx
      .insertInto('subscription_commands')
      .values({
        subscription_id: key.subscriptionId,
        request_id: key.requestId,
        kind,
        actor: key.actor,
        refusal: null,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('request_id')
      .executeTakeFirst()
    if (isNew) await effect(tx, subscription)
  })
}

/** Ends every line at the end of what is paid for, or now; lines that were planned for later are dropped. */
export async function cancelSubscription(
  db: Db,
  key: CommandKey,
  cancel: { when: 'period_end' | 'now'; reason: string },
): Promise<void> {
  await once(db, key, 'cancel', async (tx, subscription) => {
    const today = dateIn(subscription.time_zone, key.now)
    const documents = await listDocuments(tx, key.subscriptionId)
    const periodEnd = periodEndAfter(documents.map(toCyclingDocument), today)
    const endsOn = cancel.when === 'now' ? today : periodEnd
    await dropPlannedLines(tx, { column: 'subscription_id', id: key.subscriptionId }, today)
    for (const line of await listOpenLines(tx, key.subscriptionId, today)) {
      const line_ends_on = lineEndsOn(
        { billingType: line.billing_type, startsOn: line.starts_on ?? today },
        { when: cancel.when, today, periodEnd },
      )
      await tx
        .updateTable('subscription_lines')
        .set({ ends_on: line_ends_on })
        .where('id', '=', line.id)
        .execute()
    }
    await tx
      .updateTable('subscriptions')
      .set({ cancel_requested_at: key.now, cancel_reason: cancel.reason, ends_on: endsOn })
      .where('id', '=', key.subscriptionId)
      .execute()
    await tellOf(tx, subscription, 'subscription.cancelled', {
      now: key.now,
      data: { ...cancel, ends_on: endsOn, actor: key.actor },
    })
  })
}

/**
 * Drops the lines that were to begin after the day. One that was billed meanwhile, for a command may be carried out a
 * moment after its own instant, stays without a day of service: what was charged for it is credited.
 */
async function dropPlannedLines(
  tx: Tx,
  of: { column: 'subscription_id' | 'first_line_id'; id: string },
  today: string,
): Promise<void> {
  await tx
    .deleteFrom('subscription_lines')
    .where(of.column, '=', of.id)
    .where('starts_on', '>', today)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('invoice_lines')
            .select('invoice_lines.id')
            .whereRef('invoice_lines.subscription_line_id', '=', 'subscription_lines.id'),
        ),
      ),
    )
    .execute()
  await tx
    .updateTable('subscription_lines')
    .set((eb) => ({ ends_on: eb.ref('starts_on') }))
    .where(of.column, '=', of.id)
    .where('starts_on', '>', today)
    .execute()
}

/** Recurring lines that are in force on the day or later. */
async function listOpenLines(tx: Tx, subscriptionId: string, today: string) {
  return await tx
    .selectFrom('subscription_lines')
    .selectAll()
    .where('subscription_id', '=', subscriptionId)
    .where('interval_unit', 'is not', null)
    .where('starts_on', 'is not', null)
    .where((eb) =>
      eb.or([
        eb('ends_on', 'is', null),
        eb.and([eb('ends_on', '>', today), eb('ends_on', '>', eb.ref('starts_on'))]),
      ]),
    )
    .orderBy('id')
    .execute()
}

/** Withdraws a cancellation before it took effect: the lines that it ended go on without a hole. */
export async function uncancelSubscription(db: Db, key: CommandKey): Promise<void> {
  await once(db, key, 'uncancel', async (tx, subscription) => {
    await tx
      .updateTable('subscription_lines')
      .set({ ends_on: null })
      .where('subscription_id', '=', key.subscriptionId)
      .where('ends_on', '=', subscription.ends_on)
      .whereRef('starts_on', '<', 'ends_on')
      .execute()
    await tx
      .updateTable('subscriptions')
      .set({ cancel_requested_at: null, cancel_reason: null, ends_on: null })
      .where('id', '=', key.subscriptionId)
      .execute()
    await tellOf(tx, subscription, 'subscription.uncancelled', { now: key.now, data: { actor: key.actor } })
  })
}

export interface PlannedChange extends DecidedChange {
  readonly instanceId: string | null
  readonly limitCode: string | null
  readonly quantity: string
}

/** What a new quantity of a line would mean today; nothing is saved. @throws what `decideChange` refuses, and `not_found` */
export async function previewChange(
  db: Db,
  change: { subscriptionId: string; subscriptionLineId: string; quantity: string; now: string },
): Promise<PlannedChange> {
  const { line, decided } = await readChange(db, change)
  return { ...decided, instanceId: line.instance_id, limitCode: line.limit_code, quantity: change.quantity }
}

async function readChange(
  db: Db,
  change: { subscriptionId: string; subscriptionLineId: string; quantity: string; now: string },
) {
  const subscription = await getSubscription(db, change.subscriptionId)
  const today = dateIn(subscription.time_zone, change.now)
  const asked = await db
    .selectFrom('subscription_lines')
    .select('first_line_id')
    .where('id', '=', change.subscriptionLineId)
    .where('subscription_id', '=', change.subscriptionId)
    .executeTakeFirst()
  if (!asked) throw new BusinessError('not_found', 'The subscription has no such line.')
  const line = await db
    .selectFrom('subscription_lines')
    .innerJoin('products', 'products.id', 'subscription_lines.product_id')
    .leftJoin('subscription_documents as document', 'document.id', 'subscription_lines.document_id')
    .selectAll('subscription_lines')
    .select(['products.code', 'document.billing_cycle_anchor'])
    .where('first_line_id', '=', asked.first_line_id)
    .where('starts_on', '<=', today)
    .where((eb) => eb.or([eb('ends_on', 'is', null), eb('ends_on', '>', today)]))
    .orderBy('starts_on', 'desc')
    .executeTakeFirst()
  if (!line)
    throw new BusinessError('action_not_allowed', 'The line is not in force; there is nothing to change.')
  const interval =
    line.interval_count && line.interval_unit
      ? { count: line.interval_count, unit: line.interval_unit }
      : null
  const periodEnd =
    interval && line.billing_cycle_anchor
      ? periodEndAfter([{ billingCycleAnchor: line.billing_cycle_anchor, interval }], today)
      : today
  const decided = decideChange(
    {
      productCode: line.code,
      billingType: line.billing_type,
      interval,
      quantity: line.quantity,
      unit: line.unit,
    },
    change.quantity,
    { today, periodEnd },
  )
  return { line, decided }
}

/** Closes a line and opens its successor: both or neither, never overlapping. A change planned before is replaced. */
export async function changeSubscription(
  db: Db,
  key: CommandKey,
  change: { subscriptionLineId: string; quantity: string },
): Promise<void> {
  await once(db, key, 'changePlan', async (tx, subscription) => {
    const { line, decided } = await readChange(tx, { ...key, ...change })
    const today = dateIn(subscription.time_zone, key.now)
    await dropPlannedLines(tx, { column: 'first_line_id', id: line.first_line_id }, today)
    await tx
      .updateTable('subscription_lines')
      .set({ ends_on: decided.effectiveOn })
      .where('id', '=', line.id)
      .execute()
    const { code: _code, billing_cycle_anchor: _anchor, created_at: _created, ...agreed } = line
    await tx
      .insertInto('subscription_lines')
      .values({
        ...agreed,
        price: JSON.stringify(agreed.price),
        terms: JSON.stringify(agreed.terms),
        id: newId(),
        quantity: change.quantity,
        starts_on: decided.effectiveOn,
        ends_on: subscription.ends_on,
      })
      .execute()
    await tellOf(tx, subscription, 'subscription.changed', {
      now: key.now,
      data: {
        product: line.code,
        from: line.quantity,
        to: change.quantity,
        effective_on: decided.effectiveOn,
        actor: key.actor,
      },
    })
  })
}

function toCyclingDocument(document: {
  billing_cycle_anchor: string
  interval_count: number
  interval_unit: 'day' | 'month' | 'month_last_day'
}) {
  return {
    billingCycleAnchor: document.billing_cycle_anchor,
    interval: { count: document.interval_count, unit: document.interval_unit },
  }
}
