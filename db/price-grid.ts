import { sql } from 'kysely'
import type { Catalog, CatalogProduct } from '#domain/order.ts'
import { withApplicationGrid, type DatedGrid } from '#domain/pricing/dated-grid.ts'
import type { GridPrice } from '#domain/pricing/price.ts'
import type { Db } from './database.ts'

/** Whose grid it is: that of an application holds for its instances, but for those with one of their own. */
export type GridOwner =
  | { readonly applicationId: string; readonly instanceId: null }
  | { readonly applicationId: null; readonly instanceId: string }

/** Keeps a grid from a day on; another one of the same day takes its place. */
export async function savePriceGrid(
  db: Db,
  owner: GridOwner,
  grid: { currency: string; startsOn: string; price: GridPrice },
): Promise<void> {
  const price = JSON.stringify(grid.price)
  await db
    .insertInto('price_grids')
    .values({
      application_id: owner.applicationId,
      instance_id: owner.instanceId,
      currency: grid.currency,
      starts_on: grid.startsOn,
      price,
    })
    .onConflict((conflict) =>
      conflict.columns(['application_id', 'instance_id', 'currency', 'starts_on']).doUpdateSet({ price }),
    )
    .execute()
}

/** Every grid of some applications and instances, oldest first. */
export async function readPriceGrids(
  db: Db,
  owners: { applicationIds: readonly string[]; instanceIds: readonly string[] },
): Promise<DatedGrid[]> {
  const { applicationIds, instanceIds } = owners
  const rows = await db
    .selectFrom('price_grids')
    .selectAll()
    .where((grid) =>
      grid.or([
        grid('application_id', '=', sql<string>`any(${applicationIds}::uuid[])`),
        grid('instance_id', '=', sql<string>`any(${instanceIds}::uuid[])`),
      ]),
    )
    .orderBy('starts_on')
    .execute()
  return rows.map((row) => ({
    ownerId: row.instance_id ?? row.application_id ?? '',
    currency: row.currency,
    startsOn: row.starts_on,
    price: row.price,
  }))
}

/**
 * The catalog as it is priced for a start: the grid of an application is the base price of its products that are priced by
 * it. Without such products nothing is asked.
 */
export async function readGriddedCatalog(
  db: Db,
  catalog: Catalog,
  currency: string,
): Promise<(startsOn: string) => Catalog> {
  const products = [...catalog.products.values()].filter(({ terms }) => terms.pricing === 'grid')
  const applicationIds = [...new Set(products.flatMap((product) => product.applicationIds))]
  if (applicationIds.length === 0) return () => catalog
  const grids = await readPriceGrids(db, { applicationIds, instanceIds: [] })
  return (startsOn) => {
    const priced = products.map((product): [string, CatalogProduct] => [
      product.id,
      withApplicationGrid(product, grids, { applicationIds: product.applicationIds, currency }, startsOn),
    ])
    return { ...catalog, products: new Map([...catalog.products, ...priced]) }
  }
}
