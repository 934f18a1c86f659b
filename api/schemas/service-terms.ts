import { z } from '@hono/zod-openapi'
import type { ServiceTermsRow } from '#db/read/service-terms.ts'
import { instantField, nameField, textField } from './common.ts'

export const newServiceTermsSchema = z
  .strictObject({
    text: textField(500_000).min(1).nullish(),
    url: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .nullish(),
    published_at: instantField
      .optional()
      .openapi({ description: 'From when on orders accept it; left out, now.' }),
  })
  .refine((terms) => terms.text != null || terms.url != null, {
    path: ['text'],
    error: 'Terms of service have a text, an address where they can be read, or both',
  })
  .openapi('NewServiceTerms')

export const serviceTermsSchema = z
  .object({
    version: z.number().int(),
    text: z.string().nullable(),
    url: z.string().nullable(),
    published_at: z.string(),
    is_in_force: z.boolean(),
  })
  .openapi('ServiceTerms')

export function toServiceTermsJson(
  row: ServiceTermsRow,
  inForce: number | null,
): z.input<typeof serviceTermsSchema> {
  return {
    version: row.version,
    text: row.text,
    url: row.url,
    published_at: row.published_at,
    is_in_force: row.version === inForce,
  }
}

/** What an order says of the terms of service. */
export const acceptedTermsField = z
  .strictObject({
    version: z.int().min(1),
    by: nameField.optional().openapi({ description: 'Who accepted it; left out, whoever sends the order.' }),
  })
  .openapi({ description: 'The version in force, as it was shown to who orders.' })
