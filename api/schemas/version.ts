import { z } from '@hono/zod-openapi'
import { differences } from '#domain/json-difference.ts'
import { dateField } from './common.ts'

export const effectiveOnField = dateField
  .optional()
  .openapi({ description: 'Orders of this day and later ones get it. Left out: today, where the seller is.' })

export const differenceSchema = z
  .object({
    pointer: z.string().openapi({ example: '/base_price' }),
    from: z.unknown().optional().openapi({ description: 'Left out: there was nothing.' }),
    to: z.unknown().optional().openapi({ description: 'Left out: there is nothing any more.' }),
  })
  .openapi('Difference')

/** What every version has beside what it says. */
export const versionShape = {
  version: z.number().int(),
  effective_on: z.string().nullable().openapi({ description: 'Null: for every day before the others.' }),
  is_in_force: z.boolean().openapi({ description: 'Orders of today get it, where the seller is.' }),
  subscription_count: z.number().int().openapi({ description: 'Subscriptions that stand on it.' }),
  differences: z
    .array(differenceSchema)
    .openapi({ description: 'From the version before it; empty for the first.' }),
  created_at: z.string(),
}

export const versionPairQuery = z.strictObject({
  from: z.coerce.number().int().min(1).default(1),
  to: z.coerce.number().int().min(1).optional().openapi({ description: 'Left out: the last one.' }),
})

export const versionPairSchema = z
  .object({ from: z.number().int(), to: z.number().int(), differences: z.array(differenceSchema) })
  .openapi('VersionDifference')

export type DifferenceJson = z.input<typeof differenceSchema>

export function toDifferencesJson(from: unknown, to: unknown): DifferenceJson[] {
  return differences(from, to)
}

/** A field of a new thing without its default, which is not what a change that leaves it out asks for. */
export function changeable<Shape extends z.ZodRawShape>(shape: Shape): Shape {
  const fields = Object.entries(shape).map(([name, field]) => [
    name,
    field instanceof z.ZodDefault ? field.unwrap() : field,
  ])
  return Object.fromEntries(fields) as Shape
}

/** Of an answer what a request to make the thing anew would say: its fields, without those that are null. */
export function bodyOf(answer: object, shape: z.ZodRawShape): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(answer).filter(([name, value]) => Object.hasOwn(shape, name) && value !== null),
  )
}
