import type { Db } from '#db/database.ts'
import type { InstanceState } from '#domain/instance.ts'

/** The instance of a subscription that has one. */
export async function findInstanceId(db: Db, subscriptionId: string): Promise<string> {
  const { id } = await db
    .selectFrom('instances')
    .select('id')
    .where('subscription_id', '=', subscriptionId)
    .executeTakeFirstOrThrow()
  return id
}

/** Through one state after the other, as a build or an end does. */
export async function moveInstances(
  db: Db,
  subscriptionId: string,
  ...states: readonly InstanceState[]
): Promise<void> {
  for (const state of states)
    await db.updateTable('instances').set({ state }).where('subscription_id', '=', subscriptionId).execute()
}
