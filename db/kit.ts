import type { Db } from './database.ts'
import { newId } from './identifier.ts'
import { refuseTakenCode } from './unique.ts'

export interface NewKit {
  readonly code: string
  readonly name: string
  /** Whose price replaces those of its flat and threshold components. */
  readonly priceProductId?: string | null
  readonly billOfMaterials: readonly {
    readonly productId: string | null
    readonly kitId: string | null
    readonly quantity: string
    readonly sequence: number
  }[]
}

/** @throws `code_taken` */
export async function insertKit(db: Db, kit: NewKit): Promise<string> {
  const id = newId()
  await refuseTakenCode(kit.code, async () =>
    db
      .insertInto('kits')
      .values({
        id,
        code: kit.code,
        name: kit.name,
        price_product_id: kit.priceProductId ?? null,
        archived_at: null,
      })
      .execute(),
  )
  await db
    .insertInto('bill_of_materials')
    .values(
      kit.billOfMaterials.map((item, position) => ({
        kit_id: id,
        position,
        component_product_id: item.productId,
        component_kit_id: item.kitId,
        quantity: item.quantity,
        sequence: item.sequence,
      })),
    )
    .execute()
  return id
}

/** It is not sold any more; what was sold of it goes on. */
export async function archiveKit(db: Db, kitId: string, now: string): Promise<void> {
  await db
    .updateTable('kits')
    .set({ archived_at: now })
    .where('id', '=', kitId)
    .where('archived_at', 'is', null)
    .execute()
}
