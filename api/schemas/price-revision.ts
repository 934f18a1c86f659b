import { z } from '@hono/zod-openapi'
import type { RevisedPrices } from '#db/price-revision.ts'
import { encodeId } from '#domain/identifier.ts'
import { describePriceModel } from '#domain/pricing/describe.ts'
import { addressField, dateField } from './common.ts'
import { priceField, toPriceJson } from './price.ts'

/** Lines that an answer lists; the counts are of all. */
const listedLines = 1_000

export const newPriceRevisionSchema = z
  .strictObject({
    starts_on: dateField.openapi({ description: 'The first day of the new prices.' }),
    percent: z
      .string()
      .regex(/^-?\d{1,4}(\.\d{1,10})?$/, 'A percentage is a decimal as text, such as "5" or "-2.5"')
      .optional()
      .openapi({ example: '5' }),
    price: priceField.optional().openapi({ description: 'In place of percent, for one product.' }),
    product: addressField.optional().openapi({ description: 'Left out: of every product.' }),
    subscriptions: z
      .array(addressField)
      .min(1)
      .max(1_000)
      .optional()
      .openapi({ description: 'Left out: all that live in real time.' }),
  })
  .refine(({ percent, price }) => (percent === undefined) !== (price === undefined), {
    path: ['percent'],
    error: 'A revision has a percent or a price, and not both',
  })
  .refine(({ price, product }) => price === undefined || product !== undefined, {
    path: ['product'],
    error: 'A new price is of one product',
  })
  .openapi('NewPriceRevision')

export const priceRevisionSchema = z
  .object({
    starts_on: z.string(),
    is_dry_run: z.boolean(),
    revised_count: z.number().int(),
    passed_by_count: z.number().int(),
    revised: z
      .array(
        z.object({
          subscription: z.string(),
          line: z.string(),
          description: z.string(),
          quantity: z.string(),
          starts_on: z.string(),
          old_price: priceField,
          new_price: priceField,
          old_price_sentence: z.string(),
          new_price_sentence: z.string(),
        }),
      )
      .openapi({ description: `The first ${listedLines}.` }),
    passed_by: z
      .array(z.object({ subscription: z.string(), line: z.string(), reason: z.string() }))
      .openapi({ description: `The first ${listedLines}, each with the reason.` }),
  })
  .openapi('PriceRevision')

export function toPriceRevisionJson(
  { revised, passedBy }: RevisedPrices,
  about: { startsOn: string; isDryRun: boolean },
): z.input<typeof priceRevisionSchema> {
  return {
    starts_on: about.startsOn,
    is_dry_run: about.isDryRun,
    revised_count: revised.length,
    passed_by_count: passedBy.length,
    revised: revised.slice(0, listedLines).map(({ row, subscription, oldPrice, newPrice, change }) => ({
      subscription: encodeId('subscription', subscription.id),
      line: encodeId('subscriptionLine', row.id),
      description: row.description,
      quantity: row.quantity,
      starts_on: change.successor?.startsOn ?? about.startsOn,
      old_price: toPriceJson(oldPrice),
      new_price: toPriceJson(newPrice),
      old_price_sentence: describePriceModel(oldPrice, subscription.currency, row.unit),
      new_price_sentence: describePriceModel(newPrice, subscription.currency, row.unit),
    })),
    passed_by: passedBy.slice(0, listedLines).map(({ row, reason }) => ({
      subscription: encodeId('subscription', row.subscription_id),
      line: encodeId('subscriptionLine', row.id),
      reason,
    })),
  }
}
