import { z } from '@hono/zod-openapi'
import { checkPaymentTerms } from '#domain/payment-terms.ts'
import { messageOf } from '#domain/errors.ts'

const days = z.int().openapi({ description: 'Counted from the day of issue.' })
const dueRules = [
  z.strictObject({ kind: z.literal('days'), days }),
  z.strictObject({ kind: z.literal('end_of_month'), days }),
  z.strictObject({ kind: z.literal('fixed_day'), days, day: z.int() }),
] as const
const partField = z.strictObject({
  percent: z.string().regex(/^\d{1,3}(\.\d{1,6})?$/, 'A share is a decimal as text, such as "33.5"'),
  due: z.discriminatedUnion('kind', dueRules),
})

/** When a document is due: so many days after its issue, the end of that month, a day of the month, or in instalments. */
export const paymentTermsField = z
  .discriminatedUnion('kind', [
    ...dueRules,
    z.strictObject({ kind: z.literal('instalments'), parts: z.array(partField).min(1).max(12).readonly() }),
  ])
  .superRefine((terms, context) => {
    try {
      checkPaymentTerms(terms)
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) })
    }
  })
  .openapi('PaymentTerms')
