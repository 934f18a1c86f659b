import { z } from 'zod'
import { listInvoices, type InvoiceRow } from '#db/read/invoice.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Frame } from '../frame.ts'
import { pageQuery, toPageRequest } from '../pagination.ts'
import { parse } from '../validation.ts'
import { consolePage } from './console-page.tsx'
import { formatAmount } from './format.ts'
import { toListPage } from './page-links.ts'
import { Day, Empty, Pages, Section, Table } from './parts.tsx'

const query = z.object(pageQuery)

export function registerInvoices(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: '/invoices', permission: 'invoices:read' },
    async (_view, ctx) => {
      const request = toPageRequest(parse(query, ctx.req.query(), 'query'))
      const rows = await listInvoices(frame.deps.db, {
        ...request,
        customerId: null,
        subscriptionId: null,
        documentId: null,
      })
      const page = toListPage(rows, request, { path: '/invoices', filter: {} })
      return {
        title: 'Invoices',
        current: 'invoices',
        liveFilter: '',
        children: (
          <>
            <h1>Invoices</h1>
            <Section id="list" title="All, newest first" isLive>
              {page.rows.length === 0 ? (
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

export function InvoiceTable({ rows, hasCustomer }: { rows: readonly InvoiceRow[]; hasCustomer?: boolean }) {
  const customer = hasCustomer ? ['Customer'] : []
  return (
    <Table caption="Invoices" head={['Number', ...customer, 'Issued', 'Due', { number: 'Total' }]}>
      {rows.map((row) => (
        <tr>
          <th scope="row">
            <a href={`/invoices/${encodeId('invoice', row.id)}`}>{row.number}</a>
            {row.kind === 'credit_note' && <div class="hint">credit note</div>}
            {row.test_clock_name !== null && <div class="hint">test clock {row.test_clock_name}</div>}
          </th>
          {hasCustomer && <td>{row.customer_name}</td>}
          <td>
            <Day date={row.issued_on} />
          </td>
          <td>
            <Day date={row.due_on} />
          </td>
          <td class="number">{formatAmount(signedTotal(row), row.currency)}</td>
        </tr>
      ))}
    </Table>
  )
}

/** A credit note gives money back. */
function signedTotal(row: InvoiceRow): number {
  return row.kind === 'credit_note' ? -row.total_minor : row.total_minor
}
