import Big from 'big.js'
import { addDays, billingInterval, cycleBoundary, type IntervalUnit } from '#domain/calendar.ts'
import { afterInvoice, instalmentsEndOn, nextInvoiceOn } from '#domain/invoicing-dates.ts'
import { stopLine, transferLine } from '#domain/line-change.ts'
import { startOn, type StartMethod } from '#domain/start.ts'
import { ByDecision, type OcaAdapter, type OcaCase } from '../adapter.ts'
import { billedLine, describeLine } from '../oca-life.ts'
import {
  dateOf,
  decimalOf,
  intervalOf,
  invoicedLine,
  orRefused,
  recordOf,
  textOf,
  unitOf,
} from '../oca-line.ts'
import { lastBefore } from '../symbolic-date.ts'

const methods: Readonly<Record<string, StartMethod>> = {
  start_this: 'this_period_start',
  end_this: 'this_period_end',
  start_next: 'next_period_start',
  end_next: 'next_period_end',
}

/** How a line comes to be: by an order, by another line, or from another contract. */
export const sections: Readonly<Record<string, OcaAdapter>> = {
  start_date_method: (testCase) => orRefused(() => answerStart(testCase)),
  sale_order_to_contract: (testCase) => orRefused(() => answerOrder(testCase)),
  split: (testCase) => orRefused(() => answerSplit(testCase)),
  legacy_10_0: answerLegacy,
  subscription_oca: answerOtherModule,
  other_runs: answerOtherRun,
}

function answerStart(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const month = testCase['forced_month']
  const start = startOn(
    methods[textOf(testCase['method'], '')] ?? 'now',
    textOf(testCase['today'], ''),
    unitOf(testCase['rule']),
    typeof month === 'number' ? month : null,
  )
  return { expect_contract_line_start: start }
}

function answerOrder(testCase: OcaCase): Readonly<Record<string, unknown>> {
  if ('order_line' in testCase) return { expect_contract_line: orderedLine(recordOf(testCase['order_line'])) }
  const startsOn = dateOf(testCase['new_order_line_start'])
  if (startsOn === null || !('old_line' in testCase)) throw new ByDecision('contract_template')
  const old = billedLine(recordOf(testCase['old_line']), testCase)
  const { line } = stopLine(old.line, { endsOn: startsOn, today: startsOn })
  const { canceled, date_end, auto_renew } = describeLine({ ...old, line })
  return {
    expect: {
      old_canceled: canceled,
      old_date_end: date_end,
      old_auto_renew: auto_renew,
      new_date_start: startsOn,
    },
  }
}

/** The ordered quantity is the number of periods; what runs to the month's last day is ordered by the month. */
function orderedLine(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { startsOn } = invoicedLine(fields)
  const unit = unitOf(fields['rule'])
  const ordered: IntervalUnit = unit === 'month_last_day' ? 'month' : unit
  const rule = ordered === unit ? fields['rule'] : 'monthly'
  const endsOn = instalmentsEndOn(
    startsOn,
    intervalOf(rule, fields['interval']),
    Number(fields['quantity'] ?? 1),
  )
  const line = { ...invoicedLine(fields), endsOn }
  return { date_start: startsOn, date_end: lastBefore(endsOn), next_invoice_date: nextInvoiceOn(line) }
}

/** One line of each contract is split; a part stays behind unless all of it goes. */
function answerSplit(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const quantity = decimalOf(testCase['line_quantity'] ?? testCase['original_quantity'], '1')
  const asked = testCase['quantity_to_split']
  const [, more = '0'] = /^original \+ (\d+)$/.exec(textOf(asked, '')) ?? []
  const isRelative = asked === undefined || /^(original|all)/.test(decimalOf(asked, ''))
  const movedQuantity = isRelative ? new Big(quantity).plus(more).toFixed() : decimalOf(asked, '0')
  const { line } = billedLine({}, testCase)
  const today = line.startsOn
  const startsOn = addDays(today, 1)
  if (new Big(movedQuantity).eq(0))
    return splitAnswer(testCase, { moved: '0', kept: quantity, isWhole: false })
  const transfer = transferLine(line, { quantity, movedQuantity, startsOn, today })
  return splitAnswer(testCase, {
    moved: transfer.movedQuantity,
    kept: transfer.keptQuantity,
    isWhole: transfer.given.successor === null,
  })
}

function splitAnswer(
  testCase: OcaCase,
  split: { moved: string; kept: string; isWhole: boolean },
): Readonly<Record<string, unknown>> {
  const lines = Number(testCase['lines'] ?? 1)
  const count = Number(testCase['lines_to_split'] ?? 1)
  const isMoved = split.moved !== '0'
  return {
    expect_new_contracts: isMoved ? 1 : 0,
    expect_new_lines: isMoved ? count : 0,
    expect_new_quantity: split.moved,
    expect_lines_left: split.isWhole ? lines - count : lines,
    expect_quantity_left: split.kept,
  }
}

/** Their old algorithm steps from the last date; a month's last day goes to the last day of a later month. */
function answerLegacy(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const next = textOf(testCase['next_invoice_date'], '')
  const end = dateOf(testCase['date_end'])
  const interval = intervalOf(testCase['rule'], testCase['interval'])
  const isOver = end !== null && next > end
  if (isOver && testCase['cron'] !== true) return { expect_error: true, expect_invoices: 0 }
  const stepped = cycleBoundary(next, interval, 1)
  const after =
    interval.unit === 'month_last_day'
      ? addDays(cycleBoundary(stepped, { count: 1, unit: 'month' }, 1), -1)
      : stepped
  return { expect_after: after, expect_invoices: isOver ? 0 : 1 }
}

const templateUnits: Readonly<Record<string, IntervalUnit>> = {
  days: 'day',
  weeks: 'week',
  months: 'month',
  years: 'year',
}

/** A module of its own: what it shares with ours is the step from one invoice to the next. */
function answerOtherModule(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const template = recordOf(testCase['template'])
  const unit = templateUnits[textOf(template['unit'], '')]
  const base = dateOf(testCase['base'])
  if (!('expect_next' in testCase) || unit === undefined || base === null)
    throw new ByDecision('subscription_oca')
  const isFirst = /^(0|none)/.test(decimalOf(testCase['invoices_before'], '1'))
  const interval = billingInterval({ count: Number(template['interval'] ?? 1), unit })
  return { expect_next: isFirst ? base : cycleBoundary(base, interval, 1) }
}

/** Runs that make something else than invoices are stated by their dates, or are not ours. */
function answerOtherRun(testCase: OcaCase): Readonly<Record<string, unknown>> {
  const listed = testCase['expect_next_after_runs']
  if (!Array.isArray(listed)) throw new ByDecision('other_runs')
  let line = invoicedLine(testCase)
  const dates = listed.map(() => {
    const date = nextInvoiceOn(line)
    line = afterInvoice(line)
    return date
  })
  return { expect_next_after_runs: dates }
}
