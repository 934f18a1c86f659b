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

/**
 * Recorded only after the absence was observed. A network that is gone is gone for the instances of its environment that have ended,
 * too, and had left it to others.
 */
export async function recordRemoval(
  db: Db,
  resource: { instanceId: string; kind: 'container' | 'volume' | 'network'; name: string },
): Promise<void> {
  await db
    .updateTable('resources')
    .set({ removed_at: new Date().toISOString() })
    .where('kind', '=', resource.kind)
    .where('name', '=', resource.name)
    .where('removed_at', 'is', null)
    .where((row) =>
      row.or([
        row('instance_id', '=', resource.instanceId),
        row.and([row.val(resource.kind === 'network'), row('instance_id', 'in', endedBeside(db, resource))]),
      ]),
    )
    .execute()
}

function endedBeside(db: Db, { instanceId }: { instanceId: string }) {
  return db
    .selectFrom('instances as ended')
    .innerJoin('instances as own', (join) =>
      join
        .onRef('own.server_id', '=', 'ended.server_id')
        .onRef('own.environment_id', '=', 'ended.environment_id'),
    )
    .select('ended.id')
    .where('own.id', '=', instanceId)
    .where('ended.destroyed_at', 'is not', null)
}
