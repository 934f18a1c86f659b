import type { BillableLine, DuePart } from '#domain/invoice/lines.ts'
import { gridDay, ownGridOn, withApplicationGrid, type DatedGrid } from '#domain/pricing/dated-grid.ts'
import { agreePrice, type PricedProduct, type PriceList } from '#domain/pricing/price-list.ts'
import { versionOn, type Version } from '#domain/version.ts'
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

/** A product as one of its versions prices it, and what must be the same for a line of another version to follow it. */
type PricedVersion = PricedProduct & Version & { readonly sells: string }

/** What prices are read from. */
interface PriceSources {
  readonly products: ReadonlyMap<string, readonly PricedVersion[]>
  readonly lists: ReadonlyMap<string, PriceList>
  readonly grids: readonly DatedGrid[]
  readonly applicationOf: ReadonlyMap<string, string>
}

export async function readPrices(db: Db, contexts: readonly LineContext[]): Promise<RereadPrices> {
  const reread = contexts.filter(({ line }) => isReread(line))
  if (reread.length === 0) return (part) => part
  const products = await readProducts(db, [...new Set(reread.map(({ line }) => line.productId))])
  const listIds = reread.flatMap(({ customer }) => customer.priceListId ?? [])
  const lists = await readPriceLists(
    db,
    [...new Set(listIds)],
    reread.map(({ subscription }) => subscription.currency),
  )
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
  { customer, subscription, instanceId, productVersion }: LineContext,
  { products, lists, grids, applicationOf }: PriceSources,
): BillableLine {
  const versions = products.get(line.productId) ?? []
  const product = pricedOn(versions, { on: servicePeriod.start, soldBy: productVersion })
  if (!product) return line
  const { currency } = subscription
  const applicationIds = [applicationOf.get(instanceId ?? '') ?? []].flat()
  const isByGrid = line.terms.pricing === 'grid'
  const day = gridDay(line, cycle)
  const own = isByGrid ? ownGridOn(grids, { instanceId, applicationIds, currency }, day) : undefined
  if (own) return { ...line, price: own, priceListItemId: null, conversion: null }
  const priced = isByGrid ? withApplicationGrid(product, grids, { applicationIds, currency }, day) : product
  const {
    price,
    priceListItemId,
    conversion = null,
  } = agreePrice(priced, {
    customerId: customer.id,
    quantity: line.quantity,
    currency,
    on: servicePeriod.start,
    priceList: lists.get(customer.priceListId ?? '') ?? null,
    otherLists: lists,
  })
  return { ...line, price, priceListItemId, conversion }
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

/**
 * The version whose price is read: the one that holds on the day, among those that sell as the line's own does. A price by
 * the year says nothing of what is sold by the month.
 */
function pricedOn(
  versions: readonly PricedVersion[],
  { on, soldBy }: { readonly on: string; readonly soldBy: number },
): PricedVersion | undefined {
  const own = versions.find(({ version }) => version === soldBy)
  return versionOn(
    versions.filter(({ sells }) => sells === own?.sells),
    on,
  )
}

async function readProducts(
  db: Db,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly PricedVersion[]>> {
  const rows = await db
    .selectFrom('product_versions as version')
    .innerJoin('products', 'products.id', 'version.product_id')
    .select(['products.id', 'products.code', 'products.variant_of_id'])
    .select(['version.version', 'version.effective_on', 'version.price', 'version.currency'])
    .select(['version.billing_type', 'version.unit', 'version.recurrence_count', 'version.recurrence_unit'])
    .select(['version.attributes', 'version.category'])
    .where('version.product_id', 'in', ids)
    .execute()
  const versions = rows.map((row) => ({
    id: row.id,
    version: row.version,
    effectiveOn: row.effective_on,
    code: row.code,
    basePrice: row.price,
    currency: row.currency,
    variantOf: row.variant_of_id,
    attributes: row.attributes,
    category: row.category,
    sells: [row.billing_type, row.unit, row.currency, row.recurrence_count, row.recurrence_unit].join(' '),
  }))
  return Map.groupBy(versions, ({ id }) => id)
}
