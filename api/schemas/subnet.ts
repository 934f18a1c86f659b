import { z } from '@hono/zod-openapi'
import type { SubnetOverview } from '#db/read/subnet.ts'
import { encodeId } from '#domain/identifier.ts'

export const subnetPoolSchema = z
  .strictObject({
    pool: z
      .cidrv4()
      .openapi({ description: 'All of its addresses begin as this one does.', example: '10.201.0.0/16' }),
    prefix_length: z
      .number()
      .int()
      .min(8)
      .max(29)
      .openapi({ description: 'Of each subnet: 26 has 61 addresses for containers, 29 has 5.', example: 26 }),
  })
  .openapi('SubnetPool')

export const subnetsSchema = z
  .object({
    server: z.string(),
    pool: z.string(),
    prefix_length: z.number().int(),
    total: z.number().int(),
    free: z.number().int(),
    taken: z.array(z.object({ range: z.string(), environment: z.string(), customer: z.string() })),
    foreign: z
      .array(z.object({ range: z.string(), holder: z.string(), seen_at: z.string() }))
      .openapi({ description: 'What others have of the pool: it is skipped.' }),
  })
  .openapi('Subnets')

export function toSubnetsJson({ use, taken, foreign }: SubnetOverview): z.input<typeof subnetsSchema> {
  return {
    server: use.server,
    pool: use.pool,
    prefix_length: use.prefixLength,
    total: use.total,
    free: use.free,
    taken: taken.map((row) => ({
      range: row.range,
      environment: encodeId('environment', row.environment_id),
      customer: row.customer,
    })),
    foreign: foreign.map((row) => ({ range: row.range, holder: row.holder, seen_at: row.seen_at })),
  }
}
