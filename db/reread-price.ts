import type { BillableLine, DuePart } from '#domain/invoice/lines.ts'
import { gridDay, ownGridOn, withApplicationGrid, type DatedGrid } from '#domain/pricing/dated-grid.ts'
import { agreePrice, type PricedProduct, type PriceList } from '#domain/pricing/price-list.ts'
import type { LineContext } from './billable-line.ts'
import { readPriceLists } from './catalog.ts'
import type { Db } from './database.ts'
import { readPriceGrids } from './price-grid.ts'

/**
 * Parts of lines whose price is read again at each period, each at what the lists and grids say for its first day.
 * All others stay as they are.
 * @throws `price_missing_in_currency` and what else `agreePrice` refuses
 */
export type RereadPrices = (part: DuePart, context: LineContext) => DuePart

type PeriodPart = DuePart & { readonly kind: 'recurring' | 'usage' }

/** What prices are read from. */
interface PriceSources {
  readonly products: ReadonlyMap<string, PricedProduct>
  readonly lists: ReadonlyMap<string, PriceList>
  readonly grids: readonly DatedGrid[]
  readonly applicationOf: ReadonlyMap<string, string>
}

export async function readPrices(db: Db, contexts: readonly LineContext[]): Promise<RereadPrices> {
  const reread = contexts.filter(({ line }) => isReread(line))
  if (reread.length === 0) return (part) => part
  const products = await readProducts(db, [...new Set(reread.map(({ line }) => line.productId))])
  const listIds = reread.flatMap(({ customer }) => customer.priceListId ?? [])
  const lists = await readPriceLists(db, [...new Set(listIds)])
  const sources = { products, lists, ...(await readGrids(db, reread)) }
  return (part, context) => {
    if ((part.kind !== 'recurring' && part.kind !== 'usage') || !isReread(part.line)) return part
    return { ...part, line: reprice(part, context, sources) }
  }
}

function isReread(line: BillableLine): boolean {
  return line.terms.pricing !== 'frozen' && line.interval !== null
}

function reprice(
  { line, servicePeriod, cycle }: PeriodPart,
  { customer, subscription, instanceId }: LineContext,
  { products, lists, grids, applicationOf }: PriceSources,
): BillableLine {
  const product = products.get(line.productId)
  if (!product) return line
  const { currency } = subscription
  const applicationIds = [applicationOf.get(instanceId ?? '') ?? []].flat()
  const isByGrid = line.terms.pricing === 'grid'
  const day = gridDay(line, cycle)
  const own = isByGrid ? ownGridOn(grids, { instanceId, applicationIds, currency }, day) : undefined
  if (own) return { ...line, price: own, priceListItemId: null }
  const priced = isByGrid ? withApplicationGrid(product, grids, { applicationIds, currency }, day) : product
  const { price, priceListItemId } = agreePrice(priced, {
    customerId: customer.id,
    quantity: line.quantity,
    currency,
    on: servicePeriod.start,
    priceList: lists.get(customer.priceListId ?? '') ?? null,
    otherLists: lists,
  })
  return { ...line, price, priceListItemId }
}

async function readGrids(
  db: Db,
  contexts: readonly LineContext[],
): Promise<Pick<PriceSources, 'grids' | 'applicationOf'>> {
  const byGrid = contexts.filter(({ line }) => line.terms.pricing === 'grid')
  const instanceIds = [...new Set(byGrid.flatMap(({ instanceId }) => instanceId ?? []))]
  if (instanceIds.length === 0) return { grids: [], applicationOf: new Map() }
  const rows = await db
    .selectFrom('instances')
    .innerJoin('application_versions as version', 'version.id', 'instances.application_version_id')
    .select(['instances.id', 'version.application_id'])
    .where('instances.id', 'in', instanceIds)
    .execute()
  const applicationOf = new Map(rows.map((row) => [row.id, row.application_id]))
  const applicationIds = [...new Set(applicationOf.values())]
  return { applicationOf, grids: await readPriceGrids(db, { applicationIds, instanceIds }) }
}

async function readProducts(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, PricedProduct>> {
  const rows = await db
    .selectFrom('products')
    .select(['id', 'code', 'price', 'currency', 'variant_of_id', 'attributes', 'category'])
    .where('id', 'in', ids)
    .execute()
  return new Map(
    rows.map((row) => [
      row.id,
      {
        id: row.id,
        code: row.code,
        basePrice: row.price,
        currency: row.currency,
        variantOf: row.variant_of_id,
        attributes: row.attributes,
        category: row.category,
      },
    ]),
  )
}
