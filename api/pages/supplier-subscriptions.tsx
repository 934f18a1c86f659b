import type { Tx } from '#db/database.ts'
import { listSupplierSubscriptions, type SupplierSubscriptionRow } from '#db/read/supplier-subscription.ts'
import { getSupplier, listSuppliers, type SupplierRow } from '#db/read/supplier.ts'
import { endSupplierSubscription } from '#db/supplier-subscription.ts'
import { atField } from '#domain/errors.ts'
import { encodeId } from '#domain/identifier.ts'
import { parseAmount } from '#domain/money.ts'
import { resolveAddress } from '../addressing.ts'
import type { Frame } from '../frame.ts'
import { carryOutExpecting, readExpected } from '../routes/supplier-subscriptions.ts'
import {
  newSupplierSubscriptionSchema,
  supplierSubscriptionChangeSchema,
} from '../schemas/supplier-subscription.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import { Choice, Folded, PostForm, Refusal, TextField, type RefusedInput } from './form.tsx'
import { formatAmount } from './format.ts'
import { monthQuery, Months, shownMonth } from './months.tsx'
import { Day, Empty, Section, State, Table } from './parts.tsx'
import { registerRowForm, saidOf, toNumber, type SentForm } from './row-form.ts'
import { SuppliersFrame } from './suppliers-frame.tsx'

const path = '/expected-supplier-invoices'
const addForm = 'add'
/** Suppliers, and what they bill every month, are few. */
const most = 500

/** What suppliers bill every month: what is expected, what has come, and what is missing. */
export function registerSupplierSubscriptionPages(frame: Frame): void {
  consolePage(frame, { method: 'get', path, permission: 'supplier_invoices:read' }, async (view, ctx) => {
    const { month } = parse(monthQuery, ctx.req.query(), 'query')
    return await expectedBody(frame, view, { month })
  })
  const register = (
    at: string,
    form: (id: string) => string,
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
      showAgain: async (view, _id, refused) => await expectedBody(frame, view, { refused }),
    })
  }
  register(path, () => addForm, add)
  register(`${path}/:id/end`, endFormOf, end)
}

const endFormOf = (id: string) => `end-${id}`

async function add(tx: Tx, { values, actor, now }: SentForm): Promise<void> {
  const { supplier = '', amount_minor: amount, grace_days: graceDays, ...said } = saidOf(values)
  const { currency } = await getSupplier(tx, await resolveAddress(tx, 'supplier', supplier))
  const body = {
    ...said,
    supplier,
    amount_minor:
      amount === undefined ? undefined : atField('/amount_minor', () => parseAmount(amount, currency)),
    grace_days: toNumber(graceDays),
  }
  await carryOutExpecting(tx, parse(newSupplierSubscriptionSchema, body, 'body'), { actor, now })
}

async function end(tx: Tx, { id, values, now }: SentForm): Promise<void> {
  const body = { ends_on: null, ...saidOf(values) }
  const { ends_on: endsOn } = parse(supplierSubscriptionChangeSchema, body, 'body')
  await endSupplierSubscription(tx, { id: await resolveAddress(tx, 'supplierSubscription', id), endsOn, now })
}

async function expectedBody(
  frame: Frame,
  view: ConsoleView,
  { month: asked, refused }: { month?: string | undefined; refused?: RefusedInput },
): Promise<ConsoleBody> {
  const month = shownMonth(view, asked)
  const { db } = frame.deps
  const all = { limit: most, cursor: null, direction: 'after' } as const
  const [expected, rows, suppliers] = await Promise.all([
    readExpected(db, month, view.now),
    listSupplierSubscriptions(db, all),
    listSuppliers(db, all),
  ])
  return {
    title: 'Expected of suppliers',
    current: 'suppliers',
    children: (
      <SuppliersFrame current={path}>
        <Months path={path} month={month} />
        <Section id="expected" title={`Expected in ${month}`}>
          <Expected expected={expected} />
        </Section>
        <Section id="supplier-subscriptions" title="Supplier subscriptions">
          {refused !== undefined && refused.form !== addForm && <Refusal refused={refused} />}
          <SupplierSubscriptions view={view} refused={refused} rows={rows} />
          {suppliers.length > 0 && <AddForm view={view} refused={refused} suppliers={suppliers} />}
        </Section>
      </SuppliersFrame>
    ),
  }
}

