import { z } from '@hono/zod-openapi'
import {
  addressField,
  currencyField,
  dateField,
  moneySchema,
  nameField,
  rateField,
  textField,
} from './common.ts'

const minor = z.number().int().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER)
const decimalField = z
  .string()
  .regex(/^-?\d{1,15}(\.\d{1,15})?$/, 'A decimal is written as text, such as 1.5')
const categoryField = nameField
  .max(40)
  .default('standard')
  .openapi({ description: 'Such as standard, zero, exempt, reverse_charge.' })

const statedLineSchema = z
  .strictObject({
    description: textField(2_000).min(1),
    quantity: decimalField.default('1'),
    unit: nameField.max(100).default('piece'),
    unit_price: decimalField.nullish(),
    service_period: z
      .strictObject({
        starts_on: dateField,
        ends_on: dateField.openapi({ description: 'The day after the last one.' }),
      })
      .refine(({ starts_on: start, ends_on: end }) => end > start, {
        path: ['ends_on'],
        message: 'It ends after it starts',
      })
      .nullish(),
    amount_minor: minor,
    tax_category: categoryField,
    tax_rate_percent: rateField.default('0'),
    tax_minor: minor
      .optional()
      .openapi({ description: 'Left out: its share of the tax of its category and rate.' }),
    product_code: nameField.max(100).nullish(),
    subscription: nameField.max(100).nullish(),
  })
  .openapi('StatedLine')

/** A supplier's document as somebody reads it off. */
export const newSupplierInvoiceSchema = z
  .strictObject({
    supplier: addressField.openapi({ description: 'Who is no peer: a peer sends its documents itself.' }),
    kind: z.enum(['invoice', 'credit_note']).default('invoice'),
    number: nameField.max(100).openapi({ description: 'As the supplier numbered it: each once.' }),
    corrects: addressField.nullish().openapi({
      description: 'The supplier invoice that a credit note corrects: it takes from that by itself.',
    }),
    currency: currencyField.optional().openapi({ description: 'Left out: that of the supplier.' }),
    issued_on: dateField,
    due_on: dateField.optional().openapi({ description: 'Left out: the day of its issue.' }),
    instalments: z
      .array(z.strictObject({ due_on: dateField, amount_minor: minor.min(0) }))
      .min(1)
      .max(100)
      .nullish(),
    net_minor: minor.min(0),
    tax_minor: minor.min(0),
    total_minor: minor.min(0),
    are_prices_inclusive: z.boolean().default(false),
    tax_rounding: z.enum(['document', 'line']).default('document').openapi({
      description: 'document: each tax is that rate of its base. line: it is the sum of its lines.',
    }),
    purchase_order_reference: nameField.max(200).nullish(),
    lines: z.array(statedLineSchema).min(1).max(2_000),
    taxes: z
      .array(
        z.strictObject({
          category: categoryField,
          name: nameField.optional(),
          rate_percent: rateField,
          base_minor: minor,
          tax_minor: minor,
          note: textField(1_000).nullish(),
        }),
      )
      .max(100)
      .default([]),
  })
  .refine(({ issued_on: issued, due_on: due = issued }) => due >= issued, {
    path: ['due_on'],
    message: 'It is due on the day of its issue or later',
  })
  .refine(({ kind, corrects }) => kind === 'credit_note' || corrects == null, {
    path: ['corrects'],
    message: 'Only a credit note corrects another document',
  })
  .openapi('NewSupplierInvoice')

/** Far above what any invoice has, and far below what a body may hold. */
const greatestFile = 1_000_000

export const importedInvoiceSchema = z
  .strictObject({
    supplier: addressField.openapi({ description: 'Who is no peer: a peer sends its documents itself.' }),
    ubl: textField(greatestFile)
      .min(1)
      .openapi({ description: 'The file: UBL 2.1, without a document type. It is kept as it is.' }),
  })
  .openapi('ImportedInvoice')

export const supplierInvoiceCsvSchema = z
  .strictObject({
    csv: textField(greatestFile)
      .min(1)
      .openapi({
        description:
          'A row for each line; rows of one supplier and number are one document, of which the first says the rest. ' +
          'Columns: supplier, number, issued_on, description, amount; and where they are: kind, corrects (the number), currency, due_on, ' +
          'total, quantity, unit, unit_price, starts_on, ends_on, tax, tax_category, tax_rate_percent, product_code, subscription. ' +
          'Amounts are written as they are printed: 100.00.',
      }),
    dry_run: z.boolean().default(false).openapi({ description: 'Checks everything and records nothing.' }),
  })
  .openapi('SupplierInvoiceCsv')

export const recordedFromCsvSchema = z
  .object({
    is_dry_run: z.boolean(),
    count: z.number().int(),
    supplier_invoices: z
      .array(z.object({ id: z.string(), number: z.string(), supplier: z.string(), total: moneySchema }))
      .openapi({ description: 'Without any in a dry run.' }),
  })
  .openapi('RecordedFromCsv')

export type NewSupplierInvoice = z.output<typeof newSupplierInvoiceSchema>

/** What is printed, in the form in which it is recorded; who corrects what is looked up by the caller. */
export function toStated(body: NewSupplierInvoice) {
  const { supplier: _supplier, corrects: _corrects, currency, due_on: dueOn, lines, taxes, ...head } = body
  return {
    ...head,
    ...(currency === undefined ? {} : { currency }),
    due_on: dueOn ?? body.issued_on,
    instalments: body.instalments ?? null,
    purchase_order_reference: body.purchase_order_reference ?? null,
    lines: lines.map((line) => ({
      ...line,
      unit_price: line.unit_price ?? null,
      service_period: line.service_period ?? null,
      product_code: line.product_code ?? null,
      subscription: line.subscription ?? null,
    })),
    taxes: taxes.map((part) => ({
      ...part,
      name: part.name ?? `${part.rate_percent} %`,
      note: part.note ?? null,
    })),
  }
}
