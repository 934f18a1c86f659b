import Big from 'big.js'
import { changeTakesEffectOn } from '#domain/change-policy.ts'
import { addDays, daysIn } from '#domain/calendar.ts'
import { applyShare, creditMinor, shareOf, unusedShare, type Share } from '#domain/proration.ts'
import type { Adapter, Vector } from '../adapter.ts'
import {
  decimal,
  fromCents,
  has,
  integer,
  periodOf,
  text,
  timingOf,
  toCents,
  withYear,
  wordOf,
  writtenLike,
  type Inputs,
} from '../calendar-inputs.ts'

const whole: Share = { numerator: 1, denominator: 1 }

/** How much of the period the new terms still have, told in one of several ways. */
function leftOf(inputs: Inputs): Share {
  if (inputs['same_day'] === true) return whole
  if (has(inputs, 'fraction_remaining')) {
    return { numerator: Number(decimal(inputs['fraction_remaining'])), denominator: 1 }
  }
  if (has(inputs, 'days_remaining', 'days_in_period')) {
    return { numerator: integer(inputs, 'days_remaining'), denominator: integer(inputs, 'days_in_period') }
  }
  if (has(inputs, 'seconds_elapsed')) {
    const denominator = integer(inputs, 'seconds_in_period')
    return { numerator: denominator - integer(inputs, 'seconds_elapsed'), denominator }
  }
  if (has(inputs, 'change_day')) {
    const month = { start: '2021-01-01', end: addDays('2021-01-01', integer(inputs, 'days_in_month')) }
    return unusedShare(month, addDays(month.start, integer(inputs, 'change_day') - 1), 'day')
  }
  const period = has(inputs, 'period') ? 'period' : 'full_period'
  return unusedShare(periodOf(inputs, period), changeOn(inputs), 'day')
}

function changeOn(inputs: Inputs): string {
  return withYear(text(inputs, 'change_on'))
}

/** An amount that is told whole, in cents, or as a quantity of units; null where there is none. */
function priceOf(inputs: Inputs, side: 'old' | 'new'): Big | null {
  if (has(inputs, `${side}_cents`)) return fromCents(integer(inputs, `${side}_cents`))
  if (has(inputs, `${side}_amount`)) return decimal(inputs[`${side}_amount`])
  const units = inputs[side]
  if (typeof units !== 'object' || units === null) return null
  const { quantity, unit_amount: unitAmount } = units as Inputs
  return decimal(unitAmount).times(decimal(quantity))
}

function share(amount: Big | null, left: Share): number {
  return amount === null ? 0 : toCents(applyShare(amount, left))
}

/** What comes back of the old terms, in cents: prorated over what was billed, and capped by what is left of it. */
function creditOf(inputs: Inputs): number {
  const old = priceOf(inputs, 'old')
  if (old === null) return 0
  if (has(inputs, 'old_partial')) {
    const part = periodOf(inputs, 'old_partial')
    const billed = share(old, shareOf(part, periodOf(inputs, 'full_period'), 'day'))
    return creditMinor(
      { amountMinor: billed, creditedMinor: creditedOf(inputs) },
      unusedShare(part, changeOn(inputs), 'day'),
    )
  }
  if (has(inputs, 'old_period')) {
    const end = has(inputs, 'change_on') ? changeOn(inputs) : periodOf(inputs, 'new_partial').start
    return share(old, unusedShare(periodOf(inputs, 'old_period'), end, 'day'))
  }
  if (has(inputs, 'item_adjusted_before')) {
    return creditMinor({ amountMinor: toCents(old), creditedMinor: creditedOf(inputs) }, leftOf(inputs))
  }
  return share(old, leftOf(inputs))
}

function creditedOf(inputs: Inputs): number {
  return has(inputs, 'item_adjusted_before') ? -toCents(decimal(inputs['item_adjusted_before'])) : 0
}

function chargeOf(inputs: Inputs): number {
  if (has(inputs, 'added_one_time')) {
    const { unit_cents: unitCents, quantity } = inputs['added_one_time'] as Inputs
    return toCents(fromCents(decimal(unitCents)).times(decimal(quantity)))
  }
  if (has(inputs, 'added_yearly_cents')) {
    const left = { start: changeOn(inputs), end: periodOf(inputs, 'period').end }
    const ofYear = { numerator: daysIn(left), denominator: 365 }
    return share(fromCents(integer(inputs, 'added_yearly_cents')), ofYear)
  }
  if (has(inputs, 'added_unit_amount')) return share(decimal(inputs['added_unit_amount']), leftOf(inputs))
  const price = priceOf(inputs, 'new')
  if (has(inputs, 'new_partial')) {
    const numerator = daysIn(periodOf(inputs, 'new_partial'))
    return share(price, { numerator, denominator: integer(inputs, 'new_full_period_days') })
  }
  return share(price, leftOf(inputs))
}

function change({ id, inputs }: Vector) {
  if (wordOf(inputs, 'component', 'usage') === 'usage')
    return { lines: 0, net: 0, net_cents: 0, credit: 0, charge: 0 }
  if (wordOf(inputs, 'policy', 'END_OF_TERM', 'IMMEDIATE') === 'END_OF_TERM') return atPeriodEnd(inputs)
  if (['matched', 'added_cents', 'removed_cents'].some((name) => has(inputs, name))) {
    return componentLines(inputs)
  }
  if (has(inputs, 'billing') && timingOf(inputs['billing']) === 'arrears') return inArrears(inputs)
  const credit = creditOf(inputs)
  const charge = chargeOf(inputs)
  return {
    ...sides(credit, charge, id.startsWith('chargebee.')),
    ...accountCredit(inputs, credit, charge),
    ...extraCharge(inputs),
    ...(hasLeft(inputs) && daysLeft(inputs)),
    lines: [credit, charge].filter((cents) => cents !== 0).length,
    used: fromCents(priceCents(inputs, 'old') - credit),
    next_charge: fromCents(priceCents(inputs, 'new') - Math.max(0, credit - charge)),
  }
}

