import { createHmac, randomBytes } from 'node:crypto'
import { secretOverlapMs } from '#domain/webhook.ts'
import type { Db, Tx } from './database.ts'
import { newId } from './identifier.ts'
import { open, seal, type InstallationKey } from './sealing.ts'

const secretName = 'webhook_secret'
const prefix = 'whsec_'
const secretBytes = 32

/**
 * Makes the secret that signs from now on. The one before signs beside it for a day, so that receivers have time to be told; one that still
 * did so is over.
 * @returns the secret, `whsec_…`, which is shown once
 */
export async function makeSecret(
  tx: Tx,
  key: InstallationKey | null,
  { webhookId, now }: { webhookId: string; now: string },
): Promise<string> {
  if (key === null) throw new Error('a secret is sealed with the key file, which was not given')
  const id = newId()
  const secret = `${prefix}${randomBytes(secretBytes).toString('base64')}`
  const { keyId, sealed } = seal(key, id, secretName, secret)
  await tx
    .deleteFrom('webhook_secrets')
    .where('webhook_id', '=', webhookId)
    .where('expires_at', 'is not', null)
    .execute()
  await tx
    .updateTable('webhook_secrets')
    .set({ expires_at: new Date(Date.parse(now) + secretOverlapMs).toISOString() })
    .where('webhook_id', '=', webhookId)
    .execute()
  await tx
    .insertInto('webhook_secrets')
    .values({ id, webhook_id: webhookId, key_id: keyId, sealed, made_at: now })
    .execute()
  return secret
}

/** The secrets that sign, the newest first. */
export async function openSecrets(
  db: Db,
  key: InstallationKey,
  { webhookId, now }: { webhookId: string; now: string },
): Promise<string[]> {
  const rows = await db
    .selectFrom('webhook_secrets')
    .select(['id', 'key_id', 'sealed'])
    .where('webhook_id', '=', webhookId)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .orderBy('made_at', 'desc')
    .execute()
  return rows.map((row) => open(key, row.id, { name: secretName, keyId: row.key_id, sealed: row.sealed }))
}

export interface WebhookMessage {
  /** Steady over repetitions: by it the receiver knows what it has. */
  readonly id: string
  readonly body: string
}

/**
 * The headers of a message as the Standard Webhooks have them: HMAC-SHA256 over id, time and body, by each of the secrets.
 * @param atMs when it is sent; a receiver takes none that is minutes old
 */
export function signWebhook(
  secrets: readonly string[],
  { id, body }: WebhookMessage,
  atMs: number,
): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1_000))
  const signatures = secrets.map((secret) => {
    const bytes = Buffer.from(secret.slice(prefix.length), 'base64')
    return `v1,${createHmac('sha256', bytes).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  })
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  }
}
