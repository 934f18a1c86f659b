import { sql } from 'kysely'
import { assert } from '#domain/assert.ts'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { toStorable } from '#domain/storable-text.ts'
import {
  decideDelivery,
  decideWebhook,
  webhookKeptDays,
  type Attempt,
  type DeliveryDecision,
} from '#domain/webhook.ts'
import type { Db, Tx } from './database.ts'
import { insertEvent } from './event.ts'
import type { EventPosition } from './read/event.ts'
import { disableWebhook, findLockedWebhook, lockWebhook, openDisabledTask, wakeWebhook } from './webhook.ts'

/** How a webhook stands that something may be posted to. */
export async function readWebhookToPost(db: Db, id: string) {
  return await db
    .selectFrom('webhooks')
    .select(['url', 'state', 'rests', 'rests_until as restsUntil'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
}

/** Deliveries that are due, those that have waited longest first, each with its event. */
export async function listDueDeliveries(db: Db, id: string, { now, limit }: { now: string; limit: number }) {
  return await db
    .selectFrom('webhook_deliveries as delivery')
    .innerJoin('events', 'events.id', 'delivery.event_id')
    .selectAll('events')
    .select(['delivery.revision', 'delivery.failures', 'delivery.first_failed_at as firstFailedAt'])
    .where('delivery.webhook_id', '=', id)
    .where('delivery.state', '=', 'waiting')
    .where('delivery.due_at', '<=', now)
    .orderBy('delivery.due_at')
    .orderBy('delivery.event_id')
    .limit(limit)
    .execute()
}

export type DueDelivery = Awaited<ReturnType<typeof listDueDeliveries>>[number]

/** What an attempt came to; it was made of this revision of a delivery. */
export interface MadeAttempt extends Attempt {
  readonly delivery: Pick<DueDelivery, 'id' | 'revision' | 'failures' | 'firstFailedAt'>
  readonly at: string
  readonly durationMs: number
  /** Null where there is an answer. */
  readonly failure: string | null
  readonly answer: string | null
}

const longestAnswer = 500
const longestFailure = 1_000

/**
 * Keeps what attempts came to that were made at once, and decides what becomes of the deliveries and of the webhook. A delivery that was
 * asked for anew meanwhile is left as it is.
 */
export async function noteAttempts(
  db: Db,
  { webhookId, made, now }: { webhookId: string; made: readonly MadeAttempt[]; now: string },
): Promise<void> {
  if (made.length === 0) return
  await db.transaction().execute(async (tx) => {
    const webhook = await findLockedWebhook(tx, webhookId)
    // Deleted meanwhile: its log is gone with it.
    if (webhook === undefined) return
    await insertAttempts(tx, webhookId, made)
    const decision = decideWebhook(webhook, made, now)
    await tx
      .updateTable('webhooks')
      .set({
        failing_since: decision.failingSince,
        rests: decision.rests,
        rests_until: decision.restsUntil,
        ...(decision.failingSince === null ? { last_delivered_at: now } : {}),
      })
      .where('id', '=', webhookId)
      .execute()
    const { disabledReason: reason } = decision
    const isDisabled = reason !== null && webhook.state === 'enabled'
    await settleDeliveries(tx, { webhookId, made, now, isDisabled })
    if (!isDisabled) return
    await disableWebhook(tx, { id: webhookId, url: webhook.url, reason }, {})
    await openDisabledTask(tx, { id: webhookId, url: webhook.url, reason })
  })
}

async function insertAttempts(tx: Tx, webhookId: string, made: readonly MadeAttempt[]): Promise<void> {
  const rows = made.map(({ delivery, at, durationMs, status, failure, answer }) => ({
    webhook_id: webhookId,
    event_id: delivery.id,
    at,
    duration_ms: Math.round(durationMs),
    status,
    failure: failure === null ? null : toStorable(failure).slice(0, longestFailure) || 'no answer',
    answer: answer === null ? null : toStorable(answer.slice(0, longestAnswer)),
  }))
  await tx.insertInto('webhook_attempts').values(rows).execute()
}

/** What a disabled webhook has not taken is not given up: it waits until a person has enabled it. */
async function settleDeliveries(
  tx: Tx,
  of: { webhookId: string; made: readonly MadeAttempt[]; now: string; isDisabled: boolean },
): Promise<void> {
  const rows = of.made.map(({ delivery, ...attempt }) => {
    const decision = decideDelivery(delivery, attempt, of.now)
    return { id: delivery.id, revision: delivery.revision, ...toSettled(decision, of) }
  })
  await sql`
    update webhook_deliveries delivery set
      state = decided.state, failures = decided.failures, first_failed_at = decided."firstFailedAt",
      due_at = decided."dueAt", settled_at = decided."settledAt"
    from json_to_recordset(${JSON.stringify(rows)}::json) as decided (id bigint, revision integer, state text, failures integer,
      "firstFailedAt" timestamptz, "dueAt" timestamptz, "settledAt" timestamptz)
    where delivery.webhook_id = ${of.webhookId} and delivery.event_id = decided.id and delivery.revision = decided.revision`.execute(
    tx,
  )
}

function toSettled(decision: DeliveryDecision, { now, isDisabled }: { now: string; isDisabled: boolean }) {
  switch (decision.state) {
    case 'delivered':
      return { state: 'delivered', failures: 0, firstFailedAt: null, dueAt: now, settledAt: now }
    case 'given_up':
      return isDisabled
        ? { ...decision, state: 'waiting', dueAt: now, settledAt: null }
        : { ...decision, dueAt: now, settledAt: now }
    case 'waiting':
      return { ...decision, settledAt: null }
  }
}

/**
 * Lets the workflow of a webhook sleep where nothing is due: whatever comes next wakes it.
 * @returns how long it may sleep if nothing comes; null: for as long as it takes; 0: something is due
 */
export async function fallAsleep(db: Db, id: string, now: string): Promise<number | null> {
  return await db.transaction().execute(async (tx) => {
    const { state, restsUntil } = await tx
      .selectFrom('webhooks')
      .select(['state', 'rests_until as restsUntil'])
      .where('id', '=', id)
      .forNoKeyUpdate()
      .executeTakeFirstOrThrow()
    const { dueAt } = await tx
      .selectFrom('webhook_deliveries')
      .select((eb) => eb.fn.min<string | null>('due_at').as('dueAt'))
      .where('webhook_id', '=', id)
      .where('state', '=', 'waiting')
      .executeTakeFirstOrThrow()
    const isOver = state !== 'enabled' || dueAt === null
    const nextMs = isOver ? null : Math.max(Date.parse(dueAt), Date.parse(restsUntil ?? dueAt))
    const waitMs = nextMs === null ? null : Math.max(0, nextMs - Date.parse(now))
    if (waitMs !== 0) await tx.updateTable('webhooks').set({ is_awake: false }).where('id', '=', id).execute()
    return waitMs
  })
}

/** Those for which something waits that was not tried yet, and whose workflow sleeps; where it is to leave it alone, it wakes by itself. */
function sleepers(db: Db) {
  return db
    .selectFrom('webhooks')
    .select('id')
    .where('state', '=', 'enabled')
    .where('is_awake', '=', false)
    .where(sql<boolean>`(rests_until is null or rests_until < now() - interval '5 s')`)
    .where(
      sql<boolean>`exists (select from webhook_deliveries delivery where delivery.webhook_id = webhooks.id and delivery.state = 'waiting' and delivery.failures = 0)`,
    )
}

/**
 * Has the workflows told for whose webhooks events were written since they fell asleep. Whoever writes an event tells nobody: it would
 * have to lock the webhook, and every change would wait for every other. So this is looked for, again and again.
 */
export async function wakeWebhooks(db: Db): Promise<void> {
  const found = await sleepers(db).execute()
  if (found.length === 0) return
  await db.transaction().execute(async (tx) => {
    const woken = await tx
      .updateTable('webhooks')
      .set({ is_awake: true })
      .where('id', 'in', sleepers(tx).orderBy('id').forNoKeyUpdate().skipLocked())
      .returning(['id', sql<string>`clock_timestamp()::text`.as('at')])
      .execute()
    for (const { id, at } of woken) await wakeWebhook(tx, id, at)
  })
}

/**
 * Writes an event for one webhook, whatever it wants, and for no other.
 * @throws `not_found`
 */
export async function testWebhook(tx: Tx, id: string, { actor }: { actor: string }): Promise<EventPosition> {
  const { url } = await lockWebhook(tx, id)
  const data = { webhook: encodeId('webhook', id), url, actor }
  const { rows } = await sql<{ transactionId: string; id: number }>`
    insert into events (kind, data) values ('webhook.tested', ${JSON.stringify(data)})
    returning id, transaction_id as "transactionId"`.execute(tx)
  const event = rows[0]
  assert(event !== undefined, 'the event was written')
  await tx.insertInto('webhook_deliveries').values({ webhook_id: id, event_id: event.id }).execute()
  return event
}

export type Redelivered =
  | { readonly eventId: number }
  | { readonly from: string; readonly until: string; readonly isGivenUpOnly: boolean }

/** As many at once. */
const mostRedelivered = 10_000

/**
 * Has events delivered, or delivered again: one, or those of a time that the webhook wants, the time before it was made too.
 * @returns how many
 * @throws `not_found` for an event that there is not, `action_not_allowed` for more than can be asked for at once
 */
export async function redeliver(
  tx: Tx,
  webhookId: string,
  { asked, actor, now }: { asked: Redelivered; actor: string; now: string },
): Promise<number> {
  const { url } = await lockWebhook(tx, webhookId)
  const chosen =
    'eventId' in asked
      ? sql`event.id = ${asked.eventId}`
      : sql`event.occurred_at >= ${asked.from} and event.occurred_at < ${asked.until} and event.kind <> 'webhook.tested'
        and is_wanted((select kinds from webhooks where id = ${webhookId}), event.kind)
        and (not ${asked.isGivenUpOnly} or exists (select from webhook_deliveries where webhook_id = ${webhookId} and event_id = event.id and state = 'given_up'))`
  const { numAffectedRows } = await sql`
    insert into webhook_deliveries as delivery (webhook_id, event_id, queued_at, due_at)
    select ${webhookId}, event.id, ${now}, ${now} from events event where ${chosen} order by event.id limit ${mostRedelivered + 1}
    on conflict (webhook_id, event_id) do update set state = 'waiting', failures = 0, first_failed_at = null, settled_at = null,
      revision = delivery.revision + 1, queued_at = excluded.queued_at, due_at = excluded.due_at`.execute(tx)
  const count = Number(numAffectedRows ?? 0)
  if (count > mostRedelivered)
    throw new BusinessError(
      'action_not_allowed',
      `More than ${mostRedelivered} events were chosen. Ask for a shorter time at once.`,
    )
  if (count === 0 && 'eventId' in asked) throw new BusinessError('not_found', 'There is no such event.')
  const data = { webhook: encodeId('webhook', webhookId), url, count, actor }
  await insertEvent(tx, { kind: 'webhook.redelivery_asked', data })
  return count
}

/** What was delivered, or waited in vain, long ago is forgotten with its attempts. */
export async function forgetDeliveries(db: Db, now: string): Promise<void> {
  const before = new Date(Date.parse(now) - webhookKeptDays * 86_400_000).toISOString()
  await db.deleteFrom('webhook_deliveries').where('queued_at', '<', before).execute()
}
