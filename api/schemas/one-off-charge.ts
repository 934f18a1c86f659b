import { z } from '@hono/zod-openapi'
import type { OneOffChargeRow } from '#db/read/one-off-charge.ts'
import { encodeId } from '#domain/identifier.ts'
import { describePriceModel } from '#domain/pricing/describe.ts'
import {
  addressField,
  amountField,
  currencyField,
  dateField,
  moneySchema,
  nameField,
  quantityField,
} from './common.ts'
import { priceField, toPriceJson } from './price.ts'

export const newOneOffChargeSchema = z
  .strictObject({
    description: nameField.optional().openapi({ description: 'Left out: the name of the product.' }),
    quantity: quantityField.default('1'),
    unit: nameField.optional().openapi({ description: 'Left out: the product’s, else piece.' }),
    text: z.boolean().default(false).openapi({
      description:
        'A text alone: the description is printed, nothing is charged. It waits for an invoice of something.',
    }),
    unit_price: amountField.optional().openapi({ description: 'Short for a price per unit.' }),
    price: priceField.optional(),
    currency: currencyField.optional().openapi({ description: 'Left out: the customer’s.' }),
    tax_category: nameField.optional().openapi({ description: 'Left out: the product’s, else standard.' }),
    product: addressField
      .optional()
      .openapi({ description: 'What it is; its base price is taken where none is given.' }),
    subscription: addressField
      .optional()
      .openapi({ description: 'On whose next invoice it goes; left out: the customer’s next one.' }),
    reference: nameField
      .optional()
      .openapi({ description: 'An order number of the customer; it is printed with the line.' }),
    charged_on: dateField
      .optional()
      .openapi({ description: 'From which day on an invoice takes it; left out: today.' }),
    test_clock: addressField
      .optional()
      .openapi({ description: 'For invoices on this clock; left out: the subscription’s, or none.' }),
  })
  .openapi('NewOneOffCharge')

const oneOffChargeStates = ['waiting', 'invoiced', 'withdrawn'] as const

export const oneOffChargeSchema = z
  .object({
    id: z.string(),
    state: z.enum(oneOffChargeStates),
    text: z.boolean(),
    customer: z.string(),
    subscription: z.string().nullable(),
    product: z.string().nullable(),
    description: z.string(),
    quantity: z.string(),
    unit: z.string(),
    price: priceField,
    price_sentence: z.string(),
    currency: z.string(),
    tax_category: z.string(),
    reference: z.string().nullable(),
    charged_on: z.string(),
    invoice: z.string().nullable().openapi({ description: 'The newest that holds it.' }),
    test_clock: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('OneOffCharge')

export const newInvoiceSchema = z
  .strictObject({
    customer: addressField,
    currency: currencyField.optional().openapi({ description: 'Left out: the customer’s.' }),
    test_clock: addressField.optional(),
  })
  .openapi('NewInvoice')

export const balancesSchema = z
  .object({
    data: z.array(z.object({ balance: moneySchema, test_clock: z.string().nullable() })),
  })
  .openapi('CustomerBalances')

export function toOneOffChargeJson(row: OneOffChargeRow): z.input<typeof oneOffChargeSchema> {
  return {
    id: encodeId('oneOffCharge', row.id),
    state: row.withdrawn_at !== null ? 'withdrawn' : row.invoice_id === null ? 'waiting' : 'invoiced',
    text: row.is_text,
    customer: encodeId('customer', row.customer_id),
    subscription: row.subscription_id === null ? null : encodeId('subscription', row.subscription_id),
    product: row.product_code,
    description: row.description,
    quantity: row.quantity,
    unit: row.unit,
    price: toPriceJson(row.price),
    price_sentence: describePriceModel(row.price, row.currency, row.unit),
    currency: row.currency,
    tax_category: row.tax_category,
    reference: row.reference,
    charged_on: row.charged_on,
    invoice: row.invoice_id === null ? null : encodeId('invoice', row.invoice_id),
    test_clock: row.test_clock_id === null ? null : encodeId('testClock', row.test_clock_id),
    created_at: row.created_at,
  }
}
