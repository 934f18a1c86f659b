import Big from 'big.js'

/**
 * Where an answer differs from what a vector states, as a path and both values; undefined where it does not. Numbers are
 * compared as decimals, whatever their spelling; lists in order; of objects the stated fields only.
 */
export function findDifference(
  actual: unknown,
  expected: unknown,
  options: { tolerance: Big; path: string },
): string | undefined {
  const { path } = options
  const inside = (key: string | number) => ({ ...options, path: path === '' ? `${key}` : `${path}.${key}` })
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return describe(path, actual, expected)
    if (actual.length !== expected.length) return describe(path, actual, expected)
    return firstOf(expected.map((value, index) => findDifference(actual[index], value, inside(index))))
  }
  if (isRecord(expected)) {
    if (!isRecord(actual)) return describe(path, actual, expected)
    return firstOf(
      Object.entries(expected).map(([key, value]) =>
        // Nothing is answered under the name: that is not the answer that there is none.
        key in actual
          ? findDifference(actual[key], value, inside(key))
          : describe(inside(key).path, undefined, value),
      ),
    )
  }
  const isRatio = path.split('.').at(-1) === 'ratio' && options.tolerance.eq(0)
  const answered = isRatio ? asPrinted(actual, expected) : actual
  const tolerance = path.startsWith('shares_cents.') ? shareTolerance : options.tolerance
  return isSame(answered, expected, tolerance) ? undefined : describe(path, actual, expected)
}

/** Shares of a coupon are stated to five decimals, whether they were added up before or after they were rounded. */
const shareTolerance = new Big('0.00001')

/** A ratio is stated to as many digits as its source prints; one without digits is exact. */
function asPrinted(actual: unknown, expected: unknown): unknown {
  const digits = String(expected).split('.')[1]?.length
  return digits === undefined ? actual : (toDecimal(actual)?.round(digits, Big.roundHalfUp) ?? actual)
}

function isSame(actual: unknown, expected: unknown, tolerance: Big): boolean {
  const [first, second] = [toDecimal(actual), toDecimal(expected)]
  if (first && second) return first.minus(second).abs().lte(tolerance)
  return (actual ?? null) === expected || isDayOf(actual, expected)
}

/** Where cycles turn at a time of day, their dates are compared. */
function isDayOf(date: unknown, instant: unknown): boolean {
  return typeof instant === 'string' && instant.charAt(10) === 'T' && date === instant.slice(0, 10)
}

function toDecimal(value: unknown): Big | undefined {
  if (value instanceof Big) return value
  if (typeof value === 'number' && Number.isFinite(value)) return new Big(value)
  if (typeof value === 'string' && /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(value)) return new Big(value)
  return undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Big)
}

function firstOf(differences: readonly (string | undefined)[]): string | undefined {
  return differences.find((difference) => difference !== undefined)
}

function describe(path: string, actual: unknown, expected: unknown): string {
  return `${path}: ${JSON.stringify(actual) ?? 'nothing'}, stated ${JSON.stringify(expected)}`
}
