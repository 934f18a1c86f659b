import Big from 'big.js'
import { addDays, compareDates, daysIn, laterDate, type Period } from '../calendar.ts'
import { termOn, type FixedTerm } from '../renewal.ts'
import type { AssumedUsage } from './assumed-usage.ts'
import type { DocumentLineDraft } from './document.ts'
import { firstPaidDay, lastPaidEnd } from './due.ts'
import type { BillableLine } from './lines.ts'
import type { SimulatedBill, Standing } from './simulation.ts'

/** What happens to a subscription between its bills, on a day. */
export type TurningPoint = { readonly on: string; readonly subscriptionId: string } & (
  | {
      /** More is assumed than the ceiling that was sold. */
      readonly kind: 'limit_crossed'
      readonly lineId: string
      readonly limit: string
      readonly sold: string
      readonly used: string
    }
  | {
      /** From here on another price counts, if a period uses up its quantity evenly. */
      readonly kind: 'included_used_up' | 'tier_reached'
      readonly lineId: string
      readonly quantity: string
    }
  | { readonly kind: 'changed' | 'trial_ended' | 'instalments_ended'; readonly lineId: string }
  | { readonly kind: 'term_renewed'; readonly until: string }
  | { readonly kind: 'ended' }
)

/** What beside bills is known of the time to come. */
export interface Agreed {
  readonly terms: readonly { readonly subscriptionId: string; readonly term: FixedTerm }[]
  /** Of lines that sell a ceiling, the codes of what holds it. */
  readonly limits: readonly { readonly lineId: string; readonly code: string }[]
}

/**
 * What is crossed, renewed and ended after a day, up to another, that day included; in order of time. A crossing of a period
 * is told once a line and quantity: the first time.
 * @param assumed of metrics, and of limits by their codes
 */
export function findTurningPoints(
  standing: Standing,
  bills: readonly SimulatedBill[],
  agreed: Agreed,
  { assumed, ...span }: { assumed: AssumedUsage; after: string; until: string },
): TurningPoint[] {
  const lines = new Map(
    standing.documents.flatMap(({ input }) => input.lines.map((line) => [line.id, line] as const)),
  )
  const isIn = (on: string) => compareDates(on, span.after) > 0 && compareDates(on, span.until) <= 0
  const points: TurningPoint[] = [
    ...[...lines.values()].flatMap(turnsOfLine),
    ...standing.subscriptions.flatMap(({ id, endsOn }): TurningPoint[] =>
      endsOn === null ? [] : [{ kind: 'ended', on: endsOn, subscriptionId: id }],
    ),
    ...agreed.terms.flatMap((of) => renewals(of, span)),
    ...crossedPrices(bills, lines),
  ]
  const crossed = agreed.limits.flatMap(({ lineId, code }) => {
    const line = lines.get(lineId)
    return line === undefined ? [] : crossedLimit(line, code, assumed, span)
  })
  return [...points.filter(({ on }) => isIn(on)), ...crossed].toSorted((first, second) =>
    compareDates(first.on, second.on),
  )
}

function turnsOfLine(line: BillableLine): TurningPoint[] {
  const { id: lineId, subscriptionId, startsOn, firstStartsOn, terms } = line
  if (line.interval === null) return []
  const of = { subscriptionId, lineId }
  const paidUntil = lastPaidEnd(line)
  return [
    ...(startsOn === firstStartsOn ? [] : [{ ...of, kind: 'changed', on: startsOn } as const]),
    ...(terms.trialDays === 0 ? [] : [{ ...of, kind: 'trial_ended', on: firstPaidDay(line) } as const]),
    ...(terms.periodCount === null || paidUntil === null || paidUntil === line.endsOn
      ? []
      : [{ ...of, kind: 'instalments_ended', on: paidUntil } as const]),
  ]
}

/** A term is renewed on its last day, each time for the same length. */
function renewals(
  { subscriptionId, term }: Agreed['terms'][number],
  { after, until }: { after: string; until: string },
): TurningPoint[] {
  if (!term.isRenewed) return []
  const points: TurningPoint[] = []
  let { endsOn } = termOn(term, addDays(after, 1))
  for (;;) {
    const on = addDays(endsOn, -1)
    if (compareDates(on, until) > 0) return points
    endsOn = termOn(term, endsOn).endsOn
    points.push({ kind: 'term_renewed', subscriptionId, on, until: endsOn })
  }
}

/** A ceiling holds as long as its line does: what is above it is crossed on the first day. */
function crossedLimit(
  line: BillableLine,
  limit: string,
  assumed: AssumedUsage,
  { after, until }: { after: string; until: string },
): TurningPoint[] {
  const used = assumed.get(limit)
  const on = laterDate(line.startsOn, after)
  const isOver = line.endsOn !== null && compareDates(line.endsOn, on) <= 0
  if (used === undefined || isOver || compareDates(on, until) > 0 || new Big(used).lte(line.quantity))
    return []
  const { id: lineId, subscriptionId, quantity: sold } = line
  return [{ kind: 'limit_crossed', on, subscriptionId, lineId, limit, sold, used }]
}

function crossedPrices(
  bills: readonly SimulatedBill[],
  lines: ReadonlyMap<string, BillableLine>,
): TurningPoint[] {
  const first = new Map<string, TurningPoint>()
  for (const made of bills.flatMap(({ draft }) => draft.lines)) {
    const line = lines.get(made.subscriptionLineId ?? '')
    if (line === undefined || made.kind !== 'usage') continue
    for (const point of pricesOf(made, line)) {
      const key = `${point.kind} ${line.id} ${'quantity' in point ? point.quantity : ''}`
      if (!first.has(key)) first.set(key, point)
    }
  }
  return [...first.values()]
}

function pricesOf(made: DocumentLineDraft, { id, subscriptionId }: BillableLine): TurningPoint[] {
  const { price, usage, steps = [] } = made.explanation
  const { servicePeriod: period } = made
  if (price === undefined || usage === undefined || period === null) return []
  const included = new Big(price.includedQuantity ?? 0)
  const bounds = [
    { kind: 'included_used_up' as const, quantity: included },
    ...steps.flatMap((step) =>
      step.kind === 'tier' && step.from !== '0'
        ? [{ kind: 'tier_reached' as const, quantity: included.plus(step.from) }]
        : [],
    ),
  ]
  return bounds
    .filter(({ quantity }) => quantity.gt(0) && quantity.lt(usage.quantity))
    .map(({ kind, quantity }) => ({
      kind,
      subscriptionId,
      lineId: id,
      quantity: quantity.toFixed(),
      on: dayPassed(period, usage.quantity, quantity),
    }))
}

function dayPassed(period: Period, used: string, quantity: Big): string {
  const days = quantity.times(daysIn(period)).div(used).round(0, Big.roundDown)
  return addDays(period.start, Number(days.toFixed()))
}
