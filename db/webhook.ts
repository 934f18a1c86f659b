import { sql } from 'kysely'
import { BusinessError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Tx } from './database.ts'
import { insertEvent } from './event.ts'
import { newId } from './identifier.ts'
import { lastingWorkflowId, startLastingWorkflow } from './lasting-workflow.ts'
import { insertWorkflowSignal, reopenWorkflowStart } from './outbox.ts'
import type { InstallationKey } from './sealing.ts'
import { closeTasks, openTask } from './task.ts'
import { makeSecret } from './webhook-secret.ts'

export interface By {
  readonly actor: string
  readonly now: string
}

export interface WebhookFacts {
  readonly url: string
  readonly description: string
  /** Null: all. */
  readonly kinds: readonly string[] | null
}

const workflowIdOf = (id: string) => lastingWorkflowId({ kind: 'webhook', id })

/** Keeps where events are posted to from now on, and has its workflow started. The secret is in this answer only. */
export async function insertWebhook(
  tx: Tx,
  key: InstallationKey | null,
  facts: WebhookFacts,
  by: By,
): Promise<{ id: string; secret: string }> {
  const id = newId()
  await tx
    .insertInto('webhooks')
    .values({ id, ...toColumns(facts), created_at: by.now, created_by: by.actor })
    .execute()
  const secret = await makeSecret(tx, key, { webhookId: id, now: by.now })
  await tellOf(tx, id, { kind: 'webhook.created', url: facts.url, actor: by.actor })
  await startLastingWorkflow(
    tx,
    { kind: 'webhook', id },
    {
      summary: 'Events posted to another program',
      details: 'Posts what waits, and again what was not taken, until it is.',
    },
  )
  return { id, secret }
}

function toColumns({ url, description, kinds }: WebhookFacts) {
  return { url, description, kinds: kinds === null ? null : [...kinds] }
}

/** What waits goes to the new address; what is wanted holds for events from now on. @throws `not_found` */
export async function changeWebhook(
  tx: Tx,
  id: string,
  change: Partial<WebhookFacts>,
  by: By,
): Promise<void> {
  const before = await lockWebhook(tx, id)
  const facts = { ...before, ...change }
  await tx.updateTable('webhooks').set(toColumns(facts)).where('id', '=', id).execute()
  await tellOf(tx, id, { kind: 'webhook.changed', url: facts.url, kinds: facts.kinds, actor: by.actor })
}

/** @returns the next secret, in this answer only @throws `not_found` */
export async function rotateSecret(tx: Tx, key: InstallationKey | null, id: string, by: By): Promise<string> {
  const { url } = await lockWebhook(tx, id)
  const secret = await makeSecret(tx, key, { webhookId: id, now: by.now })
  await tellOf(tx, id, { kind: 'webhook.secret_rotated', url, actor: by.actor })
  return secret
}

/** Nothing is posted any more; what is wanted waits. @throws `not_found`, `action_not_allowed` */
export async function disableByHand(tx: Tx, id: string, by: By): Promise<void> {
  const { url, state } = await lockWebhook(tx, id)
  if (state === 'disabled') throw new BusinessError('action_not_allowed', 'This webhook is disabled already.')
  await disableWebhook(tx, { id, url, reason: `Disabled by ${by.actor}.` }, by)
}

/** Of a webhook that is locked. */
export async function disableWebhook(
  tx: Tx,
  { id, url, reason }: { id: string; url: string; reason: string },
  { actor }: { actor?: string },
): Promise<void> {
  await tx
    .updateTable('webhooks')
    .set({ state: 'disabled', disabled_reason: reason, rests: 0, rests_until: null })
    .where('id', '=', id)
    .execute()
  await tellOf(tx, id, { kind: 'webhook.disabled', url, reason, ...(actor === undefined ? {} : { actor }) })
}

/** A person is told of what nobody disabled by hand. */
export async function openDisabledTask(
  tx: Tx,
  { id, url, reason }: { id: string; url: string; reason: string },
): Promise<void> {
  await openTask(tx, {
    kind: 'webhook_disabled',
    subjectKind: 'webhook',
    subjectId: id,
    subject: `Events are not posted to ${new URL(url).host} any more`,
    detail: `${reason} What it is to have waits for thirty days. See what it answered, have it mended, then enable the webhook; or delete it.`,
  })
}

/** All that waits is posted at once, whatever it waited for. @throws `not_found`, `action_not_allowed` */
export async function enableWebhook(tx: Tx, id: string, by: By): Promise<void> {
  const { url, state } = await lockWebhook(tx, id)
  if (state === 'enabled') throw new BusinessError('action_not_allowed', 'This webhook is enabled already.')
  await tx
    .updateTable('webhooks')
    .set({
      state: 'enabled',
      disabled_reason: null,
      failing_since: null,
      rests: 0,
      rests_until: null,
      is_awake: false,
    })
    .where('id', '=', id)
    .execute()
  await tx
    .updateTable('webhook_deliveries')
    .set({ failures: 0, first_failed_at: null, due_at: by.now, revision: sql<number>`revision + 1` })
    .where('webhook_id', '=', id)
    .where('state', '=', 'waiting')
    .execute()
  await closeTasks(tx, { kind: 'webhook', id, reason: `enabled by ${by.actor}` }, ['webhook_disabled'])
  await tellOf(tx, id, { kind: 'webhook.enabled', url, actor: by.actor })
  // Should somebody have ended its workflow.
  await reopenWorkflowStart(tx, workflowIdOf(id))
}

/** What waits is not posted, and its log is gone. @throws `not_found` */
export async function deleteWebhook(tx: Tx, id: string, by: By): Promise<void> {
  const { url } = await lockWebhook(tx, id)
  await tx
    .updateTable('webhooks')
    .set({ state: 'deleted', disabled_reason: null })
    .where('id', '=', id)
    .execute()
  await tx.deleteFrom('webhook_secrets').where('webhook_id', '=', id).execute()
  await tx.deleteFrom('webhook_deliveries').where('webhook_id', '=', id).execute()
  await closeTasks(tx, { kind: 'webhook', id, reason: `deleted by ${by.actor}` }, ['webhook_disabled'])
  await tellOf(tx, id, { kind: 'webhook.deleted', url, actor: by.actor })
  await wakeWebhook(tx, id, by.now)
}

/**
 * Has its workflow told, in the transaction of what it is told.
 * @param occasion tells one time from another
 */
export async function wakeWebhook(tx: Tx, id: string, occasion: string): Promise<void> {
  await insertWorkflowSignal(tx, { workflowId: workflowIdOf(id), signal: 'deliveriesWait' }, occasion)
}

/** @throws `not_found` */
export async function lockWebhook(tx: Tx, id: string) {
  const row = await findLockedWebhook(tx, id)
  if (row === undefined) throw new BusinessError('not_found', 'There is no such webhook.')
  return row
}

/** Undefined for one that was deleted. */
export async function findLockedWebhook(tx: Tx, id: string) {
  return await tx
    .selectFrom('webhooks')
    .select(['url', 'description', 'kinds', 'state', 'failing_since as failingSince', 'rests'])
    .where('id', '=', id)
    .where('state', '<>', 'deleted')
    .forNoKeyUpdate()
    .executeTakeFirst()
}

async function tellOf(
  tx: Tx,
  id: string,
  {
    kind,
    ...data
  }: {
    readonly kind: `webhook.${'changed' | 'created' | 'deleted' | 'disabled' | 'enabled' | 'secret_rotated'}`
  } & Record<string, unknown>,
): Promise<void> {
  await insertEvent(tx, { kind, data: { webhook: encodeId('webhook', id), ...data } })
}
