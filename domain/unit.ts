import Big from 'big.js'
import { BusinessError } from './errors.ts'
import { divide } from './money.ts'

/** Units of measure with exact factors within a dimension: 1 GB is 10^9 bytes, 1 GiB is 2^30. */
const units: Readonly<Record<string, { dimension: string; factor: string }>> = {
  B: { dimension: 'data', factor: '1' },
  KiB: { dimension: 'data', factor: '1024' },
  MiB: { dimension: 'data', factor: '1048576' },
  GiB: { dimension: 'data', factor: '1073741824' },
  TiB: { dimension: 'data', factor: '1099511627776' },
  KB: { dimension: 'data', factor: '1000' },
  MB: { dimension: 'data', factor: '1000000' },
  GB: { dimension: 'data', factor: '1000000000' },
  TB: { dimension: 'data', factor: '1000000000000' },
  second: { dimension: 'time', factor: '1' },
  minute: { dimension: 'time', factor: '60' },
  hour: { dimension: 'time', factor: '3600' },
  day: { dimension: 'time', factor: '86400' },
  user: { dimension: 'user', factor: '1' },
  'e-mail account': { dimension: 'e-mail account', factor: '1' },
  request: { dimension: 'request', factor: '1' },
  piece: { dimension: 'piece', factor: '1' },
  month: { dimension: 'service', factor: '1' },
}

export const unitNames: readonly string[] = Object.keys(units)

/** Units of which there are only whole ones: nobody is sold 1.5 users. */
const wholeUnits: ReadonlySet<string> = new Set(['user', 'e-mail account', 'piece'])

export function isWholeUnit(unit: string): boolean {
  return wholeUnits.has(unit)
}

/** Units of what is counted one by one; `unitNames` has others, of data and time. */
export function isCountedUnit(unit: string): boolean {
  const dimension = units[unit]?.dimension
  return dimension !== undefined && !['data', 'time', 'service'].includes(dimension)
}

/**
 * A quantity in another unit, exact to 20 decimals: 2048 MiB gives 2 GiB.
 * @throws `unit_unknown`, `unit_not_convertible` (users into GiB)
 */
export function convertUnit(quantity: Big, from: string, to: string): Big {
  return fromBaseUnit(toBaseUnit(quantity, from, to), to)
}

/**
 * A quantity in the base unit of its dimension, bytes or seconds, in which every one is exact: three times 20 minutes are an
 * hour only if they are added before they are divided. @param to the unit that it will be wanted in
 * @throws `unit_unknown`, `unit_not_convertible`
 */
export function toBaseUnit(quantity: Big, from: string, to: string): Big {
  const source = getUnit(from)
  if (source.dimension !== getUnit(to).dimension) {
    throw new BusinessError('unit_not_convertible', `${from} cannot be converted into ${to}.`)
  }
  return quantity.times(source.factor)
}

/** @param over what the quantity is to be divided by besides, as for an average @throws `unit_unknown` */
export function fromBaseUnit(quantity: Big, to: string, over = new Big(1)): Big {
  // Factors are powers of 2 or 10 or small whole numbers: a division at 40 places loses nothing that is billed.
  return divide(quantity, over.times(getUnit(to).factor))
}

/** A quantity in the unit that measures the others of its dimension, bytes or seconds. One that is not in the table stays. */
export function inBaseUnit(quantity: string, unit: string): { quantity: string; unit: string } {
  const own = Object.hasOwn(units, unit) ? units[unit] : undefined
  if (own === undefined) return { quantity, unit }
  const base = Object.keys(units).find(
    (name) => units[name]?.dimension === own.dimension && units[name].factor === '1',
  )
  return { quantity: new Big(quantity).times(own.factor).toFixed(), unit: base ?? unit }
}

/** Each unit and what one of it is in the base unit of its dimension, for those who multiply elsewhere. */
export const unitFactors: readonly { readonly unit: string; readonly factor: string }[] = Object.entries(
  units,
).map(([unit, { factor }]) => ({ unit, factor }))

/** @throws `unit_unknown` */
export function getUnit(name: string): { dimension: string; factor: string } {
  const unit = Object.hasOwn(units, name) ? units[name] : undefined
  if (!unit)
    throw new BusinessError('unit_unknown', `${name} is not in the table of units (${unitNames.join(', ')}).`)
  return unit
}

/** Refuses units of different dimensions before anything is stored. @throws `unit_not_convertible`, `unit_unknown` */
export function checkConvertible(from: string, to: string): void {
  convertUnit(new Big(1), from, to)
}
