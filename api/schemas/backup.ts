import { z } from '@hono/zod-openapi'
import type { BackupRow } from '#db/read/backup.ts'
import type { RestoreRow } from '#db/read/restore.ts'
import { backupReasons, backupStates, restoreStates } from '#domain/backup.ts'
import { encodeId } from '#domain/identifier.ts'

export const backupSchema = z
  .object({
    id: z.string(),
    instance: z.string(),
    instance_name: z.string(),
    subscription: z.string(),
    reason: z.enum(backupReasons).openapi({ description: 'Before what it was taken.' }),
    unbuild: z.string().nullable().openapi({ description: 'Before which a last one was taken.' }),
    restore: z.string().nullable().openapi({ description: 'In place, before which it was taken.' }),
    server: z.string(),
    state: z.enum(backupStates).openapi({
      description: 'Kept: every copy was read back whole, and it can be restored until it expires.',
    }),
    failure: z.string().nullable(),
    bytes: z.int(),
    volumes: z.array(
      z.object({ volume: z.string(), bytes: z.int(), sha256: z.string(), location: z.string() }),
    ),
    taken_at: z.string().nullable(),
    verified_at: z.string().nullable(),
    expires_at: z.string().nullable(),
    deleted_at: z.string().nullable(),
  })
  .openapi('Backup')

export function toBackupJson(row: BackupRow): z.input<typeof backupSchema> {
  const volumes = row.volumes.map((copy) => ({ ...copy, bytes: Number(copy.bytes) }))
  return {
    id: encodeId('backup', row.id),
    instance: encodeId('instance', row.instance_id),
    instance_name: row.instance_name,
    subscription: encodeId('subscription', row.subscription_id),
    reason: row.reason,
    unbuild: row.build_order_id && encodeId('buildOrder', row.build_order_id),
    restore: row.restore_id && encodeId('restore', row.restore_id),
    server: row.server_code,
    state: row.state,
    failure: row.failure_detail,
    bytes: volumes.reduce((sum, { bytes }) => sum + bytes, 0),
    volumes,
    taken_at: row.taken_at,
    verified_at: row.verified_at,
    expires_at: row.expires_at,
    deleted_at: row.deleted_at,
  }
}

export const restoreSchema = z
  .object({
    id: z.string(),
    subscription: z.string(),
    instance: z.string(),
    instance_name: z.string(),
    backup: z.string().openapi({ description: 'What is put in place.' }),
    saved_before: z
      .string()
      .nullable()
      .openapi({ description: 'The backup of what the instance held before; null until it is taken.' }),
    state: z.enum(restoreStates).openapi({
      description:
        'Undone: it could not be done, and what was there before is there again. Failed: not even that; a task says what to do.',
    }),
    failure: z.object({ code: z.string(), detail: z.string() }).nullable(),
    created_at: z.string(),
    finished_at: z.string().nullable(),
  })
  .openapi('Restore')

export function toRestoreJson(row: RestoreRow): z.input<typeof restoreSchema> {
  const { failure_code: code, failure_detail: detail } = row
  return {
    id: encodeId('restore', row.id),
    subscription: encodeId('subscription', row.subscription_id),
    instance: encodeId('instance', row.instance_id),
    instance_name: row.instance_name,
    backup: encodeId('backup', row.backup_id),
    saved_before: row.before_id && encodeId('backup', row.before_id),
    state: row.state,
    failure: code === null || detail === null ? null : { code, detail },
    created_at: row.created_at,
    finished_at: row.finished_at,
  }
}
