import { z } from '@hono/zod-openapi'
import type { EnvironmentRow } from '#db/read/environment.ts'
import { encodeId } from '#domain/identifier.ts'
import { referenceSchema } from './common.ts'

export const environmentSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    prefix: z.string().openapi({ description: 'Begins the name of everything in it on a server.' }),
    customer: referenceSchema,
    is_default: z.boolean().openapi({ description: 'Orders go into it that name no other.' }),
    instances: z.number().int(),
    released_at: z.string().nullable().openapi({
      description: 'Its order came to nothing before anything was active: its names are free again.',
    }),
    created_at: z.string(),
  })
  .openapi('Environment')

export const environmentChangeSchema = z
  .strictObject({
    name: z.string().optional(),
    prefix: z.string().optional().openapi({ description: 'Fixed once anything was ordered into it.' }),
  })
  .openapi('EnvironmentChange')

export function toEnvironmentJson(row: EnvironmentRow): z.input<typeof environmentSchema> {
  return {
    id: encodeId('environment', row.id),
    name: row.name,
    prefix: row.prefix,
    customer: { id: encodeId('customer', row.customer_id), code: row.customer_code, name: row.customer_name },
    is_default: row.is_default,
    instances: row.instance_count,
    released_at: row.released_at,
    created_at: row.created_at,
  }
}
