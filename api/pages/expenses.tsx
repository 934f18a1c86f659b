import type { Tx } from '#db/database.ts'
import { listExpenseCategories, type ExpenseCategoryRow } from '#db/read/expense.ts'
import { encodeId } from '#domain/identifier.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import {
  carryOutMapping,
  carryOutTaxCode,
  changeExpenseCategory,
  createExpenseCategory,
  readAgreements,
  readExpenses,
} from '../routes/expenses.ts'
import { expenseMappingSchema, newExpenseCategorySchema, taxCodeMappingSchema } from '../schemas/expense.ts'
import { parse } from '../validation.ts'
import { AgreedLines } from './agreed-lines.tsx'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Choice, Folded, PostForm, Refusal, RowButton, TextField, type RefusedInput } from './form.tsx'
import { formatAmount, formatMonth } from './format.ts'
import { monthQuery, Months, shownMonth } from './months.tsx'
import { Empty, Section, Table } from './parts.tsx'
import { registerRowForm, saidOf, type SentForm } from './row-form.ts'
import { SuppliersFrame } from './suppliers-frame.tsx'

const path = '/expenses'
const addForm = 'add'
const taxForm = 'tax-code'
/** Categories are few. */
const mostCategories = 500

/** What a month cost and as what it is counted; what is not mapped is mapped here. */
export function registerExpensePages(frame: Frame): void {
  consolePage(frame, { method: 'get', path, permission: 'supplier_invoices:read' }, async (view, ctx) => {
    const { month } = parse(monthQuery, ctx.req.query(), 'query')
    return await expensesBody(frame, view, { month })
  })
  const showAgain = async (view: ConsoleView, _id: string, refused: RefusedInput) =>
    await expensesBody(frame, view, { refused })
  const register = (
    at: string,
    form: (id: string, values: SentForm['values']) => string,
    act: (tx: Tx, sent: SentForm) => Promise<unknown>,
  ) => {
    registerRowForm(frame, {
      path: at,
      permission: 'supplier_invoices:write',
      form,
      carryOut: async (tx, sent) => {
        await act(tx, sent)
        return path
      },
      showAgain,
    })
  }
  register(
    path,
    () => addForm,
    async (tx, { values }) =>
      await createExpenseCategory(tx, parse(newExpenseCategorySchema, saidOf(values), 'body')),
  )
  for (const [name, isArchived] of [
    ['archive', true],
    ['unarchive', false],
  ] as const)
    register(
      `${path}/:id/${name}`,
      (id) => id,
      async (tx, { id, now }) => {
        const categoryId = await resolveAddress(tx, 'expenseCategory', id)
        await changeExpenseCategory(tx, categoryId, { is_archived: isArchived }, now)
      },
    )
  register(`${path}/map`, (_id, values) => values['form'] ?? '', map)
  register(`${path}/tax-code`, (_id, values) => values['form'] ?? taxForm, setTaxCode)
}

async function map(tx: Tx, { values, actor, now }: SentForm): Promise<void> {
  const { form: _form, supplier = '', ...said } = saidOf(values)
  const supplierId = await resolveAddress(tx, 'supplier', supplier)
  const body = parse(expenseMappingSchema, { category: null, ...said }, 'body')
  await carryOutMapping(tx, supplierId, body, { actor, now })
}

async function setTaxCode(tx: Tx, { values, actor, now }: SentForm): Promise<void> {
  const { form: _form, supplier = '', ...said } = saidOf(values)
  const supplierId = await resolveAddress(tx, 'supplier', supplier)
  const body = parse(taxCodeMappingSchema, { tax_code: null, ...said }, 'body')
  await carryOutTaxCode(tx, supplierId, body, { actor, now })
}

type Expenses = Awaited<ReturnType<typeof readExpenses>>

async function expensesBody(
  frame: Frame,
  view: ConsoleView,
  asked: { month?: string | undefined; refused?: RefusedInput },
): Promise<ConsoleBody> {
  const month = shownMonth(view, asked.month)
  const all = { limit: mostCategories, cursor: null, direction: 'after' } as const
  const [expenses, categories, agreements] = await Promise.all([
    readExpenses(frame.deps.db, month),
    listExpenseCategories(frame.deps.db, all),
    readAgreements(frame.deps.db),
  ])
  const { refused } = asked
  const of = { view, refused }
  return {
    title: 'Expenses',
    current: 'suppliers',
    children: (
      <SuppliersFrame current={path}>
        <Months path={path} month={month} />
        <Section id="expenses" title={`What ${formatMonth(month)} cost`}>
          {refused !== undefined && refused.form !== addForm && refused.form !== taxForm && (
            <Refusal refused={refused} />
          )}
          <ExpenseTable expenses={expenses} />
        </Section>
        <Section id="unmapped" title="Not mapped yet">
          <Unmapped {...of} expenses={expenses} categories={categories} />
        </Section>
        <Section id="categories" title="Expense categories">
          <Categories {...of} categories={categories} />
          <AddForm {...of} />
        </Section>
        <Section id="agreed" title="What is agreed">
          <AgreedLines {...of} suppliers={agreements} />
          <TaxCodeForm {...of} />
        </Section>
      </SuppliersFrame>
    ),
  }
}

