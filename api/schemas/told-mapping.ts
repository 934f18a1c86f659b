import { z } from '@hono/zod-openapi'
import { toldMappingBounds as bounds } from '#domain/told-mapping.ts'

const mappingSchema = z.object({
  product_code: z.string().regex(bounds.productCode).openapi({ description: 'Of the supplier.' }),
  category: z
    .object({
      code: z.string().regex(bounds.categoryCode),
      name: z.string().regex(bounds.categoryName),
    })
    .openapi({ description: 'Of the customer’s own.' }),
})

/** All that a customer has mapped by product, version 1 of its kind. */
export const saidMappingsSchema = z
  .object({
    total: z.number().int().min(0).max(1_000_000),
    mappings: z.array(mappingSchema).max(bounds.mappings),
  })
  .refine(({ total, mappings }) => total >= mappings.length, {
    path: ['total'],
    error: 'Fewer than there are in mappings',
  })
  .refine(
    ({ mappings }) => new Set(mappings.map(({ product_code: code }) => code)).size === mappings.length,
    { path: ['mappings'], error: 'One product is mapped twice' },
  )

/** What is agreed with a peer of the supplier's products. */
export const agreedMappingsSchema = z
  .object({
    told_at: z
      .string()
      .nullable()
      .openapi({ description: 'When the customer told it; null where it is our own, with a supplier.' }),
    total: z.number().int().openapi({ description: 'How many there are; the first thousand are told.' }),
    mappings: z.array(mappingSchema),
  })
  .openapi('AgreedMappings')
