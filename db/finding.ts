import { sql } from 'kysely'
import type { Finding } from '#domain/finding.ts'
import { decodeId } from '#domain/identifier.ts'
import type { Db } from './database.ts'
import { newId } from './identifier.ts'

/** What a comparison was about: a whole server, or some of its instances. */
export interface ComparedScope {
  readonly serverId: string
  readonly instanceIds: readonly string[] | null
}

/** Keeps what a comparison found: new findings are opened, those seen again stay open, and those of its scope that are gone are settled. */
export async function saveFindings(
  db: Db,
  scope: ComparedScope,
  findings: readonly Finding[],
  at: string,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const seen = await openFindings(tx, scope.serverId, findings, at)
    let gone = tx
      .updateTable('findings')
      .set({ settled_at: sql`greatest(found_at, ${at}::timestamptz)` as never })
      .where('server_id', '=', scope.serverId)
      .where('settled_at', 'is', null)
      .where('id', '<>', sql<string>`all(${seen}::uuid[])`)
    if (scope.instanceIds !== null)
      gone = gone.where('instance_id', '=', sql<string>`any(${scope.instanceIds}::uuid[])`)
    await gone.execute()
  })
}

async function openFindings(
  tx: Db,
  serverId: string,
  findings: readonly Finding[],
  at: string,
): Promise<string[]> {
  if (findings.length === 0) return []
  const known = new Map(findings.map((one) => [`${one.kind}/${one.objectKind}/${one.objectName}`, one]))
  const kept = await tx
    .insertInto('findings')
    .values(
      [...known.values()].map((one) => ({
        id: newId(),
        server_id: serverId,
        instance_id: one.instance === null ? null : decodeId('instance', one.instance),
        kind: one.kind,
        severity: one.severity,
        object_kind: one.objectKind,
        object_name: one.objectName,
        detail: one.detail,
        is_safe: one.isSafe,
        command: one.command,
        found_at: at,
        seen_at: at,
        settled_at: null,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['server_id', 'kind', 'object_kind', 'object_name'])
        .where('settled_at', 'is', null)
        .doUpdateSet((row) => ({
          seen_at: sql`greatest(findings.seen_at, ${at}::timestamptz)` as never,
          instance_id: row.ref('excluded.instance_id'),
          severity: row.ref('excluded.severity'),
          detail: row.ref('excluded.detail'),
          is_safe: row.ref('excluded.is_safe'),
          command: row.ref('excluded.command'),
        })),
    )
    .returning('id')
    .execute()
  return kept.map(({ id }) => id)
}
