import { z } from '@hono/zod-openapi'
import type { ServerRow } from '#db/read/server.ts'
import { encodeId } from '#domain/identifier.ts'

export const serverSchema = z
  .object({
    id: z.string(),
    code: z.string(),
    runner: z.enum(['docker', 'dry-run']),
    facts: z.record(z.string(), z.unknown()).openapi({ description: 'What its engine says of itself.' }),
    ports: z.object({ first: z.number().int(), last: z.number().int() }),
    instances: z.number().int(),
    last_seen_at: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('Server')

export function toServerJson(row: ServerRow): z.input<typeof serverSchema> {
  return {
    id: encodeId('server', row.id),
    code: row.code,
    runner: row.runner,
    facts: row.facts,
    ports: { first: row.first_port, last: row.last_port },
    instances: row.instance_count,
    last_seen_at: row.last_seen_at,
    created_at: row.created_at,
  }
}
