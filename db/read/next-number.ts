import { laterDate } from '#domain/calendar.ts'
import { formatNumber, seriesKey } from '#domain/invoice/number.ts'
import type { Db } from '../database.ts'
import type { NumberPatterns } from '../tables/installation.ts'

/** The number that the next document of each kind gets, if it is issued on the given day. Nothing is taken. */
export async function readNextNumbers(
  db: Db,
  patterns: NumberPatterns,
  issuedOn: string,
): Promise<Readonly<Record<keyof NumberPatterns, string>>> {
  const next = async (kind: keyof NumberPatterns) => {
    const { series, pattern: text } = patterns[kind]
    const pattern = { pattern: text, resetsYearly: text.includes('{year}') }
    const state = await db
      .selectFrom('number_series')
      .select(['next_number', 'last_issued_on'])
      .where('code', '=', seriesKey(series, issuedOn, pattern))
      .executeTakeFirst()
    return formatNumber(pattern, {
      series,
      issuedOn: laterDate(issuedOn, state?.last_issued_on ?? issuedOn),
      number: state?.next_number ?? 1,
    })
  }
  return { invoice: await next('invoice'), credit_note: await next('credit_note') }
}
