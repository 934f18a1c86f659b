import { z } from '@hono/zod-openapi'
import { addressField, currencyField, dateField, nameField, quantityField, textField } from './common.ts'

const reasonField = textField(500)
  .trim()
  .min(1, 'Say why, in a few words')
  .openapi({ description: 'For the timeline.' })

export const minorField = z
  .number()
  .int()
  .min(1)
  .max(Number.MAX_SAFE_INTEGER)
  .openapi({ description: 'In the smallest unit of the invoice’s currency.' })

const lineCreditSchema = z
  .strictObject({
    line: addressField.openapi({ description: 'The id of an invoice line.' }),
    quantity: quantityField.optional(),
    amount_minor: minorField.optional().openapi({ description: 'Net of tax.' }),
  })
  .refine((line) => (line.quantity === undefined) !== (line.amount_minor === undefined), {
    error: 'Give quantity or amount_minor, one of the two',
  })

export const creditNoteSchema = z
  .strictObject({
    lines: z.array(lineCreditSchema).min(1).max(1_000).optional(),
    amount_minor: minorField
      .optional()
      .openapi({ description: 'Net of tax, spread over the lines by what is left of them.' }),
    reason: reasonField.optional(),
  })
  .refine((credit) => credit.lines === undefined || credit.amount_minor === undefined, {
    path: ['amount_minor'],
    error: 'Give lines or amount_minor, not both; neither credits all that is left',
  })
  .openapi('NewCreditNote')

export const reasonSchema = z.strictObject({ reason: reasonField }).openapi('Reason')

export const paymentSchema = z
  .strictObject({
    amount_minor: minorField,
    currency: currencyField.optional().openapi({ description: 'Left out: the invoice’s.' }),
    received_on: dateField.optional().openapi({ description: 'Left out: today.' }),
    reference: nameField.optional().openapi({ description: 'As the bank statement has it.' }),
  })
  .openapi('NewPayment')
