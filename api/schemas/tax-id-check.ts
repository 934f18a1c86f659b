import { z } from '@hono/zod-openapi'
import type { TaxIdCheckRow } from '#db/read/tax-id-check.ts'

export const taxIdCheckSchema = z
  .object({
    tax_id: z.string(),
    answer: z.enum(['valid', 'invalid', 'unreachable']),
    consultation_number: z
      .string()
      .nullable()
      .openapi({ description: 'The register’s proof of the answer.' }),
    registered_name: z.string().nullable(),
    failure: z.string().nullable().openapi({ description: 'Why the register was not reached.' }),
    checked_at: z.string(),
  })
  .openapi('TaxIdCheck')

export function toTaxIdCheckJson(row: TaxIdCheckRow): z.input<typeof taxIdCheckSchema> {
  return {
    tax_id: row.tax_id,
    answer: row.answer,
    consultation_number: row.consultation_number,
    registered_name: row.registered_name,
    failure: row.failure,
    checked_at: row.checked_at,
  }
}
