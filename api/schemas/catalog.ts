import { z } from '@hono/zod-openapi'
import { differenceSchema, effectiveOnField } from './version.ts'

/** Kinds of the catalog, in the order in which one needs those before it. */
export const catalogSections = [
  'metrics',
  'applications',
  'products',
  'kits',
  'price_lists',
  'discounts',
] as const
export type CatalogSection = (typeof catalogSections)[number]

const entries = z.array(z.record(z.string(), z.unknown())).max(5_000)

/** Each entry is what would be posted to make the thing. */
const sections = {
  metrics: entries,
  applications: entries,
  products: entries.openapi({
    description:
      'A second entry of a code, with effective_on, is what holds from that day. archived: true is sold no more.',
  }),
  kits: entries,
  price_lists: entries,
  discounts: entries.openapi({ description: 'Those with a code.' }),
} satisfies Record<CatalogSection, z.ZodType>

export const catalogSchema = z.object(sections).openapi('Catalog')

export const catalogApplicationSchema = z
  .strictObject({
    ...z.strictObject(sections).partial().shape,
    effective_on: effectiveOnField,
    dry_run: z
      .boolean()
      .default(false)
      .openapi({ description: 'Tells what would change, and changes nothing.' }),
  })
  .openapi('CatalogApplication')

export const catalogChangesSchema = z
  .object({
    changes: z.array(
      z.object({
        section: z.enum(catalogSections),
        code: z.string(),
        action: z.enum(['created', 'changed']),
        differences: z.array(differenceSchema),
      }),
    ),
    unchanged_count: z.number().int(),
    is_dry_run: z.boolean(),
  })
  .openapi('CatalogChanges')
