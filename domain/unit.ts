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

/**
 * A quantity in another unit, exact to 20 decimals: 2048 MiB gives 2 GiB.
 * @throws `unit_unknown`, `unit_not_convertible` (users into GiB)
 */
export function convertUnit(quantity: Big, from: string, to: string): Big {
  const source = getUnit(from)
  const target = getUnit(to)
  if (source.dimension !== target.dimension) {
    throw new BusinessError('unit_not_convertible', `${from} cannot be converted into ${to}.`)
  }
  // Factors are powers of 2 or 10 or small whole numbers: a division at 40 places loses nothing that is billed.
  return divide(quantity.times(source.factor), new Big(target.factor))
}

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
