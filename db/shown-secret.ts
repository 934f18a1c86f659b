import { BusinessError } from '#domain/errors.ts'
import type { Db } from './database.ts'
import { insertEvent } from './event.ts'
import { open, type InstallationKey } from './sealing.ts'

/** The secrets of an instance, without their values. */
export async function listSecretFacts(db: Db, instanceId: string) {
  return await db
    .selectFrom('secrets')
    .select(['name', 'version', 'created_at', 'shown_at'])
    .where('instance_id', '=', instanceId)
    .where('retired_at', 'is', null)
    .where('destroyed_at', 'is', null)
    .orderBy('name')
    .execute()
}

/**
 * Gives the value of a secret, once for each of its values: of two who ask at once, one gets it.
 * @throws `not_found`, `secret_shown`
 */
export async function showSecret(
  db: Db,
  { instanceId, name, actor, now }: { instanceId: string; name: string; actor: string; now: string },
  key: InstallationKey,
): Promise<string> {
  return await db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('secrets')
      .innerJoin('instances', 'instances.id', 'secrets.instance_id')
      .innerJoin('subscriptions', 'subscriptions.id', 'instances.subscription_id')
      .select(['secrets.version', 'secrets.key_id', 'secrets.sealed', 'secrets.shown_at'])
      .select(['instances.name as instance', 'instances.subscription_id', 'subscriptions.customer_id'])
      .where('secrets.instance_id', '=', instanceId)
      .where('secrets.name', '=', name)
      .where('secrets.retired_at', 'is', null)
      .where('secrets.destroyed_at', 'is', null)
      .forUpdate('secrets')
      .executeTakeFirst()
    if (row === undefined) throw new BusinessError('not_found', `The instance has no secret ${name}.`)
    if (row.shown_at !== null)
      throw new BusinessError('secret_shown', `${name} was shown on ${row.shown_at.slice(0, 10)}.`)
    await tx
      .updateTable('secrets')
      .set({ shown_at: now })
      .where('instance_id', '=', instanceId)
      .where('name', '=', name)
      .where('version', '=', row.version)
      .execute()
    await insertEvent(tx, {
      kind: 'instance.secret_shown',
      customerId: row.customer_id,
      subscriptionId: row.subscription_id,
      data: { name: row.instance, subject: name, by: actor },
    })
    return open(key, instanceId, { name, keyId: row.key_id, sealed: row.sealed })
  })
}
