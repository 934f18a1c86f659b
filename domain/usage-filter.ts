import { fieldError } from './errors.ts'
import { pointerOf } from './json-pointer.ts'
import { isStorable } from './storable-text.ts'

/** What tells one use of a metric from another: `{ region: 'eu' }`. */
export type UsageProperties = Readonly<Record<string, string>>

/**
 * What a line asks of one property. Either way the property must be there: region `eu` at 0.10 and "others" at 0.12 leave an
 * event without a region to neither line.
 */
export type UsageCondition =
  | { readonly property: string; readonly is: readonly string[] }
  | { readonly property: string; readonly isNot: readonly string[] }

export const propertyName = /^[a-z][a-z0-9_]{0,39}$/
const mostProperties = 20
export const longestValue = 100

/**
 * Whether a line with these conditions bills a use with these properties; without conditions it bills every one. The
 * database's `takes_usage` says the same.
 * @example region is eu, of `{ region: 'eu', plan: 'a' }`: yes; of `{ plan: 'a' }`: no
 */
export function takesUsage(
  filter: readonly UsageCondition[] | undefined,
  properties: UsageProperties | null,
): boolean {
  return (filter ?? []).every((condition) => {
    if (properties === null || !Object.hasOwn(properties, condition.property)) return false
    const value = properties[condition.property] ?? ''
    return 'is' in condition ? condition.is.includes(value) : !condition.isNot.includes(value)
  })
}

/** In words: `region is eu, or region is not eu or us`. */
export function describeUsageFilter(filter: readonly UsageCondition[]): string {
  return filter
    .map((condition) => {
      const [word, values] = 'is' in condition ? ['is', condition.is] : ['is not', condition.isNot]
      return `${condition.property} ${word} ${values.join(' or ')}`
    })
    .join(', and ')
}

/** @throws `field_invalid`, with the pointer of the property */
export function readUsageProperties(value: unknown): UsageProperties {
  const entries =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : null
  if (entries === null || entries.length > mostProperties) {
    throw fieldError(
      '/data/properties',
      'field_invalid',
      `properties is an object of up to ${mostProperties} texts.`,
    )
  }
  for (const [name, text] of entries) {
    if (
      propertyName.test(name) &&
      typeof text === 'string' &&
      text.length <= longestValue &&
      isStorable(text)
    )
      continue
    const detail = `A property has a name such as region and a text of up to ${longestValue} characters.`
    throw fieldError(pointerOf(['data', 'properties', name]), 'field_invalid', detail)
  }
  return Object.fromEntries(entries) as UsageProperties
}
