import { readProductVersion } from '#db/catalog.ts'
import type { Db } from '#db/database.ts'
import { addProductVersion } from '#db/product.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'

/** Another version of a product: the last one, at another price per unit. */
export async function changePrice(
  db: Db,
  code: string,
  { unitAmount, effectiveOn }: { unitAmount: string; effectiveOn: string },
): Promise<number> {
  const last = await db
    .selectFrom('product_versions')
    .innerJoin('products', 'products.id', 'product_id')
    .select(['product_id', 'version'])
    .where('code', '=', code)
    .orderBy('version', 'desc')
    .executeTakeFirstOrThrow()
  const productId = last.product_id
  const product = await readProductVersion(db, { productId, version: last.version })
  const changed = { ...product, basePrice: perUnitPrice(unitAmount) }
  return await addProductVersion(db, changed, { productId, effectiveOn })
}
