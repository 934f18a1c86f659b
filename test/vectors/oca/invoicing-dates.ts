import Big from 'big.js'
import { addDays, compareDates, cycleBoundary, daysIn, type Period } from '#domain/calendar.ts'
import {
  afterInvoice,
  billedUntilBefore,
  fullPeriodOf,
  listTurns,
  nextInvoiceOn,
  nextPeriod,
  offsetDays,
  type InvoicedLine,
} from '#domain/invoicing-dates.ts'
import type { OcaAdapter, OcaCase } from '../adapter.ts'
import { answerFields, dateOf, intervalOf, invoicedLine, textOf, timingOf } from '../oca-line.ts'
import { afterLast, lastBefore } from '../symbolic-date.ts'

/** When a line is invoiced, and for which days. */
export const sections: Readonly<Record<string, OcaAdapter>> = {
  default_offset: ({ invoicing_type, rule }) => ({
    expect_offset_days: offsetDays(timingOf(invoicing_type), intervalOf(rule, 1).unit),
  }),
  next_invoice_date: (testCase) => ({
    expect_next_invoice_date: nextInvoiceOn({
      ...invoicedLine({ ...testCase, date_start: testCase['next_period_date_start'] }),
      endsOn: afterLast(testCase['max_date_end']),
    }),
  }),
  next_period: answerNextPeriod,
  one_run: (testCase) => {
    const line = afterInvoice(invoicedLine(testCase))
    return {
      expect_after_next_invoice_date: nextInvoiceOn(line),
      expect_after_last_date_invoiced: lastBefore(line.billedUntil),
    }
  },
  run_sequence: answerRuns,
  forced_next_date: answerForcedDate,
  single_day: (testCase) =>
    answerFields(testCase, /^expect_invoices_after_run_(\d+)$/, ([, runs]) =>
      countInvoices(invoicedLine(testCase), Number(runs)),
    ),
  backfill_last_date_invoiced_12_0: (testCase) => ({
    expect_last_date_invoiced: lastBefore(
      billedUntilBefore(invoicedLine(testCase), textOf(testCase['next_invoice_date'], '')),
    ),
  }),
  prorated_quantity: (testCase) => {
    const line = invoicedLine(testCase)
    const period = nextPeriod(line)
    const invoiceOn = nextInvoiceOn(line)
    if (!period || invoiceOn === undefined) return { expect_quantity_factor: 0 }
    const days = new Big(daysIn(period))
    return { expect_quantity_factor: days.div(daysIn(fullPeriodOf(line, invoiceOn))) }
  },
  forecast_12_0: answerForecast,
  clouder_due: ({ last_invoiced, period_months, today }) => {
    const last = dateOf(last_invoiced)
    const count = Number(period_months)
    if (count === 0) return { expect_due: false }
    const due = last === null ? null : cycleBoundary(last, { count, unit: 'month' }, 1)
    return { expect_due: due === null || compareDates(due, textOf(today, '')) <= 0 }
  },
}

function answerNextPeriod(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const line = invoicedLine(testCase)
  const period = nextPeriod(line)
  return {
    expect_next_invoice_date: nextInvoiceOn(line),
    expect_next_period_start: period?.start,
    expect_next_period_end: lastBefore(period?.end ?? null),
  }
}

/** As many runs as are listed, and whether anything is left after them. */
function answerRuns(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const listed = testCase['expect_runs']
  let line = invoicedLine(testCase)
  const runs = []
  for (let run = 0; run < (Array.isArray(listed) ? listed.length : 0); run += 1) {
    const period = nextPeriod(line)
    if (!period) break
    runs.push({ ...inclusive(period), invoice_date: nextInvoiceOn(line) })
    line = afterInvoice(line)
  }
  return { expect_runs: runs, expect_no_further_invoice: nextPeriod(line) === undefined }
}

function answerForcedDate(testCase: OcaCase): Readonly<Record<string, unknown>> {
  let line = invoicedLine(testCase)
  for (let run = 0; run < Number(testCase['runs_before'] ?? 0); run += 1) line = afterInvoice(line)
  const forced = { ...line, forcedInvoiceOn: dateOf(testCase['then_force_next_invoice_date']) }
  return { expect_period: pair(nextPeriod(line)), expect_period_after_force: pair(nextPeriod(forced)) }
}

function countInvoices(line: InvoicedLine, runs: number): number {
  if (runs === 0 || !nextPeriod(line)) return 0
  return 1 + countInvoices(afterInvoice(line), runs - 1)
}

/**
 * The periods that are listed beforehand. Theirs end before the horizon where the line is open or renews by itself, and on
 * it where the line ends; the add-on looks twelve months ahead where nothing else is said and no end is there.
 */
function answerForecast(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const asked = invoicedLine(testCase)
  const isOpen = asked.endsOn === null || testCase['auto_renew'] === true
  const line = isOpen ? { ...asked, endsOn: null } : asked
  const stated = testCase['forecast_horizon_months']
  const months = typeof stated === 'number' ? stated : isOpen ? 12 : null
  const horizon =
    months === null ? null : Temporal.PlainDate.from(textOf(testCase['T'], '')).add({ months }).toString()
  const isCancelled = testCase['canceled'] === true
  const turns = isCancelled ? [] : listTurns(line, horizon === null || isOpen ? horizon : addDays(horizon, 1))
  const columns = turns.map(({ period, invoiceOn }) => {
    const row: Readonly<Record<string, unknown>> = { ...inclusive(period), invoice_date: invoiceOn }
    const names = testCase['columns']
    return Array.isArray(names) ? names.map((name) => row[String(name)]) : Object.values(row)
  })
  return {
    expect_count: turns.length,
    expect_first: columns[0],
    expect_second: columns[1],
    expect_last: columns.at(-1),
  }
}

function inclusive(period: Period): { period_start: string; period_end: string | null } {
  return { period_start: period.start, period_end: lastBefore(period.end) }
}

function pair(period: Period | undefined): (string | null)[] | null {
  return period ? Object.values(inclusive(period)) : null
}
