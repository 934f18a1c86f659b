import { z } from 'zod'
import { listKits, type KitRow } from '#db/read/kit.ts'
import { listProducts, type ProductRow } from '#db/read/product.ts'
import { readSellerToday } from '#db/seller.ts'
import { billingInterval } from '#domain/calendar.ts'
import { encodeId } from '#domain/identifier.ts'
import { describePriceModel } from '#domain/pricing/describe.ts'
import type { Frame } from '../frame.ts'
import { pageQuery, toPageRequest } from '../pagination.ts'
import { parse } from '../validation.ts'
import { ApplicationIcon } from './application-icon.tsx'
import { consolePage } from './console-page.tsx'
import { formatInterval } from './format.ts'
import { toListPage } from './page-links.ts'
import { Empty, Pages, Section, Table } from './parts.tsx'
import { UsageFilter } from './usage-filter.tsx'

const query = z.object(pageQuery)
const shownKits = 100

/** What is sold today: products, and the kits made of them. */
export function registerCatalogPage(frame: Frame): void {
  consolePage(frame, { method: 'get', path: '/catalog', permission: 'products:read' }, async (view, ctx) => {
    const { db } = frame.deps
    const request = toPageRequest(parse(query, ctx.req.query(), 'query'))
    const today = await readSellerToday(db, view.now)
    const page = toListPage(await listProducts(db, request, today), request, { path: '/catalog', filter: {} })
    const kits = await listKits(db, { limit: shownKits, cursor: null, direction: 'after' }, today)
    return {
      title: 'Catalog',
      current: 'catalog',
      children: (
        <>
          <h1>Catalog</h1>
          <Section id="products" title="Products, newest first">
            {page.rows.length === 0 ? (
              <Empty>
                No product yet. Create the first one <a href="/docs">by the API</a>.
              </Empty>
            ) : (
              <Table caption="Products" head={['Name', 'Price', 'Billed', { number: 'Version' }]}>
                {page.rows.map((row) => (
                  <Product row={row} />
                ))}
              </Table>
            )}
            <Pages label="Pages of products" {...page} />
          </Section>
          <Section id="kits" title="Kits, newest first">
            {kits.length === 0 ? (
              <Empty>No kit yet: a product made of products.</Empty>
            ) : (
              <Table caption="Kits" head={['Name', 'Made of', { number: 'Version' }]}>
                {kits.map((row) => (
                  <Kit row={row} />
                ))}
              </Table>
            )}
          </Section>
        </>
      ),
    }
  })
}

/** A price with its billing timing: `10.00 USD per month`, `for a month, in advance`. */
export function billedWhen({
  recurrence_count: count,
  recurrence_unit: unit,
  billing_timing,
}: ProductRow): string {
  if (count === null || unit === null) return 'once'
  return `for ${formatInterval(billingInterval({ count, unit }))}, in ${billing_timing}`
}

export function madeOf({ bill_of_materials: items }: KitRow): string {
  return items
    .map(({ quantity, product_code: product, kit_code: kit }) => `${quantity} × ${product ?? kit ?? ''}`)
    .join(', ')
}

function Product({ row }: { row: ProductRow }) {
  return (
    <tr class={row.archived_at === null ? undefined : 'past'}>
      <th scope="row">
        <ApplicationIcon of={row.icon} />
        <a href={`/catalog/products/${encodeId('product', row.id)}`}>{row.name}</a>
        <div class="hint">{row.archived_at === null ? row.code : `${row.code}, archived`}</div>
      </th>
      <td>
        {describePriceModel(row.price, row.currency, row.unit)}
        <UsageFilter filter={row.terms.usageFilter} />
      </td>
      <td>{billedWhen(row)}</td>
      <td class="number">{row.version}</td>
    </tr>
  )
}

function Kit({ row }: { row: KitRow }) {
  return (
    <tr class={row.archived_at === null ? undefined : 'past'}>
      <th scope="row">
        <a href={`/catalog/kits/${encodeId('kit', row.id)}`}>{row.name}</a>
        <div class="hint">{row.archived_at === null ? row.code : `${row.code}, archived`}</div>
      </th>
      <td>{madeOf(row)}</td>
      <td class="number">{row.version}</td>
    </tr>
  )
}
