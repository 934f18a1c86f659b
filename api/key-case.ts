import { BusinessError } from '#domain/errors.ts'

/**
 * A JSON value with its keys in camel case, `unit_amount` as `unitAmount`; the values stay. A key without a value is left
 * out, because in the domain a field is there or it is not.
 */
export function camelKeys(value: unknown): unknown {
  return mapKeys(value, (key) => key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()))
}

/** The same the other way. */
export function snakeKeys(value: unknown): unknown {
  return mapKeys(value, toSnakeCase)
}

function toSnakeCase(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function mapKeys(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => mapKeys(item, rename))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [rename(key), mapKeys(inner, rename)]),
  )
}

/** Carries out a check of the domain; the pointers of its refusal are as the request wrote the fields. */
export function inSnakeCase<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof BusinessError)) throw error
    const fields = error.fields.map((field) => ({ ...field, pointer: toSnakeCase(field.pointer) }))
    throw new BusinessError(error.code, error.message, { fields, cause: error })
  }
}
