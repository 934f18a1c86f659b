import { fieldError } from '#domain/errors.ts'
import type { Db, Tx } from './database.ts'
import type { OrderContext } from './order-context.ts'

/** The backup that instances of an application begin with. */
export interface RestorableBackup {
  readonly backupId: string
  readonly applicationId: string
  /** Where it is kept; it is restored there only. */
  readonly serverId: string
}

/**
 * The backup that an order is restored from. It is held until the order is there, so that it is not deleted meanwhile.
 * @throws `backup_not_restorable` unless it is kept, the customer's own, and of what is ordered
 */
export async function lockRestorable(
  tx: Tx,
  backupId: string | null | undefined,
  { customer, planned }: Pick<OrderContext, 'customer' | 'planned'>,
): Promise<RestorableBackup | null> {
  if (backupId == null) return null
  const refuse = (detail: string) => fieldError('/restore_from', 'backup_not_restorable', detail)
  const row = await tx
    .selectFrom('backups')
    .innerJoin('instances', 'instances.id', 'backups.instance_id')
    .innerJoin('subscriptions', 'subscriptions.id', 'instances.subscription_id')
    .innerJoin('application_versions as version', 'version.id', 'instances.application_version_id')
    .select(['backups.state', 'backups.server_id', 'subscriptions.customer_id', 'version.application_id'])
    .where('backups.id', '=', backupId)
    .forUpdate('backups')
    .executeTakeFirst()
  if (!row || row.customer_id !== customer.id) throw refuse('The customer has no such backup.')
  if (row.state !== 'kept') throw refuse(`The backup is ${row.state}: only one that is kept can be restored.`)
  if (!planned.some(({ applicationIds }) => applicationIds.includes(row.application_id)))
    throw refuse('Nothing in the order builds the application of the backup.')
  return { backupId, applicationId: row.application_id, serverId: row.server_id }
}

/** Of what, and where, a backup is kept; nothing is held, and nothing refused. */
export async function findRestored(
  db: Db,
  backupId: string | null | undefined,
): Promise<Omit<RestorableBackup, 'backupId'> | null> {
  if (backupId == null) return null
  const row = await db
    .selectFrom('backups')
    .innerJoin('instances', 'instances.id', 'backups.instance_id')
    .innerJoin('application_versions as version', 'version.id', 'instances.application_version_id')
    .select(['backups.server_id', 'version.application_id'])
    .where('backups.id', '=', backupId)
    .executeTakeFirst()
  return row ? { applicationId: row.application_id, serverId: row.server_id } : null
}
