import { z } from '@hono/zod-openapi'
import type { CostRuleRow } from '#db/read/margin.ts'
import { encodeId } from '#domain/identifier.ts'
import { addressField } from './common.ts'
import { lineNameField } from './supplied-line.ts'

export const newCostRuleSchema = z
  .strictObject({
    supplier_subscription: lineNameField
      .optional()
      .openapi({ description: 'The supplier’s id of the subscription that a line bills.' }),
    product_code: lineNameField.optional().openapi({ description: 'As the supplier calls the product.' }),
    description: lineNameField.optional().openapi({ description: 'The whole text of a line.' }),
    pays_for: z
      .strictObject({
        server: addressField.optional(),
        subscription: addressField.optional(),
        product: addressField.optional(),
      })
      .refine((target) => Object.values(target).filter((one) => one !== undefined).length === 1, {
        error: 'Give server, subscription or product, one of them',
      })
      .nullable()
      .openapi({ description: 'What it pays for here. Null: it is said no more.' }),
  })
  .refine(
    (rule) =>
      [rule.supplier_subscription, rule.product_code, rule.description].filter((one) => one !== undefined)
        .length === 1,
    { error: 'Give supplier_subscription, product_code or description, one of them' },
  )
  .openapi('NewCostRule')

export const costRuleSchema = z
  .object({
    matches: z.enum(['subscription', 'product_code', 'description']),
    value: z.string(),
    pays_for: z.object({
      kind: z.enum(['server', 'subscription', 'product']),
      id: z.string(),
      name: z.string(),
    }),
  })
  .openapi('CostRule')

export function toCostRuleJson({ matches, value, target, name }: CostRuleRow) {
  return { matches, value, pays_for: { kind: target.kind, id: encodeId(target.kind, target.id), name } }
}
