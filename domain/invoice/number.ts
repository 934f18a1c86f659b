import { BusinessError } from '../errors.ts'

/** How the numbers of a series look, and whether they begin anew each year. */
export interface NumberPattern {
  /** Of `{series}`, `{year}`, `{number}` or `{number:5}` for at least five digits, and what stands between them. */
  readonly pattern: string
  readonly resetsYearly: boolean
}

const placeholder = /\{([^{}]*)\}/g

/**
 * Refuses a pattern that could give one number twice. The running number stands in it exactly once, and the series, so
 * that two series never meet; a yearly reset needs the year; and a sign that is neither letter nor digit parts the
 * number from the series, or series A1 with 1 and series A with 11 would both be A11.
 * @throws `number_pattern_ambiguous`, `field_invalid` for a placeholder that does not exist
 */
export function checkNumberPattern({ pattern, resetsYearly }: NumberPattern): void {
  const names = [...pattern.matchAll(placeholder)].map((match) => match[1] ?? '')
  const unknown = names.find((name) => !/^(series|year|number(:[1-9])?)$/.test(name))
  if (unknown !== undefined || pattern.replaceAll(placeholder, '').match(/[{}]/)) {
    throw new BusinessError(
      'field_invalid',
      `${pattern}: there are {series}, {year}, {number} and {number:1} to {number:9}.`,
    )
  }
  const reason = ambiguity(pattern, names, resetsYearly)
  if (reason !== undefined) throw new BusinessError('number_pattern_ambiguous', `${pattern} ${reason}`)
}

function ambiguity(pattern: string, names: readonly string[], resetsYearly: boolean): string | undefined {
  const numbers = names.filter((name) => name.startsWith('number'))
  if (numbers.length !== 1) return 'must hold {number} once.'
  if (names.filter((name) => name === 'series').length !== 1) return 'must hold {series} once.'
  if (resetsYearly && !names.includes('year')) return 'starts anew each year and must hold {year}.'
  if (/\{number[^}]*\}[\p{L}\p{N}]*(\{year\})?[\p{L}\p{N}]*\{series\}/u.test(pattern)) return needsSeparator
  if (/\{series\}[\p{L}\p{N}]*(\{year\})?[\p{L}\p{N}]*\{number/u.test(pattern)) return needsSeparator
  if (/\p{N}\{number|\{number[^}]*\}\p{N}/u.test(pattern)) return 'has a digit next to {number}.'
  return undefined
}

const needsSeparator = 'must part {series} and {number} by a sign such as -.'

/** The counter from which the next number is taken: with a yearly reset each year has its own, INV-2026. */
export function seriesKey(series: string, issuedOn: string, { resetsYearly }: NumberPattern): string {
  return resetsYearly ? `${series}-${yearOf(issuedOn)}` : series
}

/** The number as it is printed: `{series}-{year}-{number:5}` for 42 of INV in 2026 is INV-2026-00042. */
export function formatNumber(
  { pattern }: NumberPattern,
  of: { series: string; issuedOn: string; number: number },
): string {
  return pattern.replaceAll(placeholder, (_, name: string) => {
    if (name === 'series') return of.series
    if (name === 'year') return yearOf(of.issuedOn)
    return String(of.number).padStart(Number(name.split(':')[1] ?? 1), '0')
  })
}

/**
 * The running number in a number of a series, the other way round than `formatNumber`; null where the series gives no such numbers.
 * @example readNumber(pattern, { series: 'INV', issuedOn: '2026-03-01', text: 'INV-2026-00042' }) // 42
 */
export function readNumber(
  pattern: NumberPattern,
  of: { series: string; issuedOn: string; text: string },
): number | null {
  const { issuedOn, series, text } = of
  // Of all numbers, the digits of the running one alone differ: what is around them is as it is printed for any.
  for (const [digits] of text.matchAll(/\d+/g)) {
    const number = Number(digits)
    const isOne = Number.isSafeInteger(number) && number > 0
    if (isOne && formatNumber(pattern, { series, issuedOn, number }) === text) return number
  }
  return null
}

function yearOf(date: string): string {
  return date.slice(0, 4)
}