function Expected({ expected }: { expected: Awaited<ReturnType<typeof readExpected>> }) {
  if (expected.suppliers.length === 0) return <Empty>Nothing is expected in {expected.month}.</Empty>
  const amount = (money: { amount_minor: number; currency: string } | null) =>
    money === null ? '' : formatAmount(money.amount_minor, money.currency)
  return (
    <Table
      caption="Expected of suppliers and received, net"
      head={['Supplier', 'What', 'On', { number: 'Expected' }, { number: 'Received' }, 'Invoice']}
    >
      {expected.suppliers.flatMap((row) => [
        ...row.expectations.map((one) => (
          <tr>
            <th scope="row">{row.supplier.name}</th>
            <td>{one.name}</td>
            <td>
              <Day date={one.expected_on} />
            </td>
            <td class="number">{amount(one.amount)}</td>
            <td class="number">{amount(one.received)}</td>
            <td>
              {one.supplier_invoice === null ? (
                <State state={one.state === 'missing' ? 'overdue' : 'waiting'}>{one.state}</State>
              ) : (
                <a href={`/supplier-invoices/${one.supplier_invoice}`}>{one.number}</a>
              )}
            </td>
          </tr>
        )),
        <tr>
          <th scope="row">{row.supplier.name}, all</th>
          <td />
          <td />
          <td class="number">{amount(row.expected)}</td>
          <td class="number">{amount(row.received)}</td>
          <td>{row.missing > 0 ? `${row.missing} missing` : ''}</td>
        </tr>,
      ])}
    </Table>
  )
}

interface FormProps {
  readonly view: ConsoleView
  readonly refused: RefusedInput | undefined
}

function SupplierSubscriptions({
  view,
  refused,
  rows,
}: FormProps & { rows: readonly SupplierSubscriptionRow[] }) {
  if (rows.length === 0) return <Empty>None: add one, and an invoice that does not come is noticed.</Empty>
  return (
    <Table
      caption="What suppliers bill every month"
      head={['Supplier', 'What', 'First on', { number: 'About' }, 'Ends on']}
    >
      {rows.map((row) => {
        const id = encodeId('supplierSubscription', row.id)
        const at = { form: endFormOf(id), refused }
        return (
          <tr>
            <th scope="row">{row.supplier_name}</th>
            <td>
              {row.name}
              {row.line_text !== null && <div class="hint">{row.line_text}</div>}
            </td>
            <td>
              <Day date={row.begins_on} />
            </td>
            <td class="number">
              {row.amount_minor !== null && formatAmount(row.amount_minor, row.currency)}
            </td>
            <td>
              <PostForm {...at} view={view} action={`${path}/${id}/end`} isInRow>
                <TextField
                  {...at}
                  name="ends_on"
                  label={`Day from which nothing is expected for ${row.name}`}
                  type="date"
                  value={row.ends_on}
                  isLabelHidden
                />
                <button type="submit">Set</button>
              </PostForm>
            </td>
          </tr>
        )
      })}
    </Table>
  )
}

function AddForm({ view, refused, suppliers }: FormProps & { suppliers: readonly SupplierRow[] }) {
  const at = { form: addForm, refused }
  const choices = suppliers.map((row) => [row.code, `${row.name}, ${row.currency}`] as const)
  return (
    <Folded {...at} title="Expect an invoice every month…">
      <PostForm {...at} view={view} action={path}>
        <Choice {...at} name="supplier" label="Supplier" choices={choices} />
        <TextField {...at} name="name" label="What" hint="Such as rack 7." isRequired />
        <TextField
          {...at}
          name="begins_on"
          label="First on"
          type="date"
          hint="The day of every month."
          isRequired
        />
        <TextField {...at} name="amount_minor" label="About, net" type="decimal" hint="Empty: not known." />
        <TextField
          {...at}
          name="line_text"
          label="Text of the line"
          hint="As the supplier writes it; empty: any invoice of it will do."
        />
        <TextField {...at} name="grace_days" label="Days of grace" type="number" value={7} min={0} max={90} />
        <div class="buttons">
          <button type="submit" class="primary">
            Expect it
          </button>
        </div>
      </PostForm>
    </Folded>
  )
}
