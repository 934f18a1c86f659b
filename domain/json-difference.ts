import { pointerOf } from './json-pointer.ts'

/** A place at which two values differ. Undefined where there is nothing at it. */
export interface Difference {
  /** A JSON pointer, such as `/price/tiers/0/unit_amount`. */
  readonly pointer: string
  readonly from: unknown
  readonly to: unknown
}

/**
 * Where two JSON values differ, in the order of the fields, at the innermost places: 10.00 that became 12.00 is told of the
 * price alone. Lists of one length are compared place by place, others as a whole.
 */
export function differences(from: unknown, to: unknown, pointer = ''): Difference[] {
  if (isObject(from) && isObject(to)) {
    const names = new Set([...Object.keys(from), ...Object.keys(to)])
    return [...names].flatMap((name) => differences(from[name], to[name], pointer + pointerOf([name])))
  }
  if (Array.isArray(from) && Array.isArray(to) && from.length === to.length)
    return from.flatMap((item, index) => differences(item, to[index], `${pointer}/${index}`))
  return JSON.stringify(from) === JSON.stringify(to) ? [] : [{ pointer, from, to }]
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
