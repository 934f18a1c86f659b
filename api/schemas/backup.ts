import { z } from '@hono/zod-openapi'
import type { BackupRow } from '#db/read/backup.ts'
import { backupStates } from '#domain/backup.ts'
import { encodeId } from '#domain/identifier.ts'

export const backupSchema = z
  .object({
    id: z.string(),
    instance: z.string(),
    instance_name: z.string(),
    subscription: z.string(),
    unbuild: z.string().openapi({ description: 'Before which it was taken.' }),
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
    unbuild: encodeId('buildOrder', row.build_order_id),
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
