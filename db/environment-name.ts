import { sql } from 'kysely'
import {
  checkEnvironmentNames,
  takenName,
  type EnvironmentNames,
  type NameKind,
} from '#domain/environment.ts'
import { BusinessError, fieldError } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Tx } from './database.ts'
import { refuseOwnNames } from './environment.ts'
import { insertEvent } from './event.ts'
import { getInstallation } from './read/installation.ts'

/**
 * Gives an environment another name, and as long as nothing was ever in it, another prefix: what is on servers begins with that.
 * @throws `prefix_fixed`, `name_invalid`, `name_taken`, `prefix_taken`, `not_found` for one whose names are free again
 */
export async function renameEnvironment(
  tx: Tx,
  environmentId: string,
  asked: Partial<EnvironmentNames>,
  actor: string,
): Promise<void> {
  const row = await tx
    .selectFrom('environments')
    .select(['name', 'prefix', 'customer_id', 'released_at'])
    .where('id', '=', environmentId)
    .forUpdate()
    .executeTakeFirstOrThrow()
  if (row.released_at !== null)
    throw new BusinessError('not_found', 'Its order came to nothing: the environment is no more.')
  const names = { name: asked.name ?? row.name, prefix: asked.prefix ?? row.prefix }
  const changed = (['name', 'prefix'] as const).filter((kind) => names[kind] !== row[kind])
  if (changed.length === 0) return
  checkEnvironmentNames(names, '')
  if (changed.includes('prefix')) await refuseUsedPrefix(tx, environmentId, row.prefix)
  refuseOwnNames(names, (await getInstallation(tx)).id, changed, '')
  for (const kind of changed) await refuseTaken(tx, environmentId, kind, names[kind])
  await tx.updateTable('environments').set(names).where('id', '=', environmentId).execute()
  await insertEvent(tx, {
    kind: 'environment.renamed',
    customerId: row.customer_id,
    data: {
      environment: encodeId('environment', environmentId),
      by: actor,
      changes: changed.map((kind) => ({ what: kind, from: row[kind], to: names[kind] })),
    },
  })
}

async function refuseUsedPrefix(tx: Tx, environmentId: string, prefix: string): Promise<void> {
  const used = await tx
    .selectFrom('subscriptions')
    .select('id')
    .where('environment_id', '=', environmentId)
    .limit(1)
    .executeTakeFirst()
  if (!used) return
  const detail = `The prefix ${prefix} begins the names of what was ordered into the environment: it is fixed.`
  throw fieldError('/prefix', 'prefix_fixed', detail)
}

/** Used by another environment, or held by an open draft. Of two at once the database refuses the second. */
async function refuseTaken(tx: Tx, environmentId: string, kind: NameKind, value: string): Promise<void> {
  const { rows } = await sql`
    select from environments where ${sql.ref(kind)} = ${value} and id <> ${environmentId} and released_at is null
    union all
    select from reserved_names where kind = ${kind} and value = ${value} and expires_at > now()`.execute(tx)
  if (rows.length > 0) throw takenName(kind, value, '')
}
