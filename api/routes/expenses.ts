import { z } from '@hono/zod-openapi'
import type { Db, Tx } from '#db/database.ts'
import { insertExpenseCategory, mapExpense, mapTaxCode, updateExpenseCategory } from '#db/expense.ts'
import {
  getExpenseCategory,
  listExpenseCategories,
  listExpenseMappings,
  listSupplierTaxCodes,
} from '#db/read/expense.ts'
import { listCostRules } from '#db/read/margin.ts'
import { listSuppliedLines } from '#db/read/supplied-line.ts'
import { getSupplier, listAgreedSuppliers, listSuppliers } from '#db/read/supplier.ts'
import { fieldError } from '#domain/errors.ts'
import { computeExpenses } from '#domain/expense.ts'
import { findByName, monthPeriod } from '#domain/supplied-line.ts'
import { resolveAddress, resolveField } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { pageOf, pageQuery, toPage, toPageRequest } from '../pagination.ts'
import { idParams } from '../schemas/common.ts'
import {
  expenseCategoryChangeSchema,
  expenseCategorySchema,
  expenseMappingSchema,
  expensesSchema,
  monthField,
  newExpenseCategorySchema,
  supplierDetailSchema,
  supplierSchema,
  taxCodeMappingSchema,
  toCategoryReference,
  toExpenseCategoryJson,
  toMappingJson,
  toSupplierJson,
  toTaxCodeJson,
} from '../schemas/expense.ts'
import { toCostRuleJson } from '../schemas/cost-rule.ts'
import { toSuppliedLineJson } from '../schemas/supplied-line.ts'

const [tag, read, write] = ['Suppliers', 'supplier_invoices:read', 'supplier_invoices:write'] as const

/** What suppliers' lines are for: categories, what is agreed with each supplier, and what a month cost. */
export function registerExpenses(frame: Frame): void {
  registerCategories(frame)
  registerSuppliers(frame)
  registerMappings(frame)
  frame.route(
    {
      method: 'get',
      path: '/v1/expenses',
      permission: read,
      tag,
      summary: 'What a month cost, by expense category and currency',
      query: z.strictObject({ month: monthField }),
      result: expensesSchema,
    },
    async ({ db, query }) => await readExpenses(db, query.month),
  )
}

export async function readExpenses(db: Db, month: string) {
  const [lines, mappings] = await Promise.all([
    listSuppliedLines(db, monthPeriod(month)),
    listExpenseMappings(db),
  ])
  const said = mappings.map((row) => ({
    supplierId: row.supplier_id,
    matches: row.matches,
    value: row.value,
    categoryId: row.category_id,
  }))
  const categories = new Map(mappings.map((row) => [row.category_id, row]))
  const ofSupplier = Map.groupBy(said, ({ supplierId }) => supplierId)
  const unmapped = lines.filter(
    (line) => findByName(ofSupplier.get(line.supplierId) ?? [], line) === undefined,
  )
  return {
    month,
    expenses: computeExpenses(lines, said, month).map(
      ({ categoryId, currency, amountMinor, lines: count }) => {
        const category = categories.get(categoryId ?? '')
        return {
          category: category === undefined ? null : toCategoryReference(category),
          account: category?.account ?? null,
          amount: { amount_minor: amountMinor, currency },
          lines: count,
        }
      },
    ),
    unmapped: unmapped.map((line) => ({
      ...toSuppliedLineJson(line),
      amount: { amount_minor: line.amountMinor, currency: line.currency },
    })),
  }
}

function registerCategories(frame: Frame): void {
  const path = '/v1/expense-categories'
  frame.route(
    {
      method: 'get',
      path,
      permission: read,
      tag,
      summary: 'List expense categories',
      query: z.strictObject(pageQuery),
      result: pageOf(expenseCategorySchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listExpenseCategories(db, page), page, toExpenseCategoryJson)
    },
  )
  frame.route(
    {
      method: 'post',
      path,
      permission: write,
      tag,
      summary: 'Create an expense category',
      body: newExpenseCategorySchema,
      result: expenseCategorySchema,
      status: 201,
      refusals: ['code_taken'],
    },
    async ({ transaction, body }) => {
      const tx = transaction()
      return toExpenseCategoryJson(await getExpenseCategory(tx, await createExpenseCategory(tx, body)))
    },
  )
  frame.route(
    {
      method: 'patch',
      path: `${path}/{id}`,
      permission: write,
      tag,
      summary: 'Rename an expense category, or take it out of use',
      description: 'What is mapped to an archived one stays so; nothing new is mapped to it.',
      params: idParams,
      body: expenseCategoryChangeSchema,
      result: expenseCategorySchema,
    },
    async ({ transaction, params, body, now }) => {
      const tx = transaction()
      const id = await resolveAddress(tx, 'expenseCategory', params.id)
      await changeExpenseCategory(tx, id, body, now)
      return toExpenseCategoryJson(await getExpenseCategory(tx, id))
    },
  )
}

/** @throws `code_taken` */
export async function createExpenseCategory(
  tx: Tx,
  { code, name, account }: z.output<typeof newExpenseCategorySchema>,
): Promise<string> {
  return await insertExpenseCategory(tx, { code, name, account: account ?? null })
}

