import type { SupplierAgreement } from '../routes/expenses.ts'
import type { ConsoleView } from './console-page.tsx'
import { PostForm, type RefusedInput } from './form.tsx'
import { Empty, Table } from './parts.tsx'

const agreedForm = 'agreed'

const calls = { product_code: 'product', description: 'lines', subscription: 'subscription' } as const

interface Agreed {
  readonly what: string
  readonly isOurs: string
  readonly action: string
  /** By which it is said no more. */
  readonly fields: Readonly<Record<string, string>>
}

/** What is said of lines and taxes of suppliers, whatever the month; what is wrong is taken back, and said anew where it is seen. */
export function AgreedLines(props: {
  view: ConsoleView
  refused: RefusedInput | undefined
  suppliers: readonly SupplierAgreement[]
}) {
  const { view, refused, suppliers } = props
  const rows = suppliers.flatMap((supplier) => agreedOf(supplier).map((row) => ({ supplier, row })))
  if (rows.length === 0) return <Empty>Nothing yet: no line and no tax of a supplier is mapped.</Empty>
  return (
    <Table
      caption="What is agreed of suppliers’ lines and taxes"
      head={['Supplier', 'Theirs', 'Here', 'Ask']}
    >
      {rows.map(({ supplier, row }) => (
        <tr>
          <th scope="row">{supplier.name}</th>
          <td>{row.what}</td>
          <td>{row.isOurs}</td>
          <td>
            <PostForm form={agreedForm} refused={refused} view={view} action={row.action} isInRow>
              <input type="hidden" name="form" value={agreedForm} />
              <input type="hidden" name="supplier" value={supplier.id} />
              {Object.entries(row.fields).map(([name, value]) => (
                <input type="hidden" name={name} value={value} />
              ))}
              <button type="submit">
                Take back<span class="visually-hidden"> {row.what}</span>
              </button>
            </PostForm>
          </td>
        </tr>
      ))}
    </Table>
  )
}

function agreedOf({ expense_mappings, tax_codes, cost_rules }: SupplierAgreement): Agreed[] {
  return [
    ...expense_mappings.map(({ product_code: product, description, category }) => {
      const name = product === null ? 'description' : 'product_code'
      const value = product ?? description ?? ''
      return {
        what: `${calls[name]} ${value}`,
        isOurs: category.name,
        action: '/expenses/map',
        fields: { [name]: value },
      }
    }),
    ...tax_codes.map(({ tax_category, rate_percent, tax_code }) => ({
      what: `tax ${tax_category}, ${rate_percent} %`,
      isOurs: `tax code ${tax_code}`,
      action: '/expenses/tax-code',
      fields: { tax_category, rate_percent },
    })),
    ...cost_rules.map(({ matches, value, pays_for: target }) => ({
      what: `${calls[matches]} ${value}`,
      isOurs: `pays for ${target.kind} ${target.name}`,
      action: '/margins/rules',
      fields: { [matches === 'subscription' ? 'supplier_subscription' : matches]: value },
    })),
  ]
}
