import { billingInterval, type BillingInterval } from './calendar.ts'
import type { Catalog, CatalogProduct } from './order.ts'

/**
 * The product of a family, a product and its variants, that is sold in an interval and is otherwise the same: a line that is
 * set to quarters becomes it. Null where there is none, or several between which a person has to choose.
 */
export function productOfInterval(
  { products }: Pick<Catalog, 'products'>,
  product: CatalogProduct,
  interval: BillingInterval,
): CatalogProduct | null {
  const fits = [...products.values()].filter(
    (other) => rootOf(other) === rootOf(product) && isLike(other, product) && isSoldIn(other, interval),
  )
  const own = fits.find(({ id }) => id === product.id)
  const [only, ...others] = fits
  return own ?? (others.length === 0 ? (only ?? null) : null)
}

function rootOf({ id, variantOf }: CatalogProduct): string {
  return variantOf ?? id
}

/** Of the same kind, and without anything to build. */
function isLike(other: CatalogProduct, product: CatalogProduct): boolean {
  return (
    !other.isArchived &&
    other.billingType === product.billingType &&
    other.unit === product.unit &&
    other.metric === product.metric &&
    other.limitCode === product.limitCode &&
    other.applicationIds.every((id) => product.applicationIds.includes(id))
  )
}

function isSoldIn({ recurrence }: CatalogProduct, interval: BillingInterval): boolean {
  if (recurrence === null) return false
  const { count, unit } = billingInterval(recurrence)
  return count === interval.count && unit === interval.unit
}
