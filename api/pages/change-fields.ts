import { saidOf } from './row-form.ts'
import type { Values } from './sent-form.ts'

/** What can be changed of a line, as the form of a change calls it: `a.b` is the field b of a. */
export const changeFields = [
  'product',
  'quantity',
  'price.unit_amount',
  'recurrence.count',
  'recurrence.unit',
  'starts_on',
  'below_use',
] as const

/** A form's fields as the body of POST …/change-plan. What was left empty stays as it is. */
export function toChangeBody(values: Values): object {
  const {
    'price.unit_amount': unitAmount,
    'recurrence.count': count,
    'recurrence.unit': unit,
    ...said
  } = saidOf(values)
  return {
    ...said,
    ...(unitAmount === undefined ? {} : { price: { model: 'per_unit', unit_amount: unitAmount } }),
    ...(count === undefined && unit === undefined ? {} : { recurrence: { count: Number(count ?? 1), unit } }),
  }
}
