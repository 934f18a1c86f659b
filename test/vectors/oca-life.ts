import { afterInvoice, nextInvoiceOn, type InvoicedLine } from '#domain/invoicing-dates.ts'
import type { Line } from '#domain/line.ts'
import type { LineChange } from '#domain/line-change.ts'
import type { OcaCase } from './adapter.ts'
import { invoicedLine, textOf } from './oca-line.ts'
import { lastBefore } from './symbolic-date.ts'

/** A line with the days it was billed for, in the words of OCA/contract on both ends. */
export interface BilledLine {
  readonly line: Line
  readonly invoiced: InvoicedLine
}

/** The line of a case. It begins on the day of the test where nothing else is said. */
export function billedLine(fields: Readonly<Record<string, unknown>>, testCase: OcaCase): BilledLine {
  const hasDate = /^\d{4}-/.test(textOf(fields['date_start'], ''))
  const invoiced = invoicedLine(hasDate ? fields : { ...fields, date_start: testCase['T'] })
  const { startsOn, endsOn, billedUntil } = invoiced
  return {
    invoiced,
    line: {
      startsOn,
      endsOn,
      billedUntil,
      isCancelled: fields['canceled'] === true,
      renewal: renewalOf(fields),
      hasSuccessor: hasSuccessor(fields),
      hasRival: Object.entries(fields).some(
        ([name, value]) => /predecessor|rival/.test(name) && value === true,
      ),
    },
  }
}

/** Some cases say it in words, where a date would stand. */
function hasSuccessor(fields: Readonly<Record<string, unknown>>): boolean {
  if (fields['has_successor'] === true || fields['successor']) return true
  return Object.values(fields).some((value) => /has a successor/.test(textOf(value, '')))
}

export function renewalOf(fields: Readonly<Record<string, unknown>>): Line['renewal'] {
  if (fields['auto_renew'] === true) return 'automatic'
  return fields['manual_renew_needed'] === true ? 'asked' : 'none'
}

/** A line after so many invoices. */
export function bill(billed: BilledLine, runs: number): BilledLine {
  if (runs === 0) return billed
  const invoiced = afterInvoice({
    ...billed.invoiced,
    endsOn: billed.line.endsOn,
    billedUntil: billed.line.billedUntil,
  })
  return bill({ invoiced, line: { ...billed.line, billedUntil: invoiced.billedUntil } }, runs - 1)
}

/** What became of a line. */
export function describeLine(billed: BilledLine) {
  const { line } = billed
  const { startsOn, endsOn, billedUntil } = line
  const invoiced = { ...billed.invoiced, startsOn, endsOn, billedUntil }
  return {
    date_start: startsOn,
    date_end: lastBefore(endsOn),
    last_date_invoiced: lastBefore(billedUntil),
    next_invoice_date: line.isCancelled ? null : (nextInvoiceOn(invoiced) ?? null),
    canceled: line.isCancelled,
    auto_renew: line.renewal === 'automatic',
    manual_renew_needed: line.renewal === 'asked',
  }
}

export function describeChange(billed: BilledLine, { line, successor }: LineChange) {
  const { interval, timing, offsetDays } = billed.invoiced
  const next = successor && { ...billed.invoiced, forcedInvoiceOn: null, interval, timing, offsetDays }
  return {
    ...describeLine({ ...billed, line }),
    successor: next && describeLine({ invoiced: next, line: successor }),
  }
}
