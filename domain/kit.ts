import Big from 'big.js'
import { BusinessError } from './errors.ts'
import type { BillOfMaterialsItem, Catalog, CatalogKit, CatalogProduct } from './order.ts'

const deepestKit = 5

/** A product of a kit, multiplied through. */
export interface Component {
  readonly product: CatalogProduct
  readonly quantity: Big
  /** Its sequence in the kit, preceded by that of its kit where kits hold kits. */
  readonly place: readonly number[]
  /** The kit's own price stands for it; its limit holds all the same. */
  readonly isIncluded: boolean
}

/**
 * The products of a kit with their quantities multiplied through, in bill of materials order. Kits may hold kits. A price
 * of its own comes first, and stands for its flat and threshold components: usage is billed beside it.
 * @throws `kit_cycle`, `kit_too_deep`, `product_unknown`
 */
export function explodeKit(kit: CatalogKit, catalog: Catalog, path: readonly string[] = []): Component[] {
  if (path.includes(kit.id)) throw new BusinessError('kit_cycle', `${kit.code} contains itself.`)
  if (path.length >= deepestKit)
    throw new BusinessError('kit_too_deep', `Kits are at most ${deepestKit} deep.`)
  const components = kit.billOfMaterials
    .toSorted((first, second) => first.sequence - second.sequence)
    .flatMap((item) => explodeItem(item, kit, catalog, path))
  if (kit.priceProductId === null) return components
  const product = getProduct(kit.priceProductId, kit, catalog)
  const priced = { product, quantity: new Big(1), place: components[0]?.place ?? [], isIncluded: false }
  const included = components.map((part) => ({ ...part, isIncluded: part.product.billingType !== 'usage' }))
  return [priced, ...included]
}

function getProduct(id: string | null, kit: CatalogKit, catalog: Catalog): CatalogProduct {
  const product = id === null ? undefined : catalog.products.get(id)
  if (!product) throw new BusinessError('product_unknown', `A product of ${kit.code} does not exist.`)
  return product
}

function explodeItem(
  item: BillOfMaterialsItem,
  kit: CatalogKit,
  catalog: Catalog,
  path: readonly string[],
): Component[] {
  const quantity = new Big(item.quantity)
  if (item.kitId !== null) {
    const inner = catalog.kits.get(item.kitId)
    if (!inner) throw new BusinessError('product_unknown', `A kit inside ${kit.code} does not exist.`)
    return explodeKit(inner, catalog, [...path, kit.id]).map((part) => ({
      ...part,
      quantity: part.quantity.times(quantity),
      place: [item.sequence, ...part.place],
    }))
  }
  const product = getProduct(item.productId, kit, catalog)
  return [{ product, quantity, place: [item.sequence], isIncluded: false }]
}
