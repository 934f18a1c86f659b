import { billingInterval, type BillingInterval, type IntervalUnit } from '#domain/calendar.ts'
import { BusinessError } from '#domain/errors.ts'
import { offsetDays, type InvoicedLine } from '#domain/invoicing-dates.ts'
import type { BillingTiming } from '#domain/product.ts'
import { afterLast } from './symbolic-date.ts'

/** The words of OCA/contract for our recurrences and timings. Its periods are inclusive, ours end on the day after. */
const units: Readonly<Record<string, IntervalUnit>> = {
  daily: 'day',
  weekly: 'week',
  monthly: 'month',
  monthlylastday: 'month_last_day',
  quarterly: 'quarter',
  semesterly: 'half_year',
  yearly: 'year',
}

export function unitOf(rule: unknown): IntervalUnit {
  const unit = units[textOf(rule, 'monthly')]
  if (unit === undefined) throw new Error(`no recurrence is called ${textOf(rule, 'so')}`)
  return unit
}

export function intervalOf(rule: unknown, count: unknown): BillingInterval {
  return billingInterval({ count: count === undefined ? 1 : Number(count), unit: unitOf(rule) })
}

/** "1 yearly", "2 monthly" */
export function intervalInWords(words: string): BillingInterval {
  const [count, rule] = words.split(' ')
  return intervalOf(rule, count)
}

export function timingOf(invoicing: unknown): BillingTiming {
  return invoicing === 'post-paid' ? 'arrears' : 'advance'
}

/** A line as the files describe it, under either of the names that they use. */
export function invoicedLine(fields: Readonly<Record<string, unknown>>): InvoicedLine {
  const timing = timingOf(fields['invoicing_type'] ?? fields['invoicing'])
  const interval = intervalOf(fields['rule'], fields['interval'])
  const offset = fields['offset_days']
  return {
    startsOn: textOf(fields['date_start'], ''),
    endsOn: afterLast(fields['date_end']),
    billedUntil: afterLast(fields['last_date_invoiced'] ?? fields['last_invoiced']),
    interval,
    timing,
    offsetDays: typeof offset === 'number' ? offset : offsetDays(timing, interval.unit),
    forcedInvoiceOn: dateOf(
      fields['forced_next_invoice_date'] ?? fields['next_invoice_date'] ?? fields['next_date'],
    ),
  }
}

export function dateOf(value: unknown): string | null {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) ? value : null
}

export function textOf(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise
}

/** A number as decimal text, however the case spells it. */
export function decimalOf(value: unknown, otherwise: string): string {
  return typeof value === 'number' || typeof value === 'string' ? String(value) : otherwise
}

export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

/** A refusal of the engine is an answer; any other error is a fault of ours. */
export function orRefused(
  answer: () => Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  try {
    return answer()
  } catch (error) {
    if (error instanceof BusinessError) return { expect_error: true, expect: { error: true } }
    throw error
  }
}

/** Answers every field that is asked and matches, with what the engine says to its parts. */
export function answerFields(
  testCase: Readonly<Record<string, unknown>>,
  pattern: RegExp,
  answer: (match: RegExpExecArray) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(testCase).flatMap((key) => {
      const match = pattern.exec(key)
      return match ? [[key, answer(match)]] : []
    }),
  )
}
