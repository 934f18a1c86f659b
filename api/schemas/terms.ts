import { z } from '@hono/zod-openapi'
import { defaultTerms, type Terms } from '#domain/terms.ts'
import { longestValue, propertyName } from '#domain/usage-filter.ts'
import { camelKeys, snakeKeys } from '../key-case.ts'

const changeMoment = z.enum(['now', 'period_end', 'not_allowed'])

const property = z.string().regex(propertyName, 'is a name such as region').openapi({ example: 'region' })
const propertyValues = z.array(z.string().min(1).max(longestValue)).min(1).max(100)
const usageCondition = z.union([
  z.strictObject({ property, is: propertyValues }),
  z.strictObject({ property, is_not: propertyValues }),
])

const termsShape = {
  proration: z
    .enum(['day', 'month_30', 'none'])
    .openapi({ description: 'How a part of a period is charged; none: whole periods and no credit.' }),
  upgrade: changeMoment,
  downgrade: changeMoment,
  upgrade_mode: z.enum(['automatic', 'manual']).openapi({
    description: 'What a customer’s change request becomes: the change, or a task for an operator.',
  }),
  unused_time: z
    .enum(['credit', 'refund', 'keep'])
    .openapi({ description: 'What becomes of time that was paid for and not served.' }),
  pricing: z.enum(['frozen', 'reevaluated', 'grid']).openapi({
    description:
      'Agreed for good, or read anew each period: from the price lists, or from the grid of the instance or its application.',
  }),
  is_never_revised: z.boolean().openapi({ description: 'A price revision passes it by.' }),
  period_count: z
    .int()
    .min(1)
    .max(1_200)
    .nullable()
    .openapi({ description: 'The fee ends after so many periods; null: without end.' }),
  trial_days: z.int().min(0).max(3_650).openapi({ description: 'Days from the start that cost nothing.' }),
  trial_end: z.enum(['bill', 'suspend', 'cancel']).openapi({
    description: 'What follows the trial: it is billed, suspended until it is resumed, or it ends.',
  }),
  is_trial_once: z
    .boolean()
    .openapi({ description: 'A customer gets the trial once: trial_used after that.' }),
  alignment: z
    .enum(['anchored', 'calendar'])
    .openapi({ description: 'Periods are counted from the first day, or are the calendar’s own.' }),
  quantity_formula: z.string().max(4_096).nullable().openapi({
    description:
      'What is billed of what was measured, such as 2 * metric("users").max; null: all of it. Of usage only.',
    example: '2 * metric("users").max',
  }),
  is_zero_shown: z.boolean().openapi({ description: 'A usage line of quantity 0 is shown.' }),
  warning_shares: z
    .array(z.int().min(1).max(1_000))
    .max(10)
    .openapi({
      description:
        'Of its limit, in percent: customer and operator are warned at each once a billing period.',
      example: [80, 100],
    }),
  usage_filter: z.array(usageCondition).max(20).openapi({
    description:
      'A usage line bills only the use of its metric that fulfils all of these. Either way the property must be there: use that no line takes is refused, and listed. Readings have one property, series.',
  }),
  build_trigger: z.enum(['confirmation', 'payment', 'acceptance']).nullable().openapi({
    description: 'When the build begins; null: with the payment in the shop, at confirmation elsewhere.',
  }),
  enforcement: z.enum(['hard', 'throttle', 'soft']).openapi({
    description:
      'Of a threshold fee, what happens at the sold quantity: no more, slower, or a warning only. As the application can: limit_not_enforceable else.',
  }),
}

/** What is agreed beside the price. */
export const termsSchema = z.object(termsShape).openapi('Terms')

/** What is left out is as usual. */
export const termsField = z.strictObject(termsShape).partial().openapi('NewTerms')

/** Only what differs from the usual is kept, so that the usual may be asked for in words and says nothing. */
export function toTerms(json: z.output<typeof termsField>): Partial<Terms> {
  const given = camelKeys(json) as Partial<Terms>
  const isUnusual = ([name, value]: [string, unknown]) =>
    JSON.stringify(defaultTerms[name as keyof Terms]) !== JSON.stringify(value)
  return Object.fromEntries(Object.entries(given).filter(isUnusual))
}

export function toTermsJson(terms: Partial<Terms>): z.input<typeof termsSchema> {
  return snakeKeys({ ...defaultTerms, ...terms }) as z.input<typeof termsSchema>
}
