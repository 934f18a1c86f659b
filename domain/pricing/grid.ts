import Big from 'big.js'
import { fieldError } from '../errors.ts'
import type { GridPrice, GridStep } from './price.ts'
import type { RatingStep } from './rated-price.ts'

/**
 * Users 0: 10 fixed, 11: 30, 51: 100; 10 users are 10, 11 users are 30. A value below its first bound, or one that nobody
 * recorded, reaches nothing and costs nothing.
 * @param values what was recorded or measured of the instance, by name
 */
export function rateGrid(
  price: GridPrice,
  quantity: Big,
  values: Readonly<Record<string, string>>,
): RatingStep[] {
  const fixed: RatingStep[] =
    price.fixedAmount === undefined ? [] : [{ kind: 'flat', amount: new Big(price.fixedAmount).toFixed() }]
  const groups = Map.groupBy(price.steps, (step) => JSON.stringify([step.value, step.kind]))
  const grids = [...groups.values()].flatMap((steps): RatingStep[] => {
    const value = valueOf(steps[0]?.value, quantity, values)
    return value === undefined ? [] : rateGroup(steps, value)
  })
  return [...fixed, ...grids]
}

function valueOf(
  name: string | undefined,
  quantity: Big,
  values: Readonly<Record<string, string>>,
): Big | undefined {
  if (name === undefined) return quantity
  const value = Object.hasOwn(values, name) ? values[name] : undefined
  return value === undefined ? undefined : new Big(value)
}

function rateGroup(steps: readonly GridStep[], value: Big): RatingStep[] {
  const step = steps
    .filter((step) => (step.isFromExcluded === true ? value.gt(step.from) : value.gte(step.from)))
    .toSorted(byBound)
    .at(-1)
  if (!step) return []
  const amount = step.kind === 'fixed' ? new Big(step.amount) : value.times(step.amount)
  return [
    {
      kind: 'grid',
      value: step.value ?? null,
      quantity: value.toFixed(),
      from: step.from,
      each: step.amount,
      gridKind: step.kind,
      amount: amount.toFixed(),
    },
  ]
}

/** Of two steps at one bound, the one that leaves the bound out begins later. */
function byBound(first: GridStep, second: GridStep): number {
  const byFrom = new Big(first.from).cmp(second.from)
  return byFrom === 0
    ? Number(first.isFromExcluded ?? false) - Number(second.isFromExcluded ?? false)
    : byFrom
}

/** A row of a grid as a file holds it. */
export interface GridRow {
  readonly bound: string
  readonly amount: string
  readonly kind: 'fixed' | 'times_value'
  readonly value?: string
}

/**
 * A grid from a file, in the stored form of lower bounds. Upper bounds are included, and 0 stands for above all:
 * 10: 10, 50: 30, 0: 100 gives 10 up to 10, 30 above 10, 100 above 50.
 * @throws `grid_bounds_unstated` unless the file states its form
 */
export function importGrid(
  rows: readonly GridRow[],
  bounds: 'lower' | 'upper' | undefined,
  pointer: string,
): GridStep[] {
  if (bounds === undefined) {
    const detail = 'A grid says whether its bounds are lower or upper ones.'
    throw fieldError(`${pointer}/bounds`, 'grid_bounds_unstated', detail)
  }
  if (bounds === 'lower') return rows.map((row) => ({ from: row.bound, ...stepOf(row) }))
  const groups = Map.groupBy(rows, (row) => JSON.stringify([row.value, row.kind]))
  return [...groups.values()].flatMap(fromUpperBounds)
}

function fromUpperBounds(rows: readonly GridRow[]): GridStep[] {
  const isOpen = (row: GridRow) => new Big(row.bound).eq(0)
  const closed = rows.filter((row) => !isOpen(row)).toSorted((a, b) => new Big(a.bound).cmp(b.bound))
  return [...closed, ...rows.filter(isOpen)].map((row, index) => {
    const below = closed[index - 1]?.bound
    const lower = below === undefined ? { from: '0' } : { from: below, isFromExcluded: true }
    return { ...lower, ...stepOf(row) }
  })
}

function stepOf({ amount, kind, value }: GridRow): Omit<GridStep, 'from'> {
  return { amount, kind, ...(value === undefined ? {} : { value }) }
}
