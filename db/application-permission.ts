import type { Db } from './database.ts'
import { insertEvent } from './event.ts'

export interface Grant {
  readonly permission: string
  readonly reason: string
}

/** What was granted to the application of a code; nothing where there is none yet. */
export async function listGrants(db: Db, code: string) {
  return await db
    .selectFrom('application_permissions as granted')
    .innerJoin('applications as application', 'application.id', 'granted.application_id')
    .select(['granted.permission', 'granted.reason', 'granted.granted_by', 'granted.granted_at'])
    .where('application.code', '=', code)
    .orderBy('granted.permission')
    .execute()
}

/** Keeps who let an application do what, and why. What was granted before stays as it was. */
export async function grantPermissions(
  tx: Db,
  application: { id: string; code: string },
  grants: readonly Grant[],
  actor: string,
): Promise<void> {
  for (const { permission, reason } of grants) {
    const granted = await tx
      .insertInto('application_permissions')
      .values({ application_id: application.id, permission, reason, granted_by: actor })
      .onConflict((conflict) => conflict.doNothing())
      .returning('permission')
      .executeTakeFirst()
    if (!granted) continue
    const data = { application: application.code, permission, reason, actor }
    await insertEvent(tx, { kind: 'application.permission_granted', data })
  }
}
