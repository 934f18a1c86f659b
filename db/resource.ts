import type { Db } from './database.ts'
import { newId } from './identifier.ts'

/** Records what really exists; made again under another id, the record follows. */
export async function recordResource(
  db: Db,
  resource: {
    instanceId: string
    serverId: string
    kind: 'container' | 'volume' | 'network' | 'image'
    name: string
    externalId: string
  },
): Promise<void> {
  await db
    .insertInto('resources')
    .values({
      id: newId(),
      instance_id: resource.instanceId,
      server_id: resource.serverId,
      kind: resource.kind,
      name: resource.name,
      external_id: resource.externalId,
      removed_at: null,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['instance_id', 'kind', 'name'])
        .where('removed_at', 'is', null)
        .doUpdateSet({ external_id: resource.externalId }),
    )
    .execute()
}

/** Recorded only after the absence was observed. */
export async function recordRemoval(
  db: Db,
  resource: { instanceId: string; kind: 'container' | 'volume' | 'network'; name: string },
): Promise<void> {
  await db
    .updateTable('resources')
    .set({ removed_at: new Date().toISOString() })
    .where('instance_id', '=', resource.instanceId)
    .where('kind', '=', resource.kind)
    .where('name', '=', resource.name)
    .where('removed_at', 'is', null)
    .execute()
}
