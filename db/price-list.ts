import type { Db } from './database.ts'
import { newId } from './identifier.ts'
import { refuseTakenCode } from './unique.ts'

export interface NewPriceList {
  readonly code: string
  readonly name: string
  readonly currency: string
  readonly items: readonly {
    readonly productId: string | null
    readonly minimumQuantity: string
    readonly unitPrice: string | null
    readonly discountPercent: string | null
    readonly startsOn: string | null
    readonly endsOn: string | null
  }[]
}

/** @throws `code_taken` */
export async function insertPriceList(db: Db, list: NewPriceList): Promise<string> {
  const id = newId()
  await refuseTakenCode(list.code, async () =>
    db
      .insertInto('price_lists')
      .values({ id, code: list.code, name: list.name, currency: list.currency })
      .execute(),
  )
  if (list.items.length > 0) {
    await db
      .insertInto('price_list_items')
      .values(
        list.items.map((item) => ({
          id: newId(),
          price_list_id: id,
          product_id: item.productId,
          minimum_quantity: item.minimumQuantity,
          unit_price: item.unitPrice,
          discount_percent: item.discountPercent,
          valid_in: `[${item.startsOn ?? ''},${item.endsOn ?? ''})`,
        })),
      )
      .execute()
  }
  return id
}
