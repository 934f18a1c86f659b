import { z } from '@hono/zod-openapi'
import type { DataSourceRow } from '#db/read/data-source.ts'
import { dataSourceKinds } from '#domain/data-source.ts'
import { encodeId } from '#domain/identifier.ts'
import { codeField, textField } from './common.ts'

export const dataSourceSchema = z
  .object({
    id: z.string(),
    code: z.string(),
    kind: z.enum(dataSourceKinds),
    host: z.string().openapi({ example: 'db.example.com' }),
    port: z.number().int(),
    database: z.string().nullable(),
    username: z.string(),
    tls: z.boolean(),
    certificate_authority: z.string().nullable(),
    set_at: z.string().openapi({ description: 'When it was given last.' }),
    set_by: z.string(),
    created_at: z.string(),
  })
  .openapi('DataSource')

/** A database or its user, as drivers are told them, which end a text at a control character. */
const loginField = (greatestLength: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(greatestLength)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'It has no control characters')

export const newDataSourceSchema = z
  .strictObject({
    code: codeField(40).openapi({
      description: 'By which applications name it. Given again, it is another one.',
    }),
    kind: z.enum(dataSourceKinds).openapi({ description: 'mysql is MariaDB too.' }),
    host: z
      .string()
      .trim()
      .toLowerCase()
      .regex(/^[a-z0-9.:-]{1,253}$/, 'A host is a name or an address, without a port'),
    port: z.int().min(1).max(65_535),
    database: loginField(63).optional().openapi({ description: 'Of PostgreSQL and MySQL.' }),
    username: loginField(255).openapi({
      description: 'Let it be one that may read, and only what is counted.',
    }),
    password: z
      .string()
      .min(1)
      .max(8_192)
      .openapi({ description: 'Sealed, and never shown again.', format: 'password' }),
    tls: z.boolean().default(true).openapi({ description: 'False: what is said can be read on the way.' }),
    certificate_authority: textField(16_384)
      .regex(/^-----BEGIN CERTIFICATE-----/, 'A certificate begins with -----BEGIN CERTIFICATE-----')
      .optional()
      .openapi({ description: 'In PEM. Left out: as the system of the server’s worker trusts.' }),
  })
  .openapi('NewDataSource')

export function toDataSourceJson(row: DataSourceRow): z.input<typeof dataSourceSchema> {
  return {
    id: encodeId('dataSource', row.id),
    code: row.code,
    kind: row.kind,
    host: row.host,
    port: row.port,
    database: row.database_name,
    username: row.username,
    tls: row.has_tls,
    certificate_authority: row.certificate_authority,
    set_at: row.set_at,
    set_by: row.set_by,
    created_at: row.created_at,
  }
}
