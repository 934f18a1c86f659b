import { z } from 'zod'
import { getCustomer, type CustomerRow } from '#db/read/customer.ts'
import { listInvoices, type InvoiceRow } from '#db/read/invoice.ts'
import { encodeId } from '#domain/identifier.ts'
import { moneyStates } from '#domain/invoice/balance.ts'
import type { Frame } from '../frame.ts'
import { pageQuery, toPageRequest } from '../pagination.ts'
import { findCustomerFilter } from '../routes/documents.ts'
import { addressField } from '../schemas/common.ts'
import { moneyStateOf } from '../schemas/invoice.ts'
import { parse } from '../validation.ts'
import { consolePage } from './console-page.tsx'
import { formatAmount } from './format.ts'
import { toListPage } from './page-links.ts'
import { Day, Empty, Pages, Section, Table } from './parts.tsx'

const states = ['draft', ...moneyStates] as const
type Filter = (typeof states)[number] | null

const query = z.object({
  ...pageQuery,
  state: z.enum(['', ...states]).optional(),
  customer: addressField.optional(),
})

export function registerInvoices(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: '/invoices', permission: 'invoices:read' },
    async (_view, ctx) => {
      const asked = parse(query, ctx.req.query(), 'query')
      const filter: Filter = asked.state === undefined || asked.state === '' ? null : asked.state
      const request = toPageRequest(asked)
      const standing = filter === 'draft' ? { isDraft: true } : { moneyState: filter }
      const { db } = frame.deps
      const customerId = await findCustomerFilter(db, asked.customer)
      const customer = customerId === null ? null : await getCustomer(db, customerId)
      const rows = await listInvoices(db, { ...request, ...standing, customerId })
      const address = { path: '/invoices', filter: toKept(filter, customer) }
      const page = toListPage(rows, request, address)
      return {
        title: 'Invoices',
        current: 'invoices',
        liveFilter: '',
        children: (
          <>
            <Head customer={customer} />
            <StateFilter filter={filter} customer={customer} />
            <Section
              id="list"
              title={filter === null ? 'All, newest first' : `${filter.replace('_', ' ')}, newest first`}
              isLive
            >
              {page.rows.length === 0 && filter !== null ? (
                <Empty>No invoice is {filter.replace('_', ' ')}.</Empty>
              ) : page.rows.length === 0 ? (
                <Empty>
                  No invoice yet. The first one is made when a subscription becomes active; see{' '}
                  <a href="/subscriptions">subscriptions</a>.
                </Empty>
              ) : (
                <InvoiceTable rows={page.rows} hasCustomer />
              )}
              <Pages label="Pages of invoices" {...page} />
            </Section>
          </>
        ),
      }
    },
  )
}

type Customer = CustomerRow | null

function toKept(filter: Filter, customer: Customer): Readonly<Record<string, string>> {
  return {
    ...(filter === null ? {} : { state: filter }),
    ...(customer === null ? {} : { customer: customer.code }),
  }
}

function Head({ customer }: { customer: Customer }) {
  if (customer === null) {
    return (
      <>
        <h1>Invoices</h1>
        <p>
          <a href="/billing-runs">Billing runs</a> make them.
        </p>
      </>
    )
  }
  return (
    <>
      <p class="trail">
        <a href={`/customers/${encodeId('customer', customer.id)}`}>← {customer.name}</a>
      </p>
      <h1>Invoices of {customer.name}</h1>
    </>
  )
}

/** Links, not a form: each filter has an address, and one press is enough. */
function StateFilter({ filter, customer }: { filter: Filter; customer: Customer }) {
  return (
    <nav class="filter" aria-label="Filter by state">
      {[null, ...states].map((choice) => (
        <a href={addressOf(toKept(choice, customer))} aria-current={choice === filter ? 'true' : undefined}>
          {choice?.replace('_', ' ') ?? 'all'}
        </a>
      ))}
    </nav>
  )
}

function addressOf(kept: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(kept).toString()
  return query === '' ? '/invoices' : `/invoices?${query}`
}

export function InvoiceTable({ rows, hasCustomer }: { rows: readonly InvoiceRow[]; hasCustomer?: boolean }) {
  const customer = hasCustomer ? ['Customer'] : []
  return (
    <Table caption="Invoices" head={['Number', ...customer, 'Issued', 'Due', 'State', { number: 'Total' }]}>
      {rows.map((row) => (
        <tr>
          <th scope="row">
            <a href={`/invoices/${encodeId('invoice', row.id)}`}>{row.number ?? 'Draft'}</a>
            {row.kind === 'credit_note' && <div class="hint">credit note</div>}
            {row.test_clock_name !== null && <div class="hint">test clock {row.test_clock_name}</div>}
          </th>
          {hasCustomer && (
            <td>
              <a href={`/customers/${encodeId('customer', row.customer_id)}`}>{row.customer_name}</a>
            </td>
          )}
          <td>
            <Day date={row.issued_on} />
          </td>
          <td>{row.kind === 'invoice' && <Day date={row.due_on} />}</td>
          <td>
            {stateOf(row)}
            {row.has_open_dispute && <div class="hint">disputed by the customer</div>}
          </td>
          <td class="number">{formatAmount(signedTotal(row), row.currency)}</td>
        </tr>
      ))}
    </Table>
  )
}

function stateOf(row: InvoiceRow): string {
  return row.finalized_at === null ? 'draft' : (moneyStateOf(row)?.replace('_', ' ') ?? '')
}

/** A credit note gives money back. */
function signedTotal(row: InvoiceRow): number {
  return row.kind === 'credit_note' ? -row.total_minor : row.total_minor
}
