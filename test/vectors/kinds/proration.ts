import Big from 'big.js'
import { anchorOnBillingDay, boundaryFrom, calendarPeriod, serviceParts } from '#domain/billing-cycle.ts'
import { addDays, cycleBoundary, daysIn, type Period } from '#domain/calendar.ts'
import { fullPeriodOf, nextPeriod } from '#domain/invoicing-dates.ts'
import {
  applyShare,
  creditMinor,
  daysBought,
  daysOnFixedMonths,
  measureInCycles,
  shareOf,
  unusedShare,
  type Share,
} from '#domain/proration.ts'
import type { Adapter, Vector } from '../adapter.ts'
import {
  amountOf,
  dayAfter,
  decimal,
  fromCents,
  has,
  integer,
  intervalOf,
  isEndInclusive,
  periodOf,
  text,
  toCents,
  withYear,
  wordOf,
  writtenLike,
  type Inputs,
} from '../calendar-inputs.ts'
import { billedBy } from '../billing-day.ts'
import { invoicedLineOf } from '../invoiced-line.ts'

const monthly = intervalOf('MONTHLY')

function partOf(inputs: Inputs): Period {
  const start = withYear(text(inputs, 'from'))
  const last = withYear(text(inputs, has(inputs, 'to_inclusive') ? 'to_inclusive' : 'to'))
  return { start, end: has(inputs, 'to_inclusive') || isEndInclusive(inputs) ? dayAfter(last) : last }
}

function fixedShare(inputs: Inputs, part: Period): Share {
  const fixedDays = has(inputs, 'fixed_days') ? integer(inputs, 'fixed_days') : 30
  return { numerator: daysOnFixedMonths(part, fixedDays), denominator: fixedDays }
}

/** What is asked for is a part of a full price, told in one of several ways. */
function askedShare(inputs: Inputs): Share {
  if (has(inputs, 'days', 'days_in_period')) {
    return { numerator: integer(inputs, 'days'), denominator: integer(inputs, 'days_in_period') }
  }
  const part = partOf(inputs)
  if (wordOf(inputs, 'basis', 'fixed', 'actual') === 'fixed') return fixedShare(inputs, part)
  if (has(inputs, 'days_in_year')) {
    return { numerator: daysIn(part), denominator: integer(inputs, 'days_in_year') }
  }
  return shareOf(part, periodOf(inputs, 'full_period'), 'day')
}

function partialPeriod({ inputs }: Vector) {
  if (has(inputs, 'amount_per_month')) return partialMonths(inputs)
  const share = askedShare(inputs)
  const cents = toCents(applyShare(amountOf(inputs, 'amount', 'amount_cents'), share))
  return { amount: fromCents(cents), amount_cents: cents, total_cents: cents, days: share.numerator }
}

/** A part of a month and whole months after it. */
function partialMonths(inputs: Inputs) {
  const perMonth = decimal(inputs['amount_per_month'])
  const isActual = wordOf(inputs, 'basis', 'actual', 'actual_360') === 'actual'
  const denominator = isActual ? daysIn(calendarPeriod(withYear(text(inputs, 'from')), 'month')) : 30
  const share = { numerator: integer(inputs, 'partial_days'), denominator }
  const partial = fromCents(toCents(applyShare(perMonth, share)))
  return { partial, total: perMonth.times(integer(inputs, 'full_months')).plus(partial) }
}

function digits(share: Share, count: number): Big {
  return applyShare(new Big(1), share).round(count, Big.roundHalfUp)
}

function ratio({ inputs }: Vector) {
  if (has(inputs, 'rule')) return quantityFactor(inputs)
  if (has(inputs, 'backdate_start')) return backdated(inputs)
  if (has(inputs, 'to_inclusive') && !has(inputs, 'full_period')) return monthFractions(inputs)
  const share = askedShare(inputs)
  return { ratio: digits(share, 9), days: share.numerator, ...share }
}

/** The days of a period that was invoiced, over those that a full quantity pays for. */
function quantityFactor(inputs: Inputs) {
  const line = invoicedLineOf(inputs)
  const period = nextPeriod(line)
  if (!period) return { ratio: 0 }
  return { ratio: digits(shareOf(period, fullPeriodOf(line, text(inputs, 'next_date')), 'day'), 9) }
}

/** From a day to the end of its month, that day included. */
function backdated(inputs: Inputs) {
  const start = withYear(text(inputs, 'backdate_start'), integer(inputs, 'days_in_month') === 29)
  const days = daysIn({ start, end: calendarPeriod(start, 'month').end })
  return { days, ratio: digits({ numerator: days, denominator: integer(inputs, 'days_in_month') }, 9) }
}

