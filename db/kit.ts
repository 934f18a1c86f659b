import { isDeepStrictEqual } from 'node:util'
import Big from 'big.js'
import { readCatalog } from './catalog.ts'
import type { Db } from './database.ts'
import { newId } from './identifier.ts'
import { refuseTakenCode } from './unique.ts'

export interface NewKit {
  readonly code: string
  readonly name: string
  /** Whose price replaces those of its flat and threshold components. */
  readonly priceProductId?: string | null
  readonly isHidden?: boolean
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
      .values({ id, code: kit.code, is_hidden: kit.isHidden ?? false, archived_at: null })
      .execute(),
  )
  await insertKitVersion(db, kit, { kitId: id, version: 1, effectiveOn: null })
  return id
}

/** Of two changes at once, the second knows the first. */
export async function lockKit(tx: Db, kitId: string): Promise<void> {
  await tx.selectFrom('kits').select('id').where('id', '=', kitId).forNoKeyUpdate().execute()
}

/**
 * What a kit is made of from a day on; what was sold of it stays as it is. Where it is so already, nothing is added. Its row
 * is locked by the caller.
 */
export async function addKitVersion(
  tx: Db,
  kit: NewKit,
  of: { kitId: string; effectiveOn: string },
): Promise<number> {
  const catalog = await readCatalog(tx, of.effectiveOn)
  const held = catalog.kits.get(of.kitId)
  if (held && isDeepStrictEqual(saidBy(kit), saidBy(held))) return held.version
  const { last } = await tx
    .selectFrom('kit_versions')
    .select((version) => version.fn.max('version').as('last'))
    .where('kit_id', '=', of.kitId)
    .executeTakeFirstOrThrow()
  await insertKitVersion(tx, kit, { ...of, version: last + 1 })
  return last + 1
}

async function insertKitVersion(
  db: Db,
  kit: NewKit,
  place: { readonly kitId: string; readonly version: number; readonly effectiveOn: string | null },
): Promise<void> {
  const { kitId, version, effectiveOn } = place
  await db
    .insertInto('kit_versions')
    .values({
      kit_id: kitId,
      version,
      effective_on: effectiveOn,
      name: kit.name,
      price_product_id: kit.priceProductId ?? null,
    })
    .execute()
  await db
    .insertInto('bill_of_materials')
    .values(
      kit.billOfMaterials.map((item, position) => ({
        kit_id: kitId,
        version,
        position,
        component_product_id: item.productId,
        component_kit_id: item.kitId,
        quantity: item.quantity,
        sequence: item.sequence,
      })),
    )
    .execute()
}

/** All that a version says. */
function saidBy({ name, priceProductId, billOfMaterials }: NewKit) {
  const items = billOfMaterials.map(({ productId, kitId, quantity, sequence }) => ({
    productId,
    kitId,
    quantity: new Big(quantity).toFixed(),
    sequence,
  }))
  return { name, priceProductId: priceProductId ?? null, items }
}

/** Whether the shop sells it, from now on and whatever its versions say. */
export async function hideKit(db: Db, kitId: string, isHidden: boolean): Promise<void> {
  await db.updateTable('kits').set({ is_hidden: isHidden }).where('id', '=', kitId).execute()
}
