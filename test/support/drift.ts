import type { Db } from '#db/database.ts'
import { saveFindings } from '#db/finding.ts'
import { saveObserved } from '#db/reconciliation.ts'
import { repairCommand, type Finding } from '#domain/finding.ts'
import { decodeId, encodeId } from '#domain/identifier.ts'

export interface DriftedInstance {
  /** `ins_…` */
  readonly instance: string
  readonly serverId: string
}

/** What a comparison writes of the instance of a subscription whose container was stopped by hand. */
export async function seedDrift(db: Db, subscriptionId: string, at: string): Promise<DriftedInstance> {
  const { id, server_id: serverId } = await db
    .selectFrom('instances')
    .select(['id', 'server_id'])
    .where('subscription_id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  const instance = encodeId('instance', id)
  const stopped: Finding = {
    kind: 'stopped',
    severity: 'critical',
    instance,
    objectKind: 'container',
    objectName: 'harbour-bakery_site_web',
    detail: 'Container harbour-bakery_site_web should run and is exited, exit code 137.',
    isSafe: true,
    command: repairCommand(instance),
  }
  await saveObserved(db, new Map([[id, { state: 'stopped', differences: [], containers: [] }]]), at)
  await saveFindings(db, { serverId, instanceIds: null }, [stopped], at)
  return { instance, serverId }
}

/** What the next comparison writes once it runs again. */
export async function settleDrift(
  db: Db,
  { instance, serverId }: DriftedInstance,
  at: string,
): Promise<void> {
  await saveObserved(
    db,
    new Map([[decodeId('instance', instance), { state: 'running', differences: [], containers: [] }]]),
    at,
  )
  await saveFindings(db, { serverId, instanceIds: null }, [], at)
}
