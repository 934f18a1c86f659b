import { fieldError } from '#domain/errors.ts'
import type { Tx } from './database.ts'
import type { OrderContext } from './order-context.ts'

/** The backup that instances of an application begin with. */
export interface RestorableBackup {
  readonly backupId: string
  readonly applicationId: string
}

/**
 * The backup that an order is restored from. It is held until the order is there, so that it is not deleted meanwhile.
 * @throws `backup_not_restorable` unless it is kept, the customer's own, on the server, and of what is ordered
 */
export async function lockRestorable(
  tx: Tx,
  backupId: string | null | undefined,
  { customer, server, planned }: Pick<OrderContext, 'customer' | 'server' | 'planned'>,
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
  if (row.server_id !== server?.id) throw refuse('The backup is kept on another server.')
  if (!planned.some(({ applicationIds }) => applicationIds.includes(row.application_id)))
    throw refuse('Nothing in the order builds the application of the backup.')
  return { backupId, applicationId: row.application_id }
}
