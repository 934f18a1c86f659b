import Big from 'big.js'
import { addDays, compareDates, daysIn, earlierDate, intersect, type Period } from './calendar.ts'
import { spread } from './money.ts'

/** The names by which a supplier tells what a line is, the nearest first. */
export const lineNames = ['subscription', 'product_code', 'description'] as const
export type LineName = (typeof lineNames)[number]

/** A line of a supplier, as far as it is told from others and counted. */
export interface SuppliedLine {
  readonly description: string
  readonly productCode: string | null
  /** The supplier's own id of the subscription that it bills. */
  readonly subscription: string | null
  /** Null where it is for no days: then it counts on the day of its document. */
  readonly servicePeriod: Period | null
  readonly issuedOn: string
  /** Net, in minor units; below 0 on a credit note. */
  readonly amountMinor: number
}

/** Something that an operator said of lines by one of their names. */
export interface NamedLine {
  readonly matches: LineName
  readonly value: string
}

/**
 * What was said of a line: by its subscription before its product, by its product before its description, each by the very same
 * text. Nothing is guessed: a line of which nothing was said has none.
 */
export function findByName<Said extends NamedLine>(
  said: readonly Said[],
  line: Pick<SuppliedLine, 'description' | 'productCode' | 'subscription'>,
): Said | undefined {
  const names = {
    subscription: line.subscription,
    product_code: line.productCode,
    description: line.description,
  }
  for (const matches of lineNames) {
    const found = said.find((one) => one.matches === matches && one.value === names[matches])
    if (found !== undefined) return found
  }
  return undefined
}

/** The month of a date, as a period: `2026-02` is 1 February up to, not including, 1 March. */
export function monthPeriod(month: string): Period {
  const start = Temporal.PlainYearMonth.from(month).toPlainDate({ day: 1 })
  return { start: start.toString(), end: start.add({ months: 1 }).toString() }
}

/**
 * What of an amount falls in a month, spread over the days of its service: over all months the parts sum to the amount, to the cent. What is for no days falls on the day of its document, and so does a period that ends before it begins.
 * @example 31.00 for 16 January up to 16 February: 16.00 in January, 15.00 in February
 */
export function partInMonth(
  { servicePeriod, issuedOn, amountMinor }: Pick<SuppliedLine, 'servicePeriod' | 'issuedOn' | 'amountMinor'>,
  month: string,
): number {
  const asked = monthPeriod(month)
  const isForDays = servicePeriod !== null && compareDates(servicePeriod.start, servicePeriod.end) < 0
  const period = isForDays ? servicePeriod : { start: issuedOn, end: addDays(issuedOn, 1) }
  const passed = intersect(period, { start: period.start, end: earlierDate(period.end, asked.start) })
  const before = passed === undefined ? 0 : daysIn(passed)
  const within = intersect(period, asked)
  if (within === undefined) return 0
  const inside = daysIn(within)
  const days = daysIn(period)
  // Cumulative: what was counted up to the end of a day, less what was up to the start. So each month knows its part alone.
  return upTo(amountMinor, before + inside, days) - upTo(amountMinor, before, days)
}

function upTo(amountMinor: number, day: number, days: number): number {
  return spread(amountMinor, [new Big(day), new Big(days - day)])[0] ?? 0
}