export async function changeExpenseCategory(
  tx: Tx,
  id: string,
  body: z.output<typeof expenseCategoryChangeSchema>,
  now: string,
): Promise<void> {
  const { name, account, is_archived: isArchived } = body
  const archived = isArchived === undefined ? {} : { archivedAt: isArchived ? now : null }
  await updateExpenseCategory(tx, id, { name, account, ...archived })
}

function registerSuppliers(frame: Frame): void {
  frame.route(
    {
      method: 'get',
      path: '/v1/suppliers',
      permission: read,
      tag,
      summary: 'List suppliers',
      query: z.strictObject(pageQuery),
      result: pageOf(supplierSchema),
    },
    async ({ db, query }) => {
      const page = toPageRequest(query)
      return toPage(await listSuppliers(db, page), page, toSupplierJson)
    },
  )
  frame.route(
    {
      method: 'get',
      path: '/v1/suppliers/{id}',
      permission: read,
      tag,
      summary: 'Read a supplier, with what is agreed of its lines and taxes',
      params: idParams,
      result: supplierDetailSchema,
    },
    async ({ db, params }) => await readSupplier(db, await resolveAddress(db, 'supplier', params.id)),
  )
}

/** @throws `supplier_unknown` at the field that names it */
export async function resolveSupplier(db: Db, text: string, pointer: string): Promise<string> {
  return await resolveField(db, { kind: 'supplier', text, pointer, unknown: 'supplier_unknown' })
}

export async function readSupplier(db: Db, id: string) {
  const [supplier, rules, mappings, taxCodes] = await Promise.all([
    getSupplier(db, id),
    listCostRules(db, id),
    listExpenseMappings(db, id),
    listSupplierTaxCodes(db, id),
  ])
  return {
    ...toSupplierJson(supplier),
    expense_mappings: mappings.map(toMappingJson),
    tax_codes: taxCodes.map(toTaxCodeJson),
    cost_rules: rules.map(toCostRuleJson),
  }
}

export type SupplierAgreement = Awaited<ReturnType<typeof readSupplier>>

/** Of all suppliers of whose lines or taxes something is said. */
export async function readAgreements(db: Db): Promise<SupplierAgreement[]> {
  const ids = await listAgreedSuppliers(db)
  return await Promise.all(ids.map(async (id) => await readSupplier(db, id)))
}

function registerMappings(frame: Frame): void {
  frame.route(
    {
      method: 'put',
      path: '/v1/suppliers/{id}/expense-mappings',
      permission: write,
      tag,
      summary: 'Say which expense category lines of a supplier are of',
      description:
        'By the supplier’s product, or by the whole text of a line. It holds for lines of before too.',
      params: idParams,
      body: expenseMappingSchema,
      result: supplierDetailSchema,
      refusals: ['expense_category_unknown'],
    },
    async ({ transaction, params, body, principal, now }) => {
      const tx = transaction()
      const supplierId = await resolveAddress(tx, 'supplier', params.id)
      await carryOutMapping(tx, supplierId, body, { actor: principal.name, now })
      return await readSupplier(tx, supplierId)
    },
  )
  frame.route(
    {
      method: 'put',
      path: '/v1/suppliers/{id}/tax-codes',
      permission: write,
      tag,
      summary: 'Say which tax code of your books a tax of a supplier is',
      params: idParams,
      body: taxCodeMappingSchema,
      result: supplierDetailSchema,
    },
    async ({ transaction, params, body, principal, now }) => {
      const tx = transaction()
      const supplierId = await resolveAddress(tx, 'supplier', params.id)
      await carryOutTaxCode(tx, supplierId, body, { actor: principal.name, now })
      return await readSupplier(tx, supplierId)
    },
  )
}

interface By {
  readonly actor: string
  readonly now: string
}

/** @throws `expense_category_unknown` also for one that is out of use */
export async function carryOutMapping(
  tx: Tx,
  supplierId: string,
  body: z.output<typeof expenseMappingSchema>,
  by: By,
): Promise<void> {
  const { product_code: productCode, description, category } = body
  const name =
    productCode === undefined
      ? ({ matches: 'description', value: description ?? '' } as const)
      : ({ matches: 'product_code', value: productCode } as const)
  const categoryId = category === null ? null : await resolveCategory(tx, category)
  await mapExpense(tx, { supplierId, ...name, categoryId, ...by })
}

async function resolveCategory(tx: Tx, text: string): Promise<string> {
  const unknown = 'expense_category_unknown'
  const id = await resolveField(tx, { kind: 'expenseCategory', text, pointer: '/category', unknown })
  const { archived_at: archivedAt } = await getExpenseCategory(tx, id)
  if (archivedAt !== null) throw fieldError('/category', unknown, `${text} is out of use.`)
  return id
}

export async function carryOutTaxCode(
  tx: Tx,
  supplierId: string,
  body: z.output<typeof taxCodeMappingSchema>,
  by: By,
): Promise<void> {
  const { tax_category: taxCategory, rate_percent: ratePercent, tax_code: taxCode } = body
  await mapTaxCode(tx, { supplierId, taxCategory, ratePercent, taxCode, ...by })
}
