import type { Command } from 'commander'
import type { ExpenseCategory, Expenses, Supplier, SupplierDetail } from './answers.ts'
import type { Output } from './output.ts'
import { moneyText } from './format.ts'
import { limitOption, tellMore } from './list.ts'
import { addCostRules, tellCostRules } from './margins.ts'
import { withSession } from './session.ts'

export function registerExpenses(program: Command): void {
  program
    .command('expenses')
    .summary('what a month cost, by expense category')
    .description(
      'The net of what suppliers billed for the days of a month; what is mapped to nothing stands apart.',
    )
    .argument('<month>', 'such as 2026-03')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [month] }) => {
        const found = await api.get<Expenses>('/v1/expenses', { month })
        if (out.isJson) return out.json(found)
        out.table(
          ['category', 'account', 'lines', 'net'],
          found.expenses.map((row) => [
            row.category?.name ?? 'not mapped',
            row.account,
            String(row.lines),
            moneyText(row.amount),
          ]),
        )
        if (found.unmapped.length > 0)
          out.table(
            ['not mapped', 'supplier', 'product', 'description', 'net'],
            found.unmapped.map((line) => [
              line.number,
              line.supplier.name,
              line.product_code,
              line.description,
              moneyText(line.amount),
            ]),
          )
      }),
    )
  registerCategories(program)
  registerSuppliers(program)
}

function registerCategories(program: Command): void {
  const group = program
    .command('expense-categories')
    .alias('expense-category')
    .summary('what expenses are counted as')
    .description('A small list of your own, each with an account of your chart of accounts.')
  group
    .command('ls')
    .description('list them (what the word alone does)')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number }>(async ({ api, out }, { options }) => {
        const found = await api.list<ExpenseCategory>('/v1/expense-categories', {}, options.limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['code', 'name', 'account', 'archived'],
          found.rows.map((row) => [row.code, row.name, row.account, row.archived_at]),
        )
        tellMore(out, found, 'None. npx clouder expense-categories add --help')
      }),
    )
  group
    .command('add')
    .description('add one')
    .argument('<code>', 'such as hosting')
    .requiredOption('--name <name>', 'as people read it')
    .option('--account <account>', 'of your chart of accounts')
    .action(
      withSession<[string], { name: string; account?: string }>(
        async ({ api, out }, { args: [code], options }) => {
          const made = await api.post<ExpenseCategory>('/v1/expense-categories', { code, ...options })
          if (out.isJson) return out.json(made)
          out.say(`  ${made.name}: ${made.id}`)
        },
      ),
    )
}

interface MapOptions {
  readonly product?: string
  readonly description?: string
  readonly category?: string
}

function registerSuppliers(program: Command): void {
  const group = program
    .command('suppliers')
    .alias('supplier')
    .summary('who bills this installation, and what its lines are counted as')
    .description(
      'A peer that bills this installation is a supplier once it is paired with; any other one is added.',
    )
  group
    .command('ls')
    .description('list them, newest first (what the word alone does)')
    .addOption(limitOption())
    .action(
      withSession<[], { limit: number }>(async ({ api, out }, { options }) => {
        const found = await api.list<Supplier>('/v1/suppliers', {}, options.limit)
        if (out.isJson) return out.json(found.rows)
        out.table(
          ['id', 'code', 'name', 'currency', 'peer'],
          found.rows.map((row) => [row.id, row.code, row.name, row.currency, row.peer]),
        )
        tellMore(out, found, 'None. npx clouder peers invite --help')
      }),
    )
  group
    .command('add')
    .description('record a supplier that is no installation; then: npx clouder supplier-invoices record')
    .argument('<code>', 'what it is called here')
    .requiredOption('--name <name>', 'its name')
    .requiredOption('--currency <currency>', 'in which it bills')
    .option('--tax-id <id>', 'its tax id')
    .action(
      withSession<[string], { name: string; currency: string; taxId?: string }>(
        async ({ api, out }, { args: [code], options }) => {
          const { name, currency, taxId } = options
          const body = { code, name, currency, tax_id: taxId }
          const supplier = await api.post<SupplierDetail>('/v1/suppliers', body)
          if (out.isJson) return out.json(supplier)
          out.say(`  ${supplier.name}, ${supplier.currency}: ${supplier.id}`)
        },
      ),
    )
  group
    .command('show')
    .description('one supplier, with all that is agreed of its lines')
    .argument('<supplier>', 'its id or code')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        const supplier = await api.get<SupplierDetail>(`/v1/suppliers/${encodeURIComponent(id)}`)
        if (out.isJson) return out.json(supplier)
        out.facts([
          ['supplier', supplier.name],
          ['code', supplier.code],
          ['currency', supplier.currency],
          ['tax id', supplier.tax_id],
          ['peer', supplier.peer],
        ])
        tellMappings(out, supplier)
        tellTaxCodes(out, supplier)
        tellCostRules(out, supplier)
      }),
    )
  group
    .command('map')
    .description('say which expense category lines of a supplier are of')
    .argument('<supplier>', 'its id or code')
    .option('--product <code>', 'the product, as the supplier calls it')
    .option('--description <text>', 'the whole text of a line without a product')
    .option('--category <category>', 'left out: it is said no more')
    .action(
      withSession<[string], MapOptions>(async ({ api, out }, { args: [id], options }) => {
        const { product, description, category } = options
        const body = { product_code: product, description, category: category ?? null }
        const address = `/v1/suppliers/${encodeURIComponent(id)}/expense-mappings`
        const supplier = await api.put<SupplierDetail>(address, body)
        if (out.isJson) return out.json(supplier)
        tellMappings(out, supplier)
      }),
    )
  group
    .command('map-tax')
    .description('say which tax code of your books a tax of a supplier is')
    .argument('<supplier>', 'its id or code')
    .requiredOption('--category <category>', 'the tax category, as the supplier has it: standard')
    .requiredOption('--rate <percent>', 'its rate, in percent')
    .option('--code <code>', 'as your books have it; left out: it is said no more')
    .action(
      withSession<[string], { category: string; rate: string; code?: string }>(
        async ({ api, out }, { args: [id], options }) => {
          const { category, rate, code } = options
          const body = { tax_category: category, rate_percent: rate, tax_code: code ?? null }
          const address = `/v1/suppliers/${encodeURIComponent(id)}/tax-codes`
          const supplier = await api.put<SupplierDetail>(address, body)
          if (out.isJson) return out.json(supplier)
          tellTaxCodes(out, supplier)
        },
      ),
    )
  addCostRules(group)
}

function tellMappings(out: Output, { expense_mappings: mappings }: SupplierDetail): void {
  out.table(
    ['product', 'description', 'category'],
    mappings.map((row) => [row.product_code, row.description, row.category.name]),
  )
}

function tellTaxCodes(out: Output, { tax_codes: codes }: SupplierDetail): void {
  out.table(
    ['their tax category', 'rate', 'tax code'],
    codes.map((row) => [row.tax_category, row.rate_percent, row.tax_code]),
  )
}
