import { z } from '@hono/zod-openapi'
import { checkPrice } from '#domain/pricing/check.ts'
import type { FormulaNames } from '#domain/pricing/formula.ts'
import type { Price } from '#domain/pricing/price.ts'
import { valueCodeField } from './common.ts'
import { camelKeys, inSnakeCase, snakeKeys } from '../key-case.ts'

/** An exact decimal as text; whether it may be negative is decided by the domain, which knows where it stands. */
const decimalField = z.string().regex(/^-?\d{1,12}(\.\d{1,20})?$/, 'A decimal as text, such as "12.50"')
const countField = z.int().min(0).max(1_000_000)
const boundField = decimalField
  .nullable()
  .openapi({ description: 'The last quantity inside; null for the last tier.' })
const tiersOf = <Tier extends z.ZodType>(tier: Tier) => z.array(tier).min(1).max(100)

const tier = z.strictObject({
  up_to: boundField,
  unit_amount: decimalField,
  flat_amount: decimalField.optional(),
})
const modifiers = {
  included_quantity: decimalField.optional().openapi({ description: 'Comes off the quantity first.' }),
  greatest_quantity: decimalField.optional().openapi({ description: 'No more than this is billed.' }),
  least_amount: decimalField.optional().openapi({ description: 'Of a full period.' }),
  greatest_amount: decimalField.optional().openapi({ description: 'Of a full period.' }),
}

function modelOf<Model extends Price['model'], Shape extends z.ZodRawShape>(model: Model, shape: Shape) {
  return z.strictObject({ model: z.literal(model), ...shape, ...modifiers })
}

/** The models of domain/pricing/price.ts, as JSON names them. Amounts are decimals in major units. */
export const priceField = z
  .discriminatedUnion('model', [
    modelOf('per_unit', { unit_amount: decimalField, per_units: decimalField.optional() }),
    modelOf('flat', { amount: decimalField }),
    modelOf('graduated', { tiers: tiersOf(tier), package_size: decimalField.optional() }),
    modelOf('volume', { tiers: tiersOf(tier), package_size: decimalField.optional() }),
    modelOf('graduated_percentage', {
      tiers: tiersOf(
        z.strictObject({
          up_to: boundField,
          rate_percent: decimalField,
          flat_amount: decimalField.optional(),
        }),
      ),
    }),
    modelOf('stairstep', {
      tiers: tiersOf(z.strictObject({ up_to: boundField, flat_amount: decimalField })),
    }),
    modelOf('package', {
      package_size: decimalField,
      package_amount: decimalField,
      rounding: z.enum(['up', 'down', 'exact']).optional(),
      minimum_packages: countField.optional(),
    }),
    modelOf('percentage', {
      rate_percent: decimalField,
      amount_per_event: decimalField.optional(),
      least_per_event: decimalField.optional(),
      greatest_per_event: decimalField.optional(),
      free_events: countField.optional(),
      free_value: decimalField.optional(),
    }),
    modelOf('commitment', {
      unit_amount: decimalField,
      committed_quantity: decimalField,
      overage_factor: decimalField.optional(),
      is_trued_up: z.boolean().optional(),
    }),
    modelOf('grid', {
      steps: z
        .array(
          z.strictObject({
            from: decimalField.openapi({ description: 'The first value inside.' }),
            is_from_excluded: z.boolean().optional(),
            amount: decimalField,
            kind: z.enum(['fixed', 'times_value']),
            value: valueCodeField.optional(),
          }),
        )
        .min(1)
        .max(200),
      fixed_amount: decimalField.optional(),
    }),
    modelOf('formula', { formula: z.string().min(1).max(4_096) }),
  ])
  .openapi('Price')

type PriceJson = z.output<typeof priceField>

export function toPriceJson(price: Price): PriceJson {
  return snakeKeys(price) as PriceJson
}

/**
 * The price as the domain takes it: what was parsed has its shape, but for the case of its keys.
 * @throws what `checkPrice` refuses
 */
export function readPrice(json: PriceJson, pointer: string, names: FormulaNames): Price {
  const price = camelKeys(json) as Price
  inSnakeCase(() => checkPrice(price, pointer, names))
  return price
}
