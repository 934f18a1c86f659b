import Big from 'big.js'
import { serviceParts } from '#domain/billing-cycle.ts'
import { addDays, cycleBoundary, type BillingInterval, type Period } from '#domain/calendar.ts'
import { datePhases, firstBilledOn, phaseOn, type DatedPhase, type Phase } from '#domain/phase.ts'
import { applyShare, prorate, unusedShare } from '#domain/proration.ts'
import type { Adapter, Vector } from '../adapter.ts'
import {
  amountOf,
  dayAfter,
  decimal,
  fromCents,
  halfOpen,
  has,
  integer,
  intervalOf,
  periodOf,
  text,
  toCents,
  type Inputs,
} from '../calendar-inputs.ts'

/** What a phase costs: once at its beginning, and in each of its periods. */
interface PhasePrice {
  readonly fixed: Big
  readonly recurring: Big
  readonly interval: BillingInterval
}

const lengthName = /^(?:\w+_)?(day|week|month|year)s$/
const amountNames = ['recurring', 'amount', 'price', 'recurring_amount', 'unit_amount']

function priceOf(phase: Inputs, inputs: Inputs): PhasePrice {
  const amount = amountNames.find((name) => has(phase, name))
  const fixed = ['fixed', 'fixed_amount'].find((name) => has(phase, name))
  return {
    fixed: new Big(fixed === undefined ? 0 : decimal(phase[fixed])),
    recurring: new Big(amount === undefined ? 0 : decimal(phase[amount])),
    interval: intervalOf(phase['period'] ?? phase['interval'] ?? inputs['period'] ?? 'MONTHLY'),
  }
}

/** The length of a phase: `days: 30`, `phase_weeks: 6`, a number and its unit, or in words, "1 month" or "UNLIMITED". */
function lengthOf(phase: Inputs): BillingInterval | null {
  const named = Object.keys(phase).find((name) => lengthName.test(name) && has(phase, name))
  if (named !== undefined) return intervalOf(lengthName.exec(named)?.[1], phase[named])
  const length = phase['length'] ?? phase['duration']
  if (typeof length === 'object' && length !== null) return lengthOf(length as Inputs)
  const unit = phase['unit'] ?? phase['length_unit']
  const number = length ?? phase['number'] ?? phase['count']
  if (typeof unit === 'string' && has({ number }, 'number')) return lengthInWords(`${String(number)} ${unit}`)
  return typeof length === 'string' ? lengthInWords(length) : null
}

function lengthInWords(words: string): BillingInterval | null {
  const [, number, unit] = /(\d+)\s*(day|week|month|year)/i.exec(words) ?? []
  return number === undefined || unit === undefined ? null : intervalOf(unit, number)
}

function phasesOf(inputs: Inputs): Phase<PhasePrice>[] {
  const phases = Array.isArray(inputs['phases']) ? (inputs['phases'] as Inputs[]) : [inputs]
  return phases.map((phase) => ({ length: lengthOf(phase), agreed: priceOf(phase, inputs) }))
}

/** The period of the phase that holds a date, cut where the phase ends. */
function partHolding(phase: DatedPhase<PhasePrice>, date: string) {
  const life = { start: phase.startsOn, end: phase.endsOn }
  const anchors = [{ from: phase.startsOn, anchor: phase.startsOn }]
  return serviceParts(life, anchors, phase.agreed.interval, dayAfter(date)).at(-1)
}

function amountOn(phases: readonly DatedPhase<PhasePrice>[], date: string): Big {
  const current = phaseOn(phases, date)
  const part = current && partHolding(current, date)
  if (!part || part.period.start !== date) return new Big(0)
  const { fixed, recurring } = current.agreed
  const charge = fromCents(toCents(prorate(recurring, part.period, part.cycle, 'day').amount))
  return current.startsOn === date ? charge.plus(fixed) : charge
}

function periodOn(phases: readonly DatedPhase<PhasePrice>[], date: string): [string, string] | null {
  const current = phaseOn(phases, date)
  const part = current && partHolding(current, date)
  return part ? halfOpen(part.period) : null
}

function phase({ inputs, expected }: Vector) {
  const start = has(inputs, 'start') ? text(inputs, 'start') : (Object.keys(expected).toSorted()[0] ?? '')
  const phases = datePhases(start, phasesOf(inputs))
  return Object.fromEntries(
    Object.keys(expected).map((key) => {
      if (key === 'first') return [key, periodOn(phases, start)]
      if (key.startsWith('target_')) return [key, periodOn(phases, key.slice('target_'.length))]
      return [key, amountOn(phases, key)]
    }),
  )
}

function trial({ inputs }: Vector) {
  if (has(inputs, 'days_in_month')) return trialInMonth(inputs)
  const start = text(inputs, 'start')
  const billedOn = firstBilledOn({
    startsOn: start,
    days: integer(inputs, has(inputs, 'new_trial_days') ? 'new_trial_days' : 'trial_days'),
    ...(has(inputs, 'upgraded_on') && { changedOn: text(inputs, 'upgraded_on') }),
  })
  const interval = intervalOf(inputs['interval'] ?? 'MONTHLY')
  const freeDays = Temporal.PlainDate.from(start).until(billedOn).total('days')
  const free = freeDays > 0 ? [{ length: intervalOf('day', freeDays), agreed: new Big(0) }] : []
  const phases = datePhases(start, [...free, { length: null, agreed: priceAfterTrial(inputs) }])
  return {
    first_invoice_amount: phaseOn(phases, start)?.agreed,
    first_paid_period: halfOpen({ start: billedOn, end: cycleBoundary(billedOn, interval, 1) }),
    billed_on: billedOn,
    ...trialAmount(inputs, billedOn),
  }
}

function priceAfterTrial(inputs: Inputs): Big {
  const isNew = has(inputs, 'new_amount') || has(inputs, 'new_amount_cents')
  if (isNew) return amountOf(inputs, 'new_amount', 'new_amount_cents')
  const isTold = has(inputs, 'amount') || has(inputs, 'amount_cents')
  return isTold ? amountOf(inputs, 'amount', 'amount_cents') : new Big(0)
}

/** The first amount after a trial: the days from there to the period's end, where the period is told. */
function trialAmount(inputs: Inputs, billedOn: string) {
  const amount = priceAfterTrial(inputs)
  const first = Array.isArray(inputs['period']) ? part(amount, periodOf(inputs, 'period'), billedOn) : amount
  return { amount: fromCents(toCents(first)), amount_cents: toCents(first) }
}

function part(amount: Big, period: Period, from: string): Big {
  return applyShare(amount, unusedShare(period, from, 'day'))
}

/** A month without its name: so many days, a trial that begins on one of them. */
function trialInMonth(inputs: Inputs) {
  const first = '2021-01-01'
  const month = { start: first, end: addDays(first, integer(inputs, 'days_in_month')) }
  const startsOn = addDays(first, integer(inputs, 'start_day') - 1)
  return trialAmount(
    { ...inputs, period: halfOpen(month) },
    firstBilledOn({ startsOn, days: integer(inputs, 'trial_days') }),
  )
}

export const adapters: Readonly<Record<string, Adapter>> = { phase, trial }
