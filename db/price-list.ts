import type { PriceListItem } from '#domain/pricing/price-list-item.ts'
import type { Price } from '#domain/pricing/price.ts'
import type { Db } from './database.ts'
import { newId, newIds } from './identifier.ts'
import type { PriceFormula } from './tables/catalog.ts'
import { refuseTakenCode } from './unique.ts'

export interface NewPriceList {
  readonly code: string
  readonly name: string
  readonly currency: string
  /** What discounts and formulas are of; null: the base prices. */
  readonly basePriceListId: string | null
  /** Prices in other currencies than a customer's are converted by recorded exchange rates. */
  readonly allowsConversion?: boolean
  readonly items: readonly NewPriceListItem[]
}

export interface NewPriceListItem extends Omit<PriceListItem, 'id' | 'currency' | 'pricing'> {
  /** Left out or null: the currency of the list. */
  readonly currency?: string | null
  readonly pricing:
    | { readonly kind: 'fixed'; readonly price: Price }
    | { readonly kind: 'discount'; readonly percent: string }
    | { readonly kind: 'formula'; readonly formula: PriceFormula }
}

/** A list is based on one that exists already, so that none ever refers back to itself. @throws `code_taken` */
export async function insertPriceList(db: Db, list: NewPriceList): Promise<string> {
  const id = newId()
  const { code, name, currency } = list
  await refuseTakenCode(code, async () =>
    db
      .insertInto('price_lists')
      .values({
        id,
        code,
        name,
        currency,
        base_price_list_id: list.basePriceListId,
        allows_conversion: list.allowsConversion ?? false,
        archived_at: null,
      })
      .execute(),
  )
  await insertPriceListItems(db, id, list.items)
  return id
}

export async function insertPriceListItems(
  db: Db,
  priceListId: string,
  items: readonly NewPriceListItem[],
): Promise<void> {
  if (items.length === 0) return
  // Read by id, they come back in the order in which they were given.
  const ids = newIds(items.length)
  await db
    .insertInto('price_list_items')
    .values(items.map((item, index) => ({ ...toRow(item, priceListId), id: ids[index] ?? newId() })))
    .execute()
}

function toRow({ target, pricing, ...item }: NewPriceListItem, priceListId: string) {
  return {
    price_list_id: priceListId,
    customer_id: item.customerId,
    product_id: target.kind === 'product' ? target.productId : null,
    category: target.kind === 'category' ? target.category : null,
    attribute_name: target.kind === 'attribute' ? target.name : null,
    attribute_value: target.kind === 'attribute' ? target.value : null,
    minimum_quantity: item.minimumQuantity,
    currency: item.currency ?? null,
    price: pricing.kind === 'fixed' ? JSON.stringify(pricing.price) : null,
    discount_percent: pricing.kind === 'discount' ? pricing.percent : null,
    formula: pricing.kind === 'formula' ? JSON.stringify(pricing.formula) : null,
    season_from: item.season?.from ?? null,
    season_until: item.season?.until ?? null,
    valid_in: `[${item.startsOn ?? ''},${item.endsOn ?? ''})`,
  }
}
