import { readProductVersion } from '#db/catalog.ts'
import type { Db } from '#db/database.ts'
import { addProductVersion, type NewProduct } from '#db/product.ts'
import { perUnitPrice } from '#domain/pricing/unit-price.ts'

/** Another version of a product: the last one, with what is said otherwise. */
export async function changeProduct(
  db: Db,
  code: string,
  { effectiveOn, said }: { effectiveOn: string; said: Partial<NewProduct> },
): Promise<void> {
  const last = await db
    .selectFrom('product_versions')
    .innerJoin('products', 'products.id', 'product_id')
    .select(['product_id', 'version'])
    .where('code', '=', code)
    .orderBy('version', 'desc')
    .executeTakeFirstOrThrow()
  const productId = last.product_id
  const product = await readProductVersion(db, { productId, version: last.version })
  await addProductVersion(db, { ...product, ...said }, { productId, effectiveOn })
}

/** The same at another price per unit. */
export async function changePrice(
  db: Db,
  code: string,
  { unitAmount, effectiveOn }: { unitAmount: string; effectiveOn: string },
): Promise<void> {
  await changeProduct(db, code, { effectiveOn, said: { basePrice: perUnitPrice(unitAmount) } })
}
