import { addDays, type Period } from './calendar.ts'
import { BusinessError } from './errors.ts'

type Fill = (period: Period, language: string) => string

/** What a line's text may hold in braces, and what it is replaced by; months and years are those of the first day (C-47). */
const fills: Readonly<Record<string, Fill>> = {
  first_day: (period, language) => sayDate(period.start, language),
  last_day: (period, language) => sayDate(addDays(period.end, -1), language),
  month: (period, language) =>
    Temporal.PlainDate.from(period.start).toLocaleString(language, { month: 'long' }),
  month_number: (period) => period.start.slice(5, 7),
  year: (period) => period.start.slice(0, 4),
}
export const placeholders: readonly string[] = Object.keys(fills)

const inBraces = /\{([^{}]*)\}/g

/**
 * Refuses a text with a placeholder that nothing fills, so that no customer ever reads braces.
 * @throws `placeholder_unknown`
 */
export function checkPlaceholders(text: string): void {
  for (const [, name = ''] of text.matchAll(inBraces)) {
    if (Object.hasOwn(fills, name)) continue
    const known = placeholders.map((placeholder) => `{${placeholder}}`).join(', ')
    throw new BusinessError('placeholder_unknown', `{${name}} stands for nothing. Use ${known}.`)
  }
}

/**
 * A line's text for a service period, in the customer's language and its way to write a date: "Hosting {month} {year}"
 * for March 2026 is "Hosting März 2026" in German, and "{first_day} to {last_day}" in English of the United States
 * "03/01/2026 to 03/31/2026". An unknown placeholder stays as it is: it was refused when the text was saved.
 * @param language a BCP 47 tag
 */
export function fillPlaceholders(text: string, period: Period, language: string): string {
  return text.replaceAll(inBraces, (whole, name: string) =>
    Object.hasOwn(fills, name) ? (fills[name]?.(period, language) ?? whole) : whole,
  )
}

function sayDate(date: string, language: string): string {
  const digits = { day: '2-digit', month: '2-digit', year: 'numeric' } as const
  return Temporal.PlainDate.from(date).toLocaleString(language, digits)
}
