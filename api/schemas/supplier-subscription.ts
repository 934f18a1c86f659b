import { z } from '@hono/zod-openapi'
import type { MetExpectation, SupplierSubscriptionRow } from '#db/read/supplier-subscription.ts'
import { encodeId } from '#domain/identifier.ts'
import { expectationStates } from '#domain/supplier-subscription.ts'
import { addressField, dateField, moneySchema, nameField, referenceSchema, textField } from './common.ts'

/** A first day far back would expect an invoice of every month since. */
const firstDayField = dateField.refine((day) => day >= '2000-01-01', 'A day is one from 2000 on')

export const newSupplierSubscriptionSchema = z
  .strictObject({
    supplier: addressField,
    name: nameField.openapi({ description: 'What is had of it, such as rack 7.' }),
    amount_minor: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).nullish().openapi({
      description: 'About what a month comes to, net. It tells invoices from each other, and refuses none.',
    }),
    line_text: textField(2_000).min(1).nullish().openapi({
      description:
        'The very text by which the supplier names its line: subscription, product or description. Left out: any invoice of the supplier will do.',
    }),
    begins_on: firstDayField.openapi({
      description: 'The first day on which an invoice is expected, and the day of every month from then on.',
    }),
    ends_on: firstDayField.nullish().openapi({ description: 'From this day on nothing is expected.' }),
    grace_days: z
      .number()
      .int()
      .min(0)
      .max(90)
      .default(7)
      .openapi({ description: 'For so many days after its day it is waited for; then it is missing.' }),
  })
  .refine(({ begins_on: begins, ends_on: ends }) => ends == null || ends >= begins, {
    path: ['ends_on'],
    message: 'It ends on its first day or later',
  })
  .openapi('NewSupplierSubscription')

export const supplierSubscriptionChangeSchema = z
  .strictObject({ ends_on: firstDayField.nullable().openapi({ description: 'Null: it goes on.' }) })
  .openapi('SupplierSubscriptionChange')

export const supplierSubscriptionSchema = z
  .object({
    id: z.string(),
    supplier: referenceSchema,
    name: z.string(),
    amount: moneySchema.nullable(),
    line_text: z.string().nullable(),
    begins_on: z.string(),
    ends_on: z.string().nullable(),
    grace_days: z.number().int(),
    recorded_by: z.string(),
    created_at: z.string(),
  })
  .openapi('SupplierSubscription')

export const expectedOfSuppliersSchema = z
  .object({
    month: z.string(),
    suppliers: z.array(
      z.object({
        supplier: referenceSchema,
        expected: moneySchema.openapi({ description: 'The sum of the amounts that are known, net.' }),
        received: moneySchema.openapi({ description: 'What of the received invoices is for them, net.' }),
        missing: z.number().int(),
        expectations: z.array(
          z.object({
            supplier_subscription: z.string(),
            name: z.string(),
            expected_on: z.string(),
            state: z
              .enum(expectationStates)
              .openapi({ description: 'missing: it had not come when its grace was over.' }),
            amount: moneySchema.nullable(),
            received: moneySchema.nullable(),
            supplier_invoice: z.string().nullable(),
            number: z.string().nullable(),
          }),
        ),
      }),
    ),
  })
  .openapi('ExpectedOfSuppliers')

export function toSupplierSubscriptionJson(
  row: SupplierSubscriptionRow,
): z.input<typeof supplierSubscriptionSchema> {
  return {
    id: encodeId('supplierSubscription', row.id),
    supplier: supplierOf(row),
    name: row.name,
    amount: row.amount_minor === null ? null : { amount_minor: row.amount_minor, currency: row.currency },
    line_text: row.line_text,
    begins_on: row.begins_on,
    ends_on: row.ends_on,
    grace_days: row.grace_days,
    recorded_by: row.recorded_by,
    created_at: row.created_at,
  }
}

function supplierOf(row: SupplierSubscriptionRow) {
  return { id: encodeId('supplier', row.supplier_id), code: row.supplier_code, name: row.supplier_name }
}

/** Of one month, by supplier. */
export function toExpectedJson(month: string, expectations: readonly MetExpectation[]) {
  const own = expectations.filter(({ expectedOn }) => expectedOn.startsWith(`${month}-`))
  const groups = [...Map.groupBy(own, ({ subscription }) => subscription.supplier_id).values()]
  return {
    month,
    suppliers: groups.flatMap((group) => {
      const [first] = group
      return first === undefined ? [] : [toSupplierJson(first.subscription, group)]
    }),
  }
}

function toSupplierJson(of: SupplierSubscriptionRow, group: readonly MetExpectation[]) {
  const money = (amountMinor: number) => ({ amount_minor: amountMinor, currency: of.currency })
  const maybe = (amountMinor: number | null) => (amountMinor === null ? null : money(amountMinor))
  const sum = (amounts: readonly (number | null)[]) =>
    money(amounts.reduce<number>((total, amount) => total + (amount ?? 0), 0))
  return {
    supplier: supplierOf(of),
    expected: sum(group.map(({ amountMinor }) => amountMinor)),
    received: sum(group.map(({ receivedMinor }) => receivedMinor)),
    missing: group.filter(({ state }) => state === 'missing').length,
    expectations: group.map((one) => ({
      supplier_subscription: encodeId('supplierSubscription', one.subscriptionId),
      name: one.subscription.name,
      expected_on: one.expectedOn,
      state: one.state,
      amount: maybe(one.amountMinor),
      received: maybe(one.receivedMinor),
      supplier_invoice: one.invoiceId === null ? null : encodeId('supplierInvoice', one.invoiceId),
      number: one.number,
    })),
  }
}
