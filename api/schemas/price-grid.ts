import { z } from '@hono/zod-openapi'
import { BusinessError, fieldError } from '#domain/errors.ts'
import { checkPrice } from '#domain/pricing/check.ts'
import type { DatedGrid } from '#domain/pricing/dated-grid.ts'
import { describePriceModel } from '#domain/pricing/describe.ts'
import { importGrid, type GridRow } from '#domain/pricing/grid.ts'
import type { GridPrice } from '#domain/pricing/price.ts'
import { amountField, currencyField, dateField, valueCodeField } from './common.ts'
import { priceField, toPriceJson } from './price.ts'

const gridShape = {
  bounds: z.enum(['lower', 'upper']).optional().openapi({
    description: 'What the bounds of the rows are. Upper ones are included, and 0 stands for above all.',
  }),
  rows: z
    .array(
      z.strictObject({
        bound: z.string().regex(/^\d{1,12}(\.\d{1,20})?$/, 'A bound is a decimal of 0 or more as text'),
        amount: amountField,
        kind: z.enum(['fixed', 'times_value']).default('fixed'),
        value: valueCodeField.optional().openapi({
          description: 'Which value of the instance is looked up; left out, the line’s quantity.',
        }),
      }),
    )
    .min(1)
    .max(200),
  fixed_amount: amountField.optional().openapi({ description: 'Comes on top, whatever the value.' }),
  starts_on: dateField
    .optional()
    .openapi({ description: 'It prices the periods that begin on this day or later; left out, today.' }),
}

export const newInstanceGridSchema = z.strictObject(gridShape).openapi('NewInstancePriceGrid')
export const newApplicationGridSchema = z
  .strictObject({ ...gridShape, currency: currencyField })
  .openapi('NewApplicationPriceGrid')

export const priceGridsSchema = z
  .object({
    grids: z.array(
      z.object({
        starts_on: z.string(),
        currency: z.string(),
        price: priceField,
        price_sentence: z.string(),
      }),
    ),
  })
  .openapi('PriceGrids')

/**
 * The grid as it is stored, by lower bounds.
 * @throws `grid_bounds_unstated`, `tiers_invalid` for two rows of one bound
 */
export function toGridPrice(json: z.output<typeof newInstanceGridSchema>): GridPrice {
  const price: GridPrice = {
    model: 'grid',
    steps: importGrid(json.rows.map(toRow), json.bounds, ''),
    ...(json.fixed_amount === undefined ? {} : { fixedAmount: json.fixed_amount }),
  }
  try {
    checkPrice(price, '', { values: [], metrics: [] })
  } catch (error) {
    // What is wrong of the stored form may stand on another place among the rows.
    if (error instanceof BusinessError) throw fieldError('/rows', error.code, error.message)
    throw error
  }
  return price
}

function toRow({ value, ...row }: z.output<typeof newInstanceGridSchema>['rows'][number]): GridRow {
  return value === undefined ? row : { ...row, value }
}

export function toPriceGridsJson(grids: readonly DatedGrid[]): z.input<typeof priceGridsSchema> {
  return {
    grids: grids.map(({ startsOn, currency, price }) => ({
      starts_on: startsOn,
      currency,
      price: toPriceJson(price),
      price_sentence: describePriceModel(price, currency, 'unit'),
    })),
  }
}
