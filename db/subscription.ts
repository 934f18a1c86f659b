import { dateIn, startOfDay } from '#domain/calendar.ts'
import { decideChange, lineEndsOn, periodEndAfter, type DecidedChange } from '#domain/change.ts'
import { BusinessError } from '#domain/errors.ts'
import type { SubscriptionPhase } from '#domain/subscription.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent, type EventKind } from './event.ts'
import { newId } from './identifier.ts'
import { closeTasks } from './task.ts'

/** What a subscription waits for by the calendar. Instants; null where there is nothing. */
export interface Agenda {
  readonly documents: readonly {
    readonly documentId: string
    readonly periodIndex: number
    readonly dueAt: string
  }[]
  readonly endsAt: string | null
  readonly changeAt: string | null
}

/** A row with its customer's time zone. @throws `subscription_unknown` */
export async function getSubscription(db: Db, subscriptionId: string) {
  const row = await db
    .selectFrom('subscriptions')
    .innerJoin('customers', 'customers.id', 'subscriptions.customer_id')
    .leftJoin('test_clocks', 'test_clocks.id', 'subscriptions.test_clock_id')
    .selectAll('subscriptions')
    .select(['customers.time_zone', 'test_clocks.now_at as test_clock_now_at'])
    .where('subscriptions.id', '=', subscriptionId)
    .executeTakeFirst()
  if (!row) throw new BusinessError('subscription_unknown', 'There is no such subscription.')
  return row
}

type Subscription = Awaited<ReturnType<typeof getSubscription>>

/**
 * Locks the row first: two commands on one subscription never decide from the same state. Its key is left unlocked, so that
 * an invoice line of billing, which names the subscription, need not wait for the command.
 */
async function lockSubscription(tx: Tx, subscriptionId: string): Promise<Subscription> {
  await tx
    .selectFrom('subscriptions')
    .select('id')
    .where('id', '=', subscriptionId)
    .forNoKeyUpdate()
    .execute()
  return await getSubscription(tx, subscriptionId)
}

/** What is due next, from the rows. Planned changes are lines that begin in the future. */
export async function readAgenda(db: Db, subscriptionId: string, now: string): Promise<Agenda> {
  const subscription = await getSubscription(db, subscriptionId)
  const documents = await listDocuments(db, subscriptionId)
  const planned = await db
    .selectFrom('subscription_lines')
    .select((eb) => eb.fn.min('starts_on').as('starts_on'))
    .where('subscription_id', '=', subscriptionId)
    .where('starts_on', '>', dateIn(subscription.time_zone, now))
    .executeTakeFirst()
  return {
    documents: documents
      .filter((document) => document.closed_at === null)
      .map((document) => ({
        documentId: document.id,
        periodIndex: document.next_period_index,
        dueAt: startOfDay(document.time_zone, document.next_invoice_on),
      })),
    endsAt: subscription.ends_on ? startOfDay(subscription.time_zone, subscription.ends_on) : null,
    changeAt: planned?.starts_on ? startOfDay(subscription.time_zone, planned.starts_on) : null,
  }
}

async function listDocuments(db: Db, subscriptionId: string) {
  return await documentsOf(db, subscriptionId).execute()
}

async function lockDocuments(tx: Tx, subscriptionId: string): Promise<void> {
  await documentsOf(tx, subscriptionId).forNoKeyUpdate().execute()
}

function documentsOf(db: Db, subscriptionId: string) {
  return db
    .selectFrom('subscription_documents')
    .selectAll()
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('subscription_lines')
          .select('subscription_lines.id')
          .whereRef('subscription_lines.document_id', '=', 'subscription_documents.id')
          .where('subscription_lines.subscription_id', '=', subscriptionId),
      ),
    )
    .orderBy('id')
}

/** What a timeline tells of a change of phase, and who asked for it. */
export interface PhaseReason {
  readonly event?: EventKind
  readonly suspendedReason?: string
  readonly actor?: string
}

/** Moves a subscription to its next phase and tells of it; moving it where it stands changes nothing. */
export async function setPhase(
  db: Db,
  subscriptionId: string,
  to: { phase: SubscriptionPhase; now: string } & PhaseReason,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId)
    if (subscription.phase === to.phase) return
    await tx
      .updateTable('subscriptions')
      .set({
        phase: to.phase,
        suspended_reason: to.suspendedReason ?? null,
        ended_at: to.phase === 'ended' ? to.now : null,
      })
      .where('id', '=', subscriptionId)
      .execute()
    if (to.event)
      await tellOf(tx, subscription, to.event, {
        now: to.now,
        data: {
          ...(to.suspendedReason ? { reason: to.suspendedReason } : {}),
          ...(to.actor ? { actor: to.actor } : {}),
        },
      })
  })
}

async function tellOf(
  tx: Tx,
  subscription: { id: string; customer_id: string },
  kind: EventKind,
  what: { now: string; data?: Record<string, unknown> },
): Promise<void> {
  await insertEvent(tx, {
    kind,
    customerId: subscription.customer_id,
    subscriptionId: subscription.id,
    businessAt: what.now,
    data: what.data ?? {},
  })
}

/** Marks where a subscription is stuck, or that it is not any more; the open task is closed with the cause. */
export async function setParked(
  db: Db,
  subscriptionId: string,
  parked: { reason: string | null; now: string },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId)
    if (subscription.parked_reason === parked.reason) return
    await tx
      .updateTable('subscriptions')
      .set({ parked_reason: parked.reason })
      .where('id', '=', subscriptionId)
      .execute()
    if (parked.reason === null)
      await closeTasks(tx, { kind: 'subscription', id: subscriptionId, reason: 'resolved' })
    const kind = parked.reason === null ? 'subscription.unparked' : 'subscription.parked'
    await tellOf(tx, subscription, kind, {
      now: parked.now,
      data: parked.reason === null ? {} : { reason: parked.reason },
    })
  })
}

