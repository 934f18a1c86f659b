import { z } from '@hono/zod-openapi'
import { intervalUnits } from '#domain/calendar.ts'
import { refuseWith } from '../validation.ts'

const recurrenceRefusal = refuseWith(
  'recurrence_invalid',
  `A recurrence is a whole number from 1 and one of ${intervalUnits.join(', ')}.`,
)

/** How often something recurs: every so many of a unit. */
export const recurrenceField = z.strictObject({
  count: z
    .number({ error: recurrenceRefusal })
    .int(recurrenceRefusal)
    .min(1, recurrenceRefusal)
    .max(1000, recurrenceRefusal),
  unit: z.enum(intervalUnits, { error: recurrenceRefusal }),
})
