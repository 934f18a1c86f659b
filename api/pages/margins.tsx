import { z } from 'zod'
import { marginGroupings, type MarginGrouping } from '#domain/margin.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { carryOutCostRule, readMargins } from '../routes/margins.ts'
import { newCostRuleSchema } from '../schemas/cost-rule.ts'
import { monthField } from '../schemas/expense.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Choice, PostForm, Refusal, TextField, type RefusedInput } from './form.tsx'
import { formatAmount, formatMonth } from './format.ts'
import { monthQuery, Months, shownMonth } from './months.tsx'
import { Empty, Section, Table } from './parts.tsx'
import { registerRowForm, saidOf } from './row-form.ts'
import { SuppliersFrame } from './suppliers-frame.tsx'

const path = '/margins'
const query = monthQuery.extend({ by: z.enum(marginGroupings).optional() })

/** What a month cost against what it earned; lines that pay for nothing yet get their rule here. */
export function registerMarginPages(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path, permission: 'supplier_invoices:read' },
    async (view, ctx) => await marginsBody(frame, view, parse(query, ctx.req.query(), 'query')),
  )
  registerRowForm(frame, {
    path: `${path}/rules`,
    permission: 'supplier_invoices:write',
    form: (_id, values) => values['form'] ?? '',
    carryOut: async (tx, { values, actor, now }) => {
      const { form: _form, month, supplier = '', kind = '', what, ...said } = saidOf(values)
      const supplierId = await resolveAddress(tx, 'supplier', supplier)
      const paysFor = kind === '' ? null : { [kind]: what }
      const body = parse(newCostRuleSchema, { ...said, pays_for: paysFor }, 'body')
      await carryOutCostRule(tx, supplierId, body, { actor, now })
      return month === undefined ? path : `${path}?month=${month}`
    },
    showAgain: async (view, _id, refused) =>
      await marginsBody(frame, view, { ...monthOf(refused.values['month']), refused }),
  })
}

function monthOf(text: string | undefined): { month?: string } {
  const { success, data } = monthField.safeParse(text)
  return success ? { month: data } : {}
}

type Margins = Awaited<ReturnType<typeof readMargins>>

async function marginsBody(
  frame: Frame,
  view: ConsoleView,
  asked: { month?: string | undefined; by?: MarginGrouping | undefined; refused?: RefusedInput },
): Promise<ConsoleBody> {
  const { by = 'product', refused } = asked
  const month = shownMonth(view, asked.month)
  const margins = await readMargins(frame.deps.db, { month, by })
  return {
    title: 'Margins',
    current: 'suppliers',
    children: (
      <SuppliersFrame current={path}>
        <Months path={path} month={month} kept={`&by=${by}`} />
        <nav class="filter" aria-label="Grouped by">
          {marginGroupings.map((grouping) => (
            <a
              href={`${path}?month=${month}&by=${grouping}`}
              aria-current={grouping === by ? 'true' : undefined}
            >
              by {grouping}
            </a>
          ))}
        </nav>
        <Section id="margins" title={`What ${formatMonth(month)} earned and cost`}>
          <MarginTable margins={margins} />
        </Section>
        <Section id="unmatched" title="Costs that are matched to nothing">
          {refused !== undefined && <Refusal refused={refused} />}
          <Unmatched view={view} refused={refused} margins={margins} />
        </Section>
      </SuppliersFrame>
    ),
  }
}

function amountOf(money: { amount_minor: number; currency: string }): string {
  return formatAmount(money.amount_minor, money.currency)
}

const titles = {
  product: 'Product',
  subscription: 'Subscription',
  customer: 'Customer',
} as const satisfies Readonly<Record<MarginGrouping, string>>

function MarginTable({ margins }: { margins: Margins }) {
  if (margins.totals.length === 0) return <Empty>Nothing was earned in this month, and nothing cost.</Empty>
  return (
    <Table
      caption={`Margins by ${margins.by}`}
      head={[titles[margins.by], { number: 'Earned' }, { number: 'Cost' }, { number: 'Margin' }]}
    >
      {margins.margins.map((row) => (
        <tr>
          <th scope="row">{row.name ?? `No ${margins.by}`}</th>
          <td class="number">{amountOf(row.revenue)}</td>
          <td class="number">{amountOf(row.cost)}</td>
          <td class="number">{amountOf(row.margin)}</td>
        </tr>
      ))}
      {margins.idle.map((row) => (
        <tr>
          <th scope="row">Server {row.name}, without instances</th>
          <td />
          <td class="number">{amountOf(row.amount)}</td>
          <td />
        </tr>
      ))}
      {margins.totals.map((row) => (
        <tr>
          <th scope="row">
            All in {row.currency}
            {row.unmatched.amount_minor !== 0 && (
              <div class="hint">{amountOf(row.unmatched)} of the cost matched to nothing</div>
            )}
          </th>
          <td class="number">{amountOf(row.revenue)}</td>
          <td class="number">{amountOf(row.cost)}</td>
          <td class="number">{amountOf(row.margin)}</td>
        </tr>
      ))}
    </Table>
  )
}

const kinds = [
  ['server', 'Server'],
  ['subscription', 'Subscription'],
  ['product', 'Product'],
] as const

function Unmatched(props: { view: ConsoleView; refused: RefusedInput | undefined; margins: Margins }) {
  const { view, refused, margins } = props
  if (margins.unmatched.length === 0) return <Empty>Every line of the month pays for something.</Empty>
  return (
    <Table
      caption="Lines that no rule is of"
      head={['Line', 'Supplier', { number: 'In the month' }, 'Pays for']}
    >
      {margins.unmatched.map((line) => {
        const form = `rule-${line.supplier_invoice}-${line.position}`
        const at = { form, refused }
        const [name, value, known] = nearestName(line)
        return (
          <tr>
            <th scope="row">
              <a href={`/supplier-invoices/${line.supplier_invoice}`}>{line.number}</a>: {line.description}
              <div class="hint">{known}</div>
            </th>
            <td>{line.supplier.name}</td>
            <td class="number">{amountOf(line.amount)}</td>
            <td>
              <PostForm {...at} view={view} action={`${path}/rules`} isInRow>
                <input type="hidden" name="form" value={form} />
                <input type="hidden" name="month" value={margins.month} />
                <input type="hidden" name="supplier" value={line.supplier.id} />
                <input type="hidden" name={name} value={value} />
                <Choice {...at} name="kind" label="What it pays for" isLabelHidden choices={kinds} />
                <TextField
                  {...at}
                  name="what"
                  label={`Code or id of what ${line.description} pays for`}
                  isLabelHidden
                  isRequired
                />
                <button type="submit">Match</button>
              </PostForm>
            </td>
          </tr>
        )
      })}
    </Table>
  )
}

/** The field of a rule, what it says, and how people read that. */
function nearestName(
  line: Margins['unmatched'][number],
): readonly [field: string, value: string, text: string] {
  const { supplier_subscription: subscription, product_code: product, description } = line
  if (subscription !== null)
    return ['supplier_subscription', subscription, `matched by its subscription ${subscription}`]
  if (product !== null) return ['product_code', product, `matched by its product ${product}`]
  return ['description', description, 'matched by its whole text']
}
