import { sql } from 'kysely'
import type { ApplicationDefinition } from '#domain/application.ts'
import type { ImagePin } from '#domain/image-pin.ts'
import type { Db } from './database.ts'

/** Keeps what the name of an image means for an instance: one row for each service that runs it. */
export async function keepPin(
  db: Db,
  instance: { id: string; definition: Pick<ApplicationDefinition, 'services'> },
  pin: ImagePin,
): Promise<void> {
  const services = instance.definition.services.filter(({ image }) => image.reference === pin.reference)
  if (services.length === 0) return
  await db
    .insertInto('instance_images')
    .values(
      services.map(({ name }) => ({
        instance_id: instance.id,
        service: name,
        reference: pin.reference,
        repository_digest: pin.repositoryDigest,
        image_id: pin.imageId,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['instance_id', 'service']).doUpdateSet((row) => ({
        reference: row.ref('excluded.reference'),
        repository_digest: row.ref('excluded.repository_digest'),
        image_id: row.ref('excluded.image_id'),
      })),
    )
    .execute()
}

/**
 * The images of instances by the instance's id. What was restored runs what ran where its data comes from, until it has images of
 * its own.
 */
export async function listPins(
  db: Db,
  instanceIds: readonly string[],
): Promise<ReadonlyMap<string, readonly ImagePin[]>> {
  if (instanceIds.length === 0) return new Map()
  const { rows } = await sql<{
    instance_id: string
    reference: string
    repository_digest: string | null
    image_id: string
  }>`
    select distinct on (instance.id, image.reference)
      instance.id as instance_id, image.reference, image.repository_digest, image.image_id
    from instances instance
      left join backups backup on backup.id = instance.restored_from_backup_id
      join instance_images image on image.instance_id in (instance.id, backup.instance_id)
    where instance.id = any(${instanceIds}::uuid[])
    order by instance.id, image.reference, image.instance_id = instance.id desc`.execute(db)
  const pins = rows.map((row) => ({
    instanceId: row.instance_id,
    pin: { reference: row.reference, repositoryDigest: row.repository_digest, imageId: row.image_id },
  }))
  return new Map(
    [...Map.groupBy(pins, ({ instanceId }) => instanceId)].map(([id, own]) => [
      id,
      own.map(({ pin }) => pin),
    ]),
  )
}
