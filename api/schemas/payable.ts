import { z } from '@hono/zod-openapi'
import type { SupplierAllocationRow } from '#db/read/payable.ts'
import type { SupplierPaymentRow } from '#db/read/supplier-payment.ts'
import { encodeId } from '#domain/identifier.ts'
import { ages, type AgedPayables } from '#domain/payable.ts'
import { addressField, currencyField, dateField, moneySchema, nameField, referenceSchema } from './common.ts'
import { minorField } from './invoice-action.ts'

export const newSetOffSchema = z
  .strictObject({
    credit_note: addressField.openapi({ description: 'The id of a supplier’s credit note.' }),
    amount_minor: minorField.optional().openapi({ description: 'Left out: as far as both reach.' }),
  })
  .openapi('NewSetOff')

export const newSupplierPaymentSchema = z
  .strictObject({
    pays: z
      .array(
        z.strictObject({
          supplier_invoice: addressField,
          amount_minor: minorField,
        }),
      )
      .min(1)
      .max(1_000)
      .refine((parts) => new Set(parts.map((part) => part.supplier_invoice)).size === parts.length, {
        error: 'Each document stands once in a payment',
      })
      .openapi({ description: 'What it pays, of one supplier; the payment is the sum.' }),
    currency: currencyField
      .optional()
      .openapi({ description: 'In which it was paid. Left out: that of what it pays.' }),
    paid_on: dateField.optional().openapi({ description: 'Left out: today.' }),
    reference: nameField.optional().openapi({ description: 'As the bank statement has it.' }),
  })
  .openapi('NewSupplierPayment')

export const supplierPaymentSchema = z
  .object({
    id: z.string(),
    supplier: referenceSchema,
    amount: moneySchema,
    paid_on: z.string(),
    reference: z.string().nullable(),
    recorded_by: z.string(),
    recorded_at: z.string(),
    reversed_at: z.string().nullable(),
    reversal_reason: z.string().nullable(),
  })
  .openapi('SupplierPayment')

export const supplierPaymentDetailSchema = supplierPaymentSchema
  .extend({
    pays: z.array(z.object({ supplier_invoice: z.string(), number: z.string(), amount: moneySchema })),
  })
  .openapi('SupplierPaymentDetail')

export function toSupplierPaymentJson(row: SupplierPaymentRow): z.input<typeof supplierPaymentSchema> {
  return {
    id: encodeId('supplierPayment', row.id),
    supplier: {
      id: encodeId('supplier', row.supplier_id),
      code: row.supplier_code,
      name: row.supplier_name,
    },
    amount: { amount_minor: row.amount_minor, currency: row.currency },
    paid_on: row.paid_on,
    reference: row.reference,
    recorded_by: row.actor,
    recorded_at: row.recorded_at,
    reversed_at: row.reversed_at,
    reversal_reason: row.reversal_reason,
  }
}

export function toPaidPartJson(row: SupplierAllocationRow) {
  return {
    supplier_invoice: encodeId('supplierInvoice', row.supplier_invoice_id),
    number: row.invoice_number,
    amount: { amount_minor: row.amount_minor, currency: row.currency },
  }
}

const agedFields = {
  currency: z.string(),
  documents: z.number().int().openapi({ description: 'How many are open.' }),
  open: moneySchema,
  ...(Object.fromEntries(ages.map((age) => [age, moneySchema])) as Record<
    (typeof ages)[number],
    typeof moneySchema
  >),
}

export const payablesSchema = z
  .object({
    on: z.string().openapi({ description: 'The day by which it is told what is late.' }),
    suppliers: z.array(z.object({ supplier: referenceSchema, ...agedFields })),
    totals: z.array(z.object(agedFields)).openapi({ description: 'By currency.' }),
  })
  .openapi('Payables')

/** The ages sum to what is open; a credit is below 0. */
export function toAgedJson(aged: Omit<AgedPayables, 'supplierId'>) {
  const money = (amountMinor: number) => ({ amount_minor: amountMinor, currency: aged.currency })
  return {
    currency: aged.currency,
    documents: aged.documents,
    open: money(aged.openMinor),
    not_due: money(aged.byAge.not_due),
    days_1_30: money(aged.byAge.days_1_30),
    days_31_60: money(aged.byAge.days_31_60),
    days_61_90: money(aged.byAge.days_61_90),
    over_90_days: money(aged.byAge.over_90_days),
    credit: money(aged.byAge.credit),
  }
}
