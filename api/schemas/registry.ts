import { z } from '@hono/zod-openapi'
import type { RegistryRow } from '#db/read/registry.ts'
import { encodeId } from '#domain/identifier.ts'

export const registrySchema = z
  .object({
    id: z.string(),
    host: z.string().openapi({ example: 'ghcr.io' }),
    username: z.string(),
    set_at: z.string().openapi({ description: 'When its login was given last.' }),
    set_by: z.string(),
    created_at: z.string(),
  })
  .openapi('Registry')

export const newRegistrySchema = z
  .strictObject({
    host: z.string().trim().toLowerCase().max(260).openapi({
      description: 'A name with a port where it is not 443: ghcr.io, registry.example.com:5000.',
    }),
    username: z.string().trim().min(1).max(255),
    password: z
      .string()
      .min(1)
      .max(8_192)
      .openapi({ description: 'Or a token. Sealed, and never shown again.', format: 'password' }),
  })
  .openapi('NewRegistry')

export function toRegistryJson(row: RegistryRow): z.input<typeof registrySchema> {
  return {
    id: encodeId('registry', row.id),
    host: row.host,
    username: row.username,
    set_at: row.set_at,
    set_by: row.set_by,
    created_at: row.created_at,
  }
}
