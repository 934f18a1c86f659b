import Big from 'big.js'
import { addDays, cycleIndexOn, fullCycle, type Period } from '#domain/calendar.ts'
import { creditLines, type CreditLine } from '#domain/invoice/credit-note.ts'
import { roundMinor } from '#domain/money.ts'
import { applyShare, creditMinor, unusedShare, type Share } from '#domain/proration.ts'
import type { Adapter, Vector } from '../adapter.ts'
import {
  has,
  integer,
  intervalOf,
  periodOf,
  text,
  textOr,
  withYear,
  type Inputs,
} from '../calendar-inputs.ts'
import { lineOf, percentOf, taxedAt, totalsOf } from '../taxed-lines.ts'

function partial({ inputs }: Vector) {
  const line = {
    id: 'line',
    quantity: '1',
    ...lineOf(exactCents(inputs, 'invoice_ex_tax_cents'), taxIn(inputs)),
  }
  const invoice = totalsOf([line], { rounding: 'document' })
  const invoiceLines = invoice.lines.map((of) => ({ ...line, ...of }))
  const notes: CreditLine[] = []
  for (const netMinor of (inputs['credit_notes_ex_tax_cents'] as unknown[]).map(Number)) {
    const request = { kind: 'lines' as const, lines: [{ lineId: 'line', netMinor }] }
    notes.push(...creditLines(invoiceLines, request, notes))
  }
  return {
    invoice_tax_cents: invoice.taxMinor,
    invoice_total_cents: invoice.totalMinor,
    taxes_cents: notes.map((note) => -note.taxMinor),
    totals_cents: notes.map((note) => -note.grossMinor),
  }
}

/** What is given back when a plan ends early. The day of termination counts as used: service ends on the day after. */
function terminate({ inputs }: Vector) {
  if (has(inputs, 'changed_on')) return changeInPeriod(inputs)
  const exact = applyShare(exactCents(inputs, 'plan_cents'), shareLeft(inputs))
  const credit = totalsOf([lineOf(exact, taxIn(inputs))])
  return {
    credit_ex_tax_cents: roundMinor(exact),
    tax_cents: credit.taxMinor,
    total_cents: credit.totalMinor,
    invoice_tax_cents: totalsOf([lineOf(exactCents(inputs, 'plan_cents'), taxIn(inputs))]).taxMinor,
  }
}

function changeInPeriod(inputs: Inputs) {
  const amountMinor = integer(inputs, 'amount_cents')
  const endsOn = withYear(text(inputs, 'changed_on'))
  const share = unusedShare(periodOf(inputs, 'period'), endsOn, 'day')
  return { credit_cents: creditMinor({ amountMinor, creditedMinor: 0 }, share) }
}

function shareLeft(inputs: Inputs): Share {
  if (has(inputs, 'days_left', 'days_in_period')) {
    return { numerator: integer(inputs, 'days_left'), denominator: integer(inputs, 'days_in_period') }
  }
  const interval = intervalOf(textOr(inputs, 'interval', 'monthly'))
  const start = has(inputs, 'start') ? withYear(text(inputs, 'start')) : someMonday
  const endsOn = has(inputs, 'terminated_on')
    ? addDays(withYear(text(inputs, 'terminated_on')), 1)
    : addDays(start, Number(inputs['used_days'] ?? inputs['days_used']))
  const cycle: Period = fullCycle(start, interval, cycleIndexOn(start, interval, addDays(endsOn, -1)))
  return unusedShare(cycle, endsOn, 'day')
}

const someMonday = '2024-01-01'

function exactCents(inputs: Inputs, name: string): Big {
  return new Big(integer(inputs, name))
}

function taxIn(inputs: Inputs) {
  return taxedAt(percentOf(inputs))
}

export const adapters: Readonly<Record<string, Adapter>> = {
  'credit_note.partial': partial,
  'credit_note.terminate': terminate,
}
