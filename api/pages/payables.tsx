import { z } from 'zod'
import { listSupplierInvoices, type SupplierInvoiceRow } from '#db/read/supplier-invoice.ts'
import { encodeId } from '#domain/identifier.ts'
import { ages } from '#domain/payable.ts'
import type { Frame } from '../frame.ts'
import { pageQuery, toPageRequest } from '../pagination.ts'
import { readAgedPayables } from '../routes/payables.ts'
import { supplierInvoiceState } from '../schemas/supplier-invoice.ts'
import { parse } from '../validation.ts'
import { consolePage, type ConsoleBody, type ConsoleView } from './console-page.tsx'
import type { RefusedInput } from './form.tsx'
import { formatAmount } from './format.ts'
import { toListPage } from './page-links.ts'
import { Day, Empty, Pages, Section, State, Table } from './parts.tsx'
import { readSuppliersWithoutPeer, registerStatedInvoiceForms, StatedInvoices } from './stated-invoice.tsx'
import { SupplierFiles, SupplierSays } from './supplier-says.tsx'
import { SuppliersFrame } from './suppliers-frame.tsx'

const path = '/payables'
const query = z.object({ ...pageQuery, open: z.enum(['', 'true']).optional() })

/** What suppliers have billed, and what of it is left to pay. */
export function registerPayablesPage(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path, permission: 'supplier_invoices:read' },
    async (view, ctx) => await payablesBody(frame, view, { asked: ctx.req.query() }),
  )
  registerStatedInvoiceForms(
    frame,
    async (view, refused) => await payablesBody(frame, view, { asked: {}, refused }),
  )
}

async function payablesBody(
  frame: Frame,
  view: ConsoleView,
  { asked, refused }: { asked: Record<string, string>; refused?: RefusedInput },
): Promise<ConsoleBody> {
  const said = parse(query, asked, 'query')
  const isOpen = said.open === 'true'
  const request = toPageRequest(said)
  const { db } = frame.deps
  const [aged, rows, suppliers] = await Promise.all([
    readAgedPayables(db, view.now),
    listSupplierInvoices(db, { ...request, isOpen }),
    readSuppliersWithoutPeer(frame),
  ])
  const page = toListPage(rows, request, { path, filter: isOpen ? { open: 'true' } : {} })
  return {
    title: 'Payables',
    current: 'suppliers',
    liveFilter: '',
    children: (
      <SuppliersFrame current={path}>
        <Ageing aged={aged} />
        <StatedInvoices view={view} refused={refused} suppliers={suppliers} />
        <nav class="filter" aria-label="Filter by state">
          <a href={path} aria-current={isOpen ? undefined : 'true'}>
            all
          </a>
          <a href={`${path}?open=true`} aria-current={isOpen ? 'true' : undefined}>
            open
          </a>
        </nav>
        <Section id="list" title="Supplier invoices, newest first" isLive>
          <SupplierInvoices rows={page.rows} timeZone={view.timeZone} />
          <Pages label="Pages of supplier invoices" {...page} />
        </Section>
      </SuppliersFrame>
    ),
  }
}

const ageTitles = {
  not_due: 'Not due',
  days_1_30: '1–30 days late',
  days_31_60: '31–60',
  days_61_90: '61–90',
  over_90_days: 'Over 90',
  credit: 'Owed to us',
} as const

function Ageing({ aged }: { aged: Awaited<ReturnType<typeof readAgedPayables>> }) {
  const head = ['Supplier', ...ages.map((age) => ({ number: ageTitles[age] })), { number: 'Open' }]
  return (
    <Section id="ageing" title="What is owed" isLive>
      {aged.suppliers.length === 0 ? (
        <Empty>Nothing is owed to any supplier.</Empty>
      ) : (
        <Table caption="What is owed to suppliers, by age" head={head}>
          {aged.suppliers.map((row) => (
            <tr>
              <th scope="row">{row.supplier.name}</th>
              <Amounts row={row} />
            </tr>
          ))}
          {aged.totals.map((row) => (
            <tr>
              <th scope="row">All in {row.currency}</th>
              <Amounts row={row} />
            </tr>
          ))}
        </Table>
      )}
    </Section>
  )
}

function Amounts({ row }: { row: Awaited<ReturnType<typeof readAgedPayables>>['totals'][number] }) {
  return (
    <>
      {[...ages, 'open' as const].map((age) => (
        <td class="number">{formatAmount(row[age].amount_minor, row.currency)}</td>
      ))}
    </>
  )
}

/** Each leads to its page, where it is paid. How it stands comes first: on a phone the rest is scrolled to. */
export function SupplierInvoices({
  rows,
  timeZone,
}: {
  rows: readonly SupplierInvoiceRow[]
  timeZone: string
}) {
  if (rows.length === 0) return <Empty>None has come.</Empty>
  return (
    <Table
      caption="Supplier invoices, newest first"
      head={['Number', 'State', 'Supplier', 'Issued', 'Due', { number: 'Total' }, { number: 'Open' }]}
    >
      {rows.map((row) => (
        <tr>
          <th scope="row">
            <a class="whole" href={`/supplier-invoices/${encodeId('supplierInvoice', row.id)}`}>
              {row.number}
            </a>
            {row.kind === 'credit_note' && <div class="hint">credit note</div>}
            <SupplierFiles row={row} />
          </th>
          <td>
            <PayableState row={row} />
            {row.disagreement !== null && <div class="hint">{row.disagreement}</div>}
            <SupplierSays row={row} timeZone={timeZone} />
          </td>
          <td>{row.supplier_name}</td>
          <td>
            <Day date={row.issued_on} />
          </td>
          <td>
            <Day date={row.due_on} />
          </td>
          <td class="number">{formatAmount(row.total_minor, row.currency)}</td>
          <td class="number">{formatAmount(row.open_minor, row.currency)}</td>
        </tr>
      ))}
    </Table>
  )
}

export function PayableState({ row }: { row: SupplierInvoiceRow }) {
  const state = supplierInvoiceState(row)
  return <State state={state}>{state.replace('_', ' ')}</State>
}
