import { z } from '@hono/zod-openapi'
import type { TemplateRow } from '#db/subscription-template.ts'
import { encodeId } from '#domain/identifier.ts'
import type { SubscriptionDefaults } from '#domain/subscription-template.ts'
import type { Terms } from '#domain/terms.ts'
import { camelKeys, snakeKeys } from '../key-case.ts'
import { codeField, nameField, textField } from './common.ts'
import { recurrenceField } from './recurrence.ts'
import { setTermSchema, tagField } from './subscription.ts'
import { termsField } from './terms.ts'

/** What can be agreed with a subscription beside what it sells. */
export const defaultsShape = {
  terms: termsField
    .optional()
    .openapi({ description: 'In the place of the product’s own; what is left out stays the product’s.' }),
  recurrence: recurrenceField.optional().openapi({
    description: 'A product is sold as the one of its family that has this recurrence.',
  }),
  term: setTermSchema.optional().openapi({ description: 'Counted from the first day of service.' }),
  tags: z.array(tagField).max(20).optional(),
  notes: textField(2_000).optional().openapi({ description: 'For operators.' }),
}

export const templateSchema = z
  .object({ id: z.string(), code: z.string(), name: z.string(), ...defaultsShape, created_at: z.string() })
  .openapi('SubscriptionTemplate')

export const newTemplateSchema = z
  .strictObject({ code: codeField(60), name: nameField, ...defaultsShape })
  .openapi('NewSubscriptionTemplate')

export const templateChangeSchema = z
  .strictObject({ name: nameField, ...defaultsShape })
  .partial()
  .openapi('SubscriptionTemplateChange')

const asked = z.object(defaultsShape)

/** What is said as usual is kept, too: it has to win over a product, or over a template. */
export function toDefaults(json: z.output<typeof asked>): SubscriptionDefaults {
  const { terms, recurrence, term, tags, notes } = json
  return {
    ...(terms === undefined ? {} : { terms: camelKeys(terms) as Partial<Terms> }),
    ...(recurrence === undefined ? {} : { recurrence }),
    ...(term === undefined ? {} : { term: { ...term, notice: term.notice ?? { count: 1, unit: 'day' } } }),
    ...(tags === undefined ? {} : { tags }),
    ...(notes === undefined ? {} : { notes }),
  }
}

function toDefaultsJson({ terms, tags, ...rest }: SubscriptionDefaults): z.input<typeof asked> {
  return {
    ...rest,
    ...(terms === undefined ? {} : { terms: snakeKeys(terms) as z.input<typeof termsField> }),
    ...(tags === undefined ? {} : { tags: [...tags] }),
  }
}

export function toTemplateJson(row: TemplateRow): z.input<typeof templateSchema> {
  const { code, name, created_at } = row
  return {
    id: encodeId('subscriptionTemplate', row.id),
    code,
    name,
    ...toDefaultsJson(row.defaults),
    created_at,
  }
}
