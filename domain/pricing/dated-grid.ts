import { compareDates, laterDate } from '../calendar.ts'
import type { GridPrice } from './price.ts'
import type { PricedProduct } from './price-list.ts'

/** A grid of an application, or of one instance, with the first day of the periods that it prices. */
export interface DatedGrid {
  readonly ownerId: string
  readonly currency: string
  readonly startsOn: string
  readonly price: GridPrice
}

/** Whose grids a line is priced by, in one currency. */
export interface GridOwners {
  readonly instanceId: string | null
  readonly applicationIds: readonly string[]
  readonly currency: string
}

/**
 * The grid that an instance has for itself; it stands for whatever the application and the price lists say.
 * @param periodStartsOn a grid of 10 April prices no period that began before
 */
export function ownGridOn(
  grids: readonly DatedGrid[],
  { instanceId, currency }: GridOwners,
  periodStartsOn: string,
): GridPrice | undefined {
  return instanceId === null ? undefined : gridOn(grids, { ownerId: instanceId, currency }, periodStartsOn)
}

/** A product as it is priced where its application carries a grid: that grid is its base price. */
export function withApplicationGrid<Product extends PricedProduct>(
  product: Product,
  grids: readonly DatedGrid[],
  { applicationIds, currency }: Omit<GridOwners, 'instanceId'>,
  periodStartsOn: string,
): Product {
  for (const ownerId of applicationIds) {
    const price = gridOn(grids, { ownerId, currency }, periodStartsOn)
    if (price !== undefined) return { ...product, basePrice: price, currency }
  }
  return product
}

/**
 * The day by which the grid of a period is chosen: its first, so that a change within it holds from the next one on; and
 * of the period in which a line begins, the line's own first.
 */
export function gridDay(line: { firstStartsOn: string }, cycle: { start: string }): string {
  return laterDate(line.firstStartsOn, cycle.start)
}

function gridOn(
  grids: readonly DatedGrid[],
  { ownerId, currency }: { ownerId: string; currency: string },
  on: string,
): GridPrice | undefined {
  return grids
    .filter((grid) => grid.ownerId === ownerId && grid.currency === currency)
    .filter((grid) => compareDates(grid.startsOn, on) <= 0)
    .toSorted((first, second) => compareDates(first.startsOn, second.startsOn))
    .at(-1)?.price
}
