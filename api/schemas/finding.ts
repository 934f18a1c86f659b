import { z } from '@hono/zod-openapi'
import type { FindingRow } from '#db/read/finding.ts'
import { encodeId } from '#domain/identifier.ts'

export const findingSchema = z
  .object({
    id: z.string(),
    server: z.string(),
    instance: z.string().nullable().openapi({ description: 'Null where no live instance is behind it.' }),
    subscription: z.string().nullable(),
    kind: z.enum([
      'stopped',
      'started',
      'unhealthy',
      'missing_container',
      'missing_volume',
      'missing_network',
      'wrong_image',
      'wrong_configuration',
      'foreign',
      'orphan',
      'ghost',
    ]),
    severity: z.enum(['critical', 'warning', 'notice']),
    object_kind: z.enum(['container', 'volume', 'network']),
    object_name: z.string(),
    detail: z.string(),
    is_safe: z.boolean().openapi({ description: 'It is repaired without being asked.' }),
    command: z.string().openapi({ description: 'What settles it; typed by a person, never run by itself.' }),
    found_at: z.string(),
    seen_at: z.string(),
  })
  .openapi('Finding')

export function toFindingJson(row: FindingRow): z.input<typeof findingSchema> {
  return {
    id: encodeId('finding', row.id),
    server: row.server_code,
    instance: row.instance_id === null ? null : encodeId('instance', row.instance_id),
    subscription: row.subscription_id === null ? null : encodeId('subscription', row.subscription_id),
    kind: row.kind,
    severity: row.severity,
    object_kind: row.object_kind,
    object_name: row.object_name,
    detail: row.detail,
    is_safe: row.is_safe,
    command: row.command,
    found_at: row.found_at,
    seen_at: row.seen_at,
  }
}

export const repairSchema = z
  .object({
    instance: z.string(),
    observed_state: z.string().nullable(),
    left: z.array(z.string()).openapi({ description: 'What is still not as it should be: kind and object.' }),
  })
  .openapi('Repair')