/** A part of one month, in days of the calendar or of months of 30 days. */
function monthFractions(inputs: Inputs) {
  const part = partOf(inputs)
  const days = daysIn(part)
  const strict = days === 1 ? 1 : daysOnFixedMonths(part)
  return {
    actual: `${days}/${daysIn(calendarPeriod(part.start, 'month'))}`,
    actual_360: `${days}/30`,
    strict_30_360: `${strict}/30`,
  }
}

function cycles({ inputs }: Vector) {
  const start = text(inputs, 'start')
  const interval = intervalOf(inputs['period'])
  const anchor = anchorOnBillingDay(start, integer(inputs, 'bcd'), interval)
  const life = { start, end: has(inputs, 'end') ? text(inputs, 'end') : null }
  const target = text(inputs, 'target')
  const begun = serviceParts(life, [{ from: start, anchor }], interval, dayAfter(target))
  // What leads to the first boundary is a part of the cycle counted back from it: to 28 February, from 28 January.
  const first = boundaryFrom(anchor, interval, start)
  const before = { start: cycleBoundary(first, interval, -1), end: first }
  const ratios = billedBy(target, begun, inputs).map(({ period, cycle }) =>
    digits(shareOf(period, cycle.end === first ? before : cycle, 'day'), 9),
  )
  return { cycles: ratios.reduce((sum, value) => sum.plus(value), new Big(0)) }
}

function fixedDays({ inputs }: Vector) {
  const day = (month: string, name: string) =>
    `2021-${month}-${String(integer(inputs, name)).padStart(2, '0')}`
  // July and August have every day that a month can have.
  const start = day('07', 'from_day')
  const end = day(inputs['cross_month'] === true ? '08' : '07', 'to_day')
  return { days: daysOnFixedMonths({ start, end }, integer(inputs, 'fixed_days')) }
}

function duration({ inputs }: Vector) {
  const { whole, rest } = measureInCycles(partOf(inputs), monthly)
  return {
    full_periods: whole,
    partial: `${rest.numerator}/${rest.denominator}`,
    months: applyShare(new Big(1), rest).plus(whole).round(3, Big.roundHalfUp),
  }
}

function extendTime({ inputs }: Vector) {
  const changeOn = text(inputs, 'change_on')
  const { exact, days } = daysBought(decimal(inputs['unused']), decimal(inputs['new_per_day']))
  return {
    unrounded_days: exact,
    days,
    next_charge_on: writtenLike(addDays(withYear(changeOn), days), changeOn),
  }
}

function blocked({ inputs }: Vector) {
  const charge = { amountMinor: toCents(decimal(inputs['amount'])), creditedMinor: 0 }
  const credit = creditMinor(charge, shareOf(periodOf(inputs, 'blocked'), periodOf(inputs, 'period'), 'day'))
  return { repair: fromCents(-credit) }
}

function cancel({ inputs, expected }: Vector) {
  if (inputs['item'] === 'fully adjusted') {
    const charge = { amountMinor: 1000, creditedMinor: 1000 }
    const credit = creditMinor(charge, { numerator: 1, denominator: 2 })
    return { repair: -credit, cba: credit }
  }
  const period = periodOf(inputs, 'period')
  const endsOn = text(inputs, has(inputs, 'cancel_on') ? 'cancel_on' : 'blocked_from')
  const unused =
    wordOf(inputs, 'basis', 'fixed', 'actual') === 'fixed'
      ? fixedShare(inputs, { start: endsOn, end: period.end })
      : unusedShare(period, endsOn, 'day')
  const amountMinor = toCents(amountOf(inputs, 'amount', 'amount_cents'))
  const credit = creditMinor({ amountMinor, creditedMinor: 0 }, unused)
  return {
    repair: fromCents(-credit),
    cba: fromCents(credit),
    kept: fromCents(amountMinor - credit),
    ...leftAfterCharges(credit, Object.keys(expected)),
    ...(has(inputs, 'unblocked_on') && { next_item: nextItem(inputs) }),
  }
}

/** `cba_after_charge_X` asks what is left of the credit after a charge of X. */
function leftAfterCharges(creditCents: number, asked: readonly string[]) {
  const prefix = 'cba_after_charge_'
  const names = asked.filter((name) => name.startsWith(prefix))
  return Object.fromEntries(
    names.map((name) => {
      const charge = toCents(new Big(name.slice(prefix.length).replace('_', '.')))
      return [name, fromCents(Math.max(0, creditCents - charge))]
    }),
  )
}

/** After a pause the line is billed anew, from the day it is served again. */
function nextItem(inputs: Inputs): [string, string] {
  const start = text(inputs, 'unblocked_on')
  return [start, cycleBoundary(start, monthly, 1)]
}

export const adapters: Readonly<Record<string, Adapter>> = {
  'proration.blocked': blocked,
  'proration.cancel': cancel,
  'proration.cycles': cycles,
  'proration.days': fixedDays,
  'proration.duration': duration,
  'proration.extend_time': extendTime,
  'proration.partial_period': partialPeriod,
  'proration.ratio': ratio,
}
