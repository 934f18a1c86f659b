import { z } from '@hono/zod-openapi'
import type { ExpenseCategoryRow, ExpenseMappingRow, SupplierTaxCodeRow } from '#db/read/expense.ts'
import type { SupplierRow } from '#db/read/supplier.ts'
import { encodeId } from '#domain/identifier.ts'
import { costRuleSchema } from './cost-rule.ts'
import {
  addressField,
  codeField,
  currencyField,
  moneySchema,
  nameField,
  rateField,
  referenceSchema,
} from './common.ts'
import { lineNameField, suppliedLineFields } from './supplied-line.ts'

export const monthField = z
  .string()
  .regex(/^(19|20)\d{2}-(0[1-9]|1[0-2])$/, 'A month is written as 2026-03')
  .openapi({ example: '2026-03' })

const accountField = nameField.max(40).openapi({ description: 'Of your own chart of accounts.' })

export const newExpenseCategorySchema = z
  .strictObject({
    code: codeField(60),
    name: nameField,
    account: accountField.nullish(),
  })
  .openapi('NewExpenseCategory')

export const expenseCategoryChangeSchema = z
  .strictObject({
    name: nameField.optional(),
    account: accountField.nullish(),
    is_archived: z.boolean().optional(),
  })
  .openapi('ExpenseCategoryChange')

export const expenseCategorySchema = z
  .object({
    id: z.string(),
    code: z.string(),
    name: z.string(),
    account: z.string().nullable(),
    archived_at: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('ExpenseCategory')

export function toExpenseCategoryJson(row: ExpenseCategoryRow): z.input<typeof expenseCategorySchema> {
  const { code, name, account, archived_at, created_at } = row
  return { id: encodeId('expenseCategory', row.id), code, name, account, archived_at, created_at }
}

/** A name of a line that says what it is: of the two exactly one. */
export const expenseMappingSchema = z
  .strictObject({
    product_code: lineNameField.optional().openapi({ description: 'As the supplier calls the product.' }),
    description: lineNameField
      .optional()
      .openapi({ description: 'The whole text of a line without a product.' }),
    category: addressField.nullable().openapi({ description: 'Null: it is said no more.' }),
  })
  .refine((mapping) => (mapping.product_code === undefined) !== (mapping.description === undefined), {
    error: 'Give product_code or description, one of the two',
  })
  .openapi('NewExpenseMapping')

export const taxCodeMappingSchema = z
  .strictObject({
    tax_category: nameField.max(40).openapi({ description: 'As the supplier has it.' }),
    rate_percent: rateField,
    tax_code: nameField
      .max(40)
      .nullable()
      .openapi({ description: 'As your books have it. Null: it is said no more.' }),
  })
  .openapi('NewTaxCodeMapping')

export const newSupplierSchema = z
  .strictObject({
    code: codeField(60),
    name: nameField,
    currency: currencyField.openapi({ description: 'In which it bills.' }),
    tax_id: nameField.max(40).nullish(),
  })
  .openapi('NewSupplier')

export const supplierSchema = z
  .object({
    id: z.string(),
    code: z.string(),
    name: z.string(),
    peer: z
      .string()
      .nullable()
      .openapi({ description: 'The installation that sends its documents, where one does.' }),
    currency: z.string(),
    tax_id: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('Supplier')

export const supplierDetailSchema = supplierSchema
  .extend({
    expense_mappings: z.array(
      z.object({
        product_code: z.string().nullable(),
        description: z.string().nullable(),
        category: referenceSchema,
        agreed_by: z.string(),
      }),
    ),
    tax_codes: z.array(
      z.object({
        tax_category: z.string(),
        rate_percent: z.string(),
        tax_code: z.string(),
        agreed_by: z.string(),
      }),
    ),
    cost_rules: z.array(costRuleSchema),
  })
  .openapi('SupplierDetail')

export function toSupplierJson(row: SupplierRow): z.input<typeof supplierSchema> {
  return {
    id: encodeId('supplier', row.id),
    code: row.code,
    name: row.name,
    peer: row.peer_id === null ? null : encodeId('peer', row.peer_id),
    currency: row.currency,
    tax_id: row.tax_id,
    created_at: row.created_at,
  }
}

export function toMappingJson(row: ExpenseMappingRow) {
  return {
    product_code: row.matches === 'product_code' ? row.value : null,
    description: row.matches === 'description' ? row.value : null,
    category: toCategoryReference(row),
    agreed_by: row.agreed_by,
  }
}

export function toCategoryReference(row: { category_id: string; code: string; name: string }) {
  return { id: encodeId('expenseCategory', row.category_id), code: row.code, name: row.name }
}

export function toTaxCodeJson(row: SupplierTaxCodeRow) {
  const { tax_category, rate_percent, tax_code, agreed_by } = row
  return { tax_category, rate_percent, tax_code, agreed_by }
}

export const expensesSchema = z
  .object({
    month: z.string(),
    expenses: z
      .array(
        z.object({
          category: referenceSchema
            .nullable()
            .openapi({ description: 'Null: lines that are mapped to no category.' }),
          account: z.string().nullable(),
          amount: moneySchema.openapi({ description: 'Net, of the days of the month.' }),
          lines: z.number().int(),
        }),
      )
      .openapi({
        description: 'By category and currency; together all that suppliers billed for the month.',
      }),
    unmapped: z
      .array(
        z.object({
          ...suppliedLineFields,
          amount: moneySchema,
        }),
      )
      .openapi({
        description: 'The lines that are mapped to no category, each in full: nothing is guessed.',
      }),
  })
  .openapi('Expenses')
