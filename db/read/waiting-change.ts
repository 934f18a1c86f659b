import type { Db } from '../database.ts'

/** The changes of a subscription that wait until less is used, with what was measured last; the oldest first. */
export async function listWaitingChanges(db: Db, subscriptionId: string) {
  return await db
    .selectFrom('waiting_changes as change')
    .leftJoin('limits as limit', (join) =>
      join
        .onRef('limit.instance_id', '=', 'change.instance_id')
        .onRef('limit.code', '=', 'change.limit_code'),
    )
    .selectAll('change')
    .select(['limit.used_quantity', 'limit.unit'])
    .where('change.subscription_id', '=', subscriptionId)
    .where('change.state', '=', 'waiting')
    .orderBy('change.id')
    .execute()
}
export type WaitingChange = Awaited<ReturnType<typeof listWaitingChanges>>[number]