/**
 * Begins recurrence on the day the application was observed ready: nobody pays for what was not built. Lines join the
 * customer's open document of their interval and currency, or open it with this day as its anchor.
 */
export async function activateSubscription(db: Db, subscriptionId: string, now: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const subscription = await lockSubscription(tx, subscriptionId)
    if (subscription.activated_at !== null) return
    const today = dateIn(subscription.time_zone, now)
    const lines = await tx
      .selectFrom('subscription_lines')
      .selectAll()
      .where('subscription_id', '=', subscriptionId)
      .orderBy('position')
      .execute()
    const recurring = lines.filter((row) => row.interval_unit !== null)
    const documents = await ensureDocuments(tx, subscription, recurring, today)
    for (const line of recurring) {
      await tx
        .updateTable('subscription_lines')
        .set({ starts_on: today, document_id: documents.get(intervalName(line)) ?? null })
        .where('id', '=', line.id)
        .execute()
    }
    const [first] = recurring
    const firstDocumentId = first ? documents.get(intervalName(first)) : null
    await tx
      .updateTable('subscription_lines')
      .set({ starts_on: today, document_id: firstDocumentId ?? null })
      .where('subscription_id', '=', subscriptionId)
      .where('starts_on', 'is', null)
      .execute()
    await tx
      .updateTable('subscriptions')
      .set({ phase: 'active', activated_at: now, starts_on: today, parked_reason: null })
      .where('id', '=', subscriptionId)
      .execute()
    await closeTasks(tx, { kind: 'subscription', id: subscriptionId, reason: 'built' })
    await tellOf(tx, subscription, 'subscription.activated', { now, data: { starts_on: today } })
  })
}

interface RecurringLine {
  readonly interval_count: number | null
  readonly interval_unit: 'day' | 'month' | 'month_last_day' | null
}

function intervalName(line: RecurringLine): string {
  return `${line.interval_unit} ${line.interval_count}`
}

/** The open document of each interval. Intervals are taken in one order, so that two activations never wait for each other. */
async function ensureDocuments(
  tx: Tx,
  subscription: Subscription,
  lines: readonly RecurringLine[],
  today: string,
): Promise<Map<string, string>> {
  const intervals = new Map(lines.map((line) => [intervalName(line), line]))
  const documents = new Map<string, string>()
  for (const [name, line] of [...intervals].toSorted(([first], [second]) => first.localeCompare(second))) {
    documents.set(name, await ensureDocument(tx, subscription, line, today))
  }
  return documents
}

/** A document may close between being found and being locked; then the next try opens a new one. */
const documentTries = 5

async function ensureDocument(
  tx: Tx,
  subscription: Subscription,
  line: RecurringLine,
  today: string,
): Promise<string> {
  const { interval_count, interval_unit } = line
  if (interval_count === null || interval_unit === null)
    throw new Error('a one-time fee has no document of its own')
  const key = {
    customer_id: subscription.customer_id,
    interval_count,
    interval_unit,
    currency: subscription.currency,
    test_clock_id: subscription.test_clock_id,
  }
  for (let attempt = 0; attempt < documentTries; attempt += 1) {
    await openDocument(tx, { ...key, billing_cycle_anchor: today, time_zone: subscription.time_zone })
    const documentId = await lockOpenDocument(tx, key)
    if (documentId !== undefined) return documentId
  }
  throw new Error('the document closes again and again')
}

interface DocumentKey {
  readonly customer_id: string
  readonly interval_count: number
  readonly interval_unit: 'day' | 'month' | 'month_last_day'
  readonly currency: string
  readonly test_clock_id: string | null
}

/** Opens the document of the key unless one is open. */
async function openDocument(
  tx: Tx,
  document: DocumentKey & { billing_cycle_anchor: string; time_zone: string },
): Promise<void> {
  await tx
    .insertInto('subscription_documents')
    .values({
      ...document,
      id: newId(),
      next_invoice_on: document.billing_cycle_anchor,
      parked_reason: null,
      closed_at: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

async function lockOpenDocument(tx: Tx, key: DocumentKey): Promise<string | undefined> {
  const row = await tx
    .selectFrom('subscription_documents')
    .select('id')
    .where('customer_id', '=', key.customer_id)
    .where('interval_count', '=', key.interval_count)
    .where('interval_unit', '=', key.interval_unit)
    .where('currency', '=', key.currency)
    .where('test_clock_id', 'is not distinct from', key.test_clock_id)
    .where('closed_at', 'is', null)
    .forNoKeyUpdate()
    .executeTakeFirst()
  return row?.id
}

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

/** Limits as they are sold by the lines in force on the day of an instant. */
export async function listSoldLimits(
  db: Db,
  subscriptionId: string,
  now: string,
): Promise<{ instanceId: string; code: string; quantity: string }[]> {
  const subscription = await getSubscription(db, subscriptionId)
  const today = dateIn(subscription.time_zone, now)
  const rows = await db
    .selectFrom('subscription_lines')
    .select(['instance_id', 'limit_code', 'quantity'])
    .where('subscription_id', '=', subscriptionId)
    .where('limit_code', 'is not', null)
    .where('instance_id', 'is not', null)
    .where((eb) => eb.or([eb('starts_on', 'is', null), eb('starts_on', '<=', today)]))
    .where((eb) => eb.or([eb('ends_on', 'is', null), eb('ends_on', '>', today)]))
    .orderBy('position')
    .execute()
  return rows.flatMap((row) =>
    row.instance_id && row.limit_code
      ? [{ instanceId: row.instance_id, code: row.limit_code, quantity: row.quantity }]
      : [],
  )
}