/** Credit and charge are two lines, each rounded; the credit is negative, but where the source writes it positive. */
function sides(credit: number, charge: number, isCreditPositive: boolean) {
  const signed = isCreditPositive ? credit : -credit
  return {
    credit: fromCents(signed),
    credit_cents: signed,
    repair: fromCents(-credit),
    charge: fromCents(charge),
    charge_cents: charge,
    net: fromCents(charge - credit),
    net_cents: charge - credit,
  }
}

/** What a negative sum leaves to the customer, and what a positive one takes from it. */
function accountCredit(inputs: Inputs, credit: number, charge: number) {
  const owed = Math.max(0, charge - credit)
  const gained = Math.max(0, credit - charge)
  const before = has(inputs, 'account_credit_before')
    ? toCents(decimal(inputs['account_credit_before']))
    : undefined
  const used = Math.min(before ?? owed, owed)
  return {
    cba: fromCents(gained),
    left_as_credit: fromCents(gained),
    cba_used: fromCents(-used),
    account_credit: fromCents((before ?? used) + gained - used),
    due: fromCents(owed - used),
  }
}

function priceCents(inputs: Inputs, side: 'old' | 'new'): number {
  return toCents(priceOf(inputs, side) ?? new Big(0))
}

/** The difference of the prices for the days that are left, due when the period ends. */
function extraCharge(inputs: Inputs) {
  if (!has(inputs, 'period', 'change_on')) return {}
  const difference = (priceOf(inputs, 'new') ?? new Big(0)).minus(priceOf(inputs, 'old') ?? 0)
  const written = (inputs['period'] as [string, string])[1]
  return {
    extra_charge: fromCents(share(difference, leftOf(inputs))),
    next_charge_on: writtenLike(periodOf(inputs, 'period').end, written),
  }
}

function hasLeft(inputs: Inputs): boolean {
  return has(inputs, 'period', 'change_on') || has(inputs, 'days_remaining') || has(inputs, 'change_day')
}

function daysLeft(inputs: Inputs) {
  const left = leftOf(inputs)
  return { days_remaining: left.numerator, days_in_period: left.denominator }
}

function atPeriodEnd(inputs: Inputs) {
  const { end } = periodOf(inputs, 'period')
  const terms = { upgrade: 'period_end', downgrade: 'period_end' } as const
  const date = changeTakesEffectOn('downgrade', terms, { today: changeOn(inputs), periodEnd: end })
  const left = unusedShare(periodOf(inputs, 'period'), date, 'day')
  const net = share(priceOf(inputs, 'new'), left) - share(priceOf(inputs, 'old'), left)
  return {
    net_now: fromCents(net),
    net: fromCents(net),
    next_invoice: { date, amount: priceOf(inputs, 'new') },
  }
}

/** Nothing was billed yet: each is charged for its own days, the day of the change being the new one's. */
function inArrears(inputs: Inputs) {
  const left = leftOf(inputs)
  const served = { numerator: left.denominator - left.numerator, denominator: left.denominator }
  return {
    old_charge: fromCents(share(priceOf(inputs, 'old'), served)),
    new_charge: fromCents(share(priceOf(inputs, 'new'), left)),
  }
}

/** A change of several components: those that are in both, those that go, those that come. */
function componentLines(inputs: Inputs) {
  const left = leftOf(inputs)
  const cents = (name: string) => (has(inputs, name) ? list(inputs[name]) : [])
  const of = (values: readonly unknown[], sign: 1 | -1) =>
    values.map((value) => sign * share(fromCents(decimal(value)), left))
  const both = has(inputs, 'old_cents', 'new_cents') ? [inputs['old_cents'], inputs['new_cents']] : null
  const matched = pairs(inputs['matched'] ?? both).flatMap(([old, next]) => [
    ...of([old], -1),
    ...of([next], 1),
  ])
  const lines = [...matched, ...of(cents('removed_cents'), -1), ...of(cents('added_cents'), 1)]
  const sumOf = (values: readonly number[]) => values.reduce((sum, line) => sum + line, 0)
  return {
    lines_cents: lines,
    lines: lines.length,
    credit_cents: sumOf(lines.filter((line) => line < 0)),
    charge_cents: sumOf(lines.filter((line) => line > 0)),
    net_cents: sumOf(lines),
  }
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}

/** Old and new amount of each component, as pairs or under their names. */
function pairs(matched: unknown): (readonly [unknown, unknown])[] {
  if (matched === undefined || matched === null) return []
  if (!Array.isArray(matched)) {
    const { old_cents: oldCents, new_cents: newCents, old, new: next } = matched as Inputs
    return [[oldCents ?? old, newCents ?? next]]
  }
  const [first, second] = matched as unknown[]
  if (typeof first === 'object' || matched.length !== 2) return (matched as unknown[]).flatMap(pairs)
  return [[first, second]]
}

export const adapters: Readonly<Record<string, Adapter>> = { 'proration.change': change }