function ExpenseTable({ expenses }: { expenses: Expenses }) {
  if (expenses.expenses.length === 0) return <Empty>No supplier has billed anything for this month.</Empty>
  return (
    <Table
      caption="Expenses by category"
      head={['Category', 'Account', { number: 'Lines' }, { number: 'Net' }]}
    >
      {expenses.expenses.map((row) => (
        <tr>
          <th scope="row">{row.category?.name ?? 'Not mapped'}</th>
          <td>{row.account}</td>
          <td class="number">{row.lines}</td>
          <td class="number">{formatAmount(row.amount.amount_minor, row.amount.currency)}</td>
        </tr>
      ))}
    </Table>
  )
}

interface FormProps {
  readonly view: ConsoleView
  readonly refused: RefusedInput | undefined
}

function Unmapped({
  view,
  refused,
  expenses,
  categories,
}: FormProps & { expenses: Expenses; categories: readonly ExpenseCategoryRow[] }) {
  if (expenses.unmapped.length === 0) return <Empty>Every line of the month is mapped.</Empty>
  const choices = categories
    .filter((category) => category.archived_at === null)
    .map((category) => [category.code, category.name] as const)
  return (
    <Table
      caption="Lines that are mapped to no category"
      head={['Line', 'Supplier', 'Product', { number: 'Net of the line' }, 'Count as']}
    >
      {expenses.unmapped.map((line) => {
        const form = `map-${line.supplier_invoice}-${line.position}`
        const at = { form, refused }
        const [name, value] =
          line.product_code === null ? ['description', line.description] : ['product_code', line.product_code]
        return (
          <tr>
            <th scope="row">
              <a href={`/supplier-invoices/${line.supplier_invoice}`}>{line.number}</a>: {line.description}
            </th>
            <td>{line.supplier.name}</td>
            <td>{line.product_code}</td>
            <td class="number">{formatAmount(line.amount.amount_minor, line.amount.currency)}</td>
            <td>
              {choices.length === 0 ? (
                <a href="#categories">Add a category first</a>
              ) : (
                <PostForm {...at} view={view} action={`${path}/map`} isInRow>
                  <input type="hidden" name="form" value={form} />
                  <input type="hidden" name="supplier" value={line.supplier.id} />
                  <input type="hidden" name={name} value={value} />
                  <Choice
                    {...at}
                    name="category"
                    label={`Category of ${line.description}`}
                    isLabelHidden
                    choices={choices}
                  />
                  <button type="submit">Map</button>
                </PostForm>
              )}
            </td>
          </tr>
        )
      })}
    </Table>
  )
}

function Categories({ view, categories }: FormProps & { categories: readonly ExpenseCategoryRow[] }) {
  if (categories.length === 0)
    return <Empty>None: make one, such as hosting, then map what suppliers bill to it.</Empty>
  return (
    <Table caption="Expense categories" head={['Code', 'Name', 'Account', 'Ask']}>
      {categories.map((row) => {
        const isOver = row.archived_at !== null
        const id = encodeId('expenseCategory', row.id)
        return (
          <tr class={isOver ? 'past' : undefined}>
            <th scope="row">{row.code}</th>
            <td>{row.name}</td>
            <td>{row.account}</td>
            <td>
              <RowButton
                view={view}
                action={`${path}/${id}/${isOver ? 'unarchive' : 'archive'}`}
                of={row.name}
              >
                {isOver ? 'Use again' : 'Archive'}
              </RowButton>
            </td>
          </tr>
        )
      })}
    </Table>
  )
}

function AddForm({ view, refused }: FormProps) {
  const at = { form: addForm, refused }
  return (
    <Folded {...at} title="Add a category…">
      <PostForm {...at} view={view} action={path}>
        <TextField {...at} name="code" label="Code" isRequired />
        <TextField {...at} name="name" label="Name" isRequired />
        <TextField {...at} name="account" label="Account" hint="Of your chart of accounts." />
        <div class="buttons">
          <button type="submit" class="primary">
            Add the category
          </button>
        </div>
      </PostForm>
    </Folded>
  )
}

function TaxCodeForm({ view, refused }: FormProps) {
  const at = { form: taxForm, refused }
  return (
    <Folded {...at} title="Map a tax of a supplier…">
      <PostForm {...at} view={view} action={`${path}/tax-code`}>
        <TextField {...at} name="supplier" label="Supplier" hint="Its id or code." isRequired />
        <TextField {...at} name="tax_category" label="Its category" hint="Such as standard." isRequired />
        <TextField {...at} name="rate_percent" label="Its rate, in percent" type="decimal" isRequired />
        <TextField {...at} name="tax_code" label="Our tax code" hint="Empty: it is mapped no more." />
        <div class="buttons">
          <button type="submit" class="primary">
            Map the tax
          </button>
        </div>
      </PostForm>
    </Folded>
  )
}
