import { z } from '@hono/zod-openapi'
import { marginGroupings } from '#domain/margin.ts'
import { moneySchema } from './common.ts'
import { monthField } from './expense.ts'
import { suppliedLineFields } from './supplied-line.ts'

export const marginsQuery = z.strictObject({
  month: monthField,
  by: z.enum(marginGroupings).default('product'),
})

export const marginsSchema = z
  .object({
    month: z.string(),
    by: z.enum(marginGroupings),
    margins: z.array(
      z.object({
        id: z.string().nullable().openapi({ description: 'Null for what is of none.' }),
        name: z.string().nullable(),
        revenue: moneySchema,
        cost: moneySchema,
        margin: moneySchema,
      }),
    ),
    idle: z
      .array(z.object({ server: z.string(), name: z.string(), amount: moneySchema }))
      .openapi({ description: 'Costs of servers that no instance was on.' }),
    unmatched: z
      .array(
        z.object({
          ...suppliedLineFields,
          supplier_subscription: z.string().nullable(),
          amount: moneySchema,
        }),
      )
      .openapi({ description: 'Lines that no rule is of, with what of each falls in the month.' }),
    totals: z
      .array(
        z.object({
          currency: z.string(),
          revenue: moneySchema,
          cost: moneySchema,
          unmatched: moneySchema,
          idle: moneySchema,
          margin: moneySchema,
        }),
      )
      .openapi({ description: 'By currency. The cost is all of it: in the margins, idle, and unmatched.' }),
  })
  .openapi('Margins')
