import type { BillableLine, DuePart } from '#domain/invoice/lines.ts'
import { agreePrice, type PricedProduct, type PriceList } from '#domain/pricing/price-list.ts'
import type { LineContext } from './billable-line.ts'
import { readPriceLists } from './catalog.ts'
import type { Db } from './database.ts'

/**
 * Parts of lines whose price is read again at each period, each at what the lists say for its first day. All others
 * stay as they are.
 * @throws `price_missing_in_currency` and what else `agreePrice` refuses
 */
export type RereadPrices = (part: DuePart, context: LineContext) => DuePart

export async function readPrices(db: Db, contexts: readonly LineContext[]): Promise<RereadPrices> {
  const reread = contexts.filter(({ line }) => isReread(line))
  if (reread.length === 0) return (part) => part
  const products = await readProducts(db, [...new Set(reread.map(({ line }) => line.productId))])
  const listIds = reread.flatMap(({ customer }) => customer.priceListId ?? [])
  const lists = await readPriceLists(db, [...new Set(listIds)])
  return (part, context) => {
    if ((part.kind !== 'recurring' && part.kind !== 'usage') || !isReread(part.line)) return part
    return { ...part, line: reprice(part.line, part.servicePeriod.start, context, products, lists) }
  }
}

function isReread(line: BillableLine): boolean {
  return line.terms.pricing === 'reevaluated' && line.interval !== null
}

function reprice(
  line: BillableLine,
  on: string,
  { customer, subscription }: LineContext,
  products: ReadonlyMap<string, PricedProduct>,
  lists: ReadonlyMap<string, PriceList>,
): BillableLine {
  const product = products.get(line.productId)
  if (!product) return line
  const { price, priceListItemId } = agreePrice(product, {
    customerId: customer.id,
    quantity: line.quantity,
    currency: subscription.currency,
    on,
    priceList: lists.get(customer.priceListId ?? '') ?? null,
    otherLists: lists,
  })
  return { ...line, price, priceListItemId }
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
