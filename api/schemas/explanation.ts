import { z } from '@hono/zod-openapi'
import type { ExchangeRate } from '#domain/exchange-rate.ts'
import type { InvoiceLineExplanation } from '#domain/invoice/explanation.ts'
import { snakeKeys } from '../key-case.ts'
import { periodSchema } from './common.ts'
import { priceField } from './price.ts'

const discount = z.object({ name: z.string(), amount_minor: z.number().int() })
const tax = z.object({
  on: z.string().openapi({ description: 'The first day of service: it selects the rate.' }),
  of: z.string().openapi({ description: 'The tax category of the product.' }),
  rule: z.string(),
  rates: z.array(z.object({ name: z.string(), rate_percent: z.string() })),
  note: z.string().optional(),
  source: z.string().optional().openapi({ description: 'Which tax service answered.' }),
})
const usage = z.object({
  quantity: z.string(),
  unit: z.string(),
  reading_count: z.number().int(),
  event_count: z.number().int(),
  first_read_at: z.string().nullable(),
  last_read_at: z.string().nullable(),
  formula: z.string().optional().openapi({ description: 'By which the quantity came of what was measured.' }),
  is_pending: z.literal(true).optional().openapi({
    description: 'It could not be read up to its end: what is missing comes on a later bill, marked late.',
  }),
})

/** The exchange rate by which a price came from another currency. */
export const conversionSchema = z
  .object({
    base: z.string(),
    quote: z.string(),
    rate: z.string(),
    source: z.string(),
    valid_on: z.string(),
  })
  .openapi('Conversion')

export function toConversionJson(rate: ExchangeRate): z.input<typeof conversionSchema> {
  const { base, quote, source, validOn } = rate
  return { base, quote, rate: rate.rate, source, valid_on: validOn }
}

/** What is not so is left out. */
export const explanationSchema = z
  .object({
    formula: z.string().openapi({ example: '1 × 24.95 × 22 / 30 days' }),
    price: priceField
      .optional()
      .openapi({ description: 'As agreed, or as the lists had it on the first day.' }),
    conversion: conversionSchema
      .optional()
      .openapi({ description: 'The rate by which the price came from another currency.' }),
    price_from: z
      .enum(['product', 'price_list'])
      .optional()
      .openapi({ description: 'Where the price was read.' }),
    steps: z
      .array(z.looseObject({ kind: z.string() }))
      .optional()
      .openapi({ description: 'Of a whole period, before the share of its days: tiers, packages, bounds.' }),
    days_served: z.number().int().optional(),
    days_of_cycle: z.number().int().optional(),
    cycle: periodSchema.optional().openapi({ description: 'What the full price pays for.' }),
    usage: usage.optional(),
    not_billed_quantity: z.string().optional().openapi({
      description: 'Metered above the greatest quantity that is billed; the quantity is without it.',
    }),
    billed_quantity: z.string().optional().openapi({ description: 'Of late usage: what was billed before.' }),
    is_early: z
      .boolean()
      .optional()
      .openapi({ description: 'It was billed before its period was over; the rest counts on from it.' }),
    charged_minor: z.number().int().optional().openapi({ description: 'Of a credit: what was charged.' }),
    credited_minor: z.number().int().optional(),
    exact_amount: z
      .string()
      .optional()
      .openapi({ description: 'Before the one rounding; left out where nothing was rounded.' }),
    discounts: z.array(discount).optional(),
    tax: tax.optional(),
  })
  .openapi('Explanation')

type ExplanationJson = z.input<typeof explanationSchema>

/** How an amount came about, with all that is needed to compute it anew. Ids that no route knows are left out. */
export function toExplanationJson(explanation: InvoiceLineExplanation): ExplanationJson {
  const { priceListItemId, discounts, ...told } = explanation
  const json = snakeKeys({
    ...told,
    ...(discounts === undefined
      ? {}
      : { discounts: discounts.map(({ name, amountMinor }) => ({ name, amountMinor })) }),
  }) as ExplanationJson
  if (explanation.price === undefined) return json
  return { ...json, price_from: priceListItemId === undefined ? 'product' : 'price_list' }
}
