import { z } from 'zod'
import { listCustomers, type CustomerRow } from '#db/read/customer.ts'
import { encodeId } from '#domain/identifier.ts'
import type { Frame } from '../frame.ts'
import { pageQuery, toPageRequest } from '../pagination.ts'
import { parse } from '../validation.ts'
import { consolePage } from './console-page.tsx'
import { toListPage } from './page-links.ts'
import { Empty, Pages, Section, Table } from './parts.tsx'

const query = z.object(pageQuery)

export function registerCustomers(frame: Frame): void {
  consolePage(
    frame,
    { method: 'get', path: '/customers', permission: 'customers:read' },
    async (_view, ctx) => {
      const request = toPageRequest(parse(query, ctx.req.query(), 'query'))
      const rows = await listCustomers(frame.deps.db, request)
      const page = toListPage(rows, request, { path: '/customers', filter: {} })
      return {
        title: 'Customers',
        current: 'customers',
        children: (
          <>
            <h1>Customers</h1>
            <Section id="list" title="All, newest first">
              {page.rows.length === 0 ? (
                <Empty>
                  No customer yet. Create the first one <a href="/docs">by the API</a>.
                </Empty>
              ) : (
                <Table caption="Customers" head={['Name', 'Country', 'Currency', 'Price list']}>
                  {page.rows.map((row) => (
                    <Customer row={row} />
                  ))}
                </Table>
              )}
              <Pages label="Pages of customers" {...page} />
            </Section>
          </>
        ),
      }
    },
  )
}

function Customer({ row }: { row: CustomerRow }) {
  return (
    <tr>
      <th scope="row">
        <a href={`/customers/${encodeId('customer', row.id)}`}>{row.name}</a>
        <div class="hint">{row.code}</div>
      </th>
      <td>{row.country ?? <span class="hint">none, so without tax</span>}</td>
      <td>{row.currency}</td>
      <td>{row.price_list_code ?? <span class="hint">base prices</span>}</td>
    </tr>
  )
}
