import { z } from '@hono/zod-openapi'
import type { InstanceValueRow } from '#db/instance-value.ts'
import { addressField, dateField, valueCodeField } from './common.ts'

export const instanceValueParams = z.object({
  id: addressField.openapi({ description: 'An id.' }),
  code: valueCodeField,
})

export const newInstanceValueSchema = z
  .strictObject({
    value: z
      .string()
      .regex(/^\d{1,15}(\.\d{1,20})?$/, 'A value is a decimal of 0 or more as text, such as "12"')
      .openapi({ example: '12' }),
    starts_on: dateField.optional().openapi({ description: 'From this day on it is so; left out, today.' }),
  })
  .openapi('NewInstanceValue')

export const instanceValuesSchema = z
  .object({
    values: z.array(
      z.object({
        code: z.string(),
        value: z.string(),
        starts_on: z.string(),
        recorded_at: z.string(),
        recorded_by: z.string(),
      }),
    ),
  })
  .openapi('InstanceValues')

export function toInstanceValuesJson(
  rows: readonly InstanceValueRow[],
): z.input<typeof instanceValuesSchema> {
  return {
    values: rows.map(({ code, value, starts_on, recorded_at, recorded_by }) => ({
      code,
      value,
      starts_on,
      recorded_at,
      recorded_by,
    })),
  }
}
