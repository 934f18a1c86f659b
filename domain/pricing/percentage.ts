import Big from 'big.js'
import { BusinessError } from '../errors.ts'
import { greater, lesser, percentOf, sumOf } from './decimal.ts'
import type { PercentagePrice } from './price.ts'
import type { RatingStep, ValuedEvents } from './rated-price.ts'

/**
 * A share of a value, and an amount per event: 2.9 % + 0.30 of an event worth 100.00 is 3.20. What the first events cost
 * nothing for comes off both. Without events, only the share is charged.
 * @param total the value of the period, in money; with each event given, it is their sum
 * @throws `event_values_missing` if the price bounds single events and their values are not given
 */
export function ratePercentage(
  price: PercentagePrice,
  total: Big,
  events: ValuedEvents | undefined,
): RatingStep[] {
  const isBounded = price.leastPerEvent !== undefined || price.greatestPerEvent !== undefined
  if (events?.kind === 'each') return rateEach(price, events)
  if (isBounded) {
    throw new BusinessError(
      'event_values_missing',
      'A price with a least or greatest amount per event needs the value of each event.',
    )
  }
  const free = freePart(
    price,
    events?.count ?? 0,
    (events?.runningTotals ?? []).map((value) => new Big(value)),
  )
  const billedEvents = Math.max(0, (events?.count ?? 0) - free.events)
  return [
    ...freeSteps(free),
    ...shareSteps(price, greater(new Big(0), total.minus(free.value)), billedEvents),
  ]
}

interface FreePart {
  readonly events: number
  readonly value: Big
}

/**
 * The events that cost nothing are the first ones, as many as every allowance that is set lets through. Their value is
 * free up to the free value; where only events are free, all of it.
 */
function freePart(price: PercentagePrice, count: number, runningTotals: readonly Big[]): FreePart {
  const { freeEvents, freeValue } = price
  if ((freeEvents === undefined && freeValue === undefined) || runningTotals.length === 0)
    return { events: 0, value: new Big(0) }
  const allowances = [count]
  if (freeEvents !== undefined) allowances.push(freeEvents)
  if (freeValue !== undefined) allowances.push(runningTotals.filter((value) => value.lte(freeValue)).length)
  const events = Math.min(...allowances)
  if (freeValue === undefined) {
    const reached = events === 0 ? undefined : (runningTotals[events - 1] ?? runningTotals.at(-1))
    return { events, value: reached ?? new Big(0) }
  }
  return { events, value: lesser(new Big(freeValue), runningTotals.at(-1) ?? new Big(0)) }
}

function rateEach(price: PercentagePrice, events: ValuedEvents & { kind: 'each' }): RatingStep[] {
  const values = events.values.map((value) => new Big(value))
  const free = freePart(price, values.length, runningTotals(values).slice(0, price.freeEvents))
  const billed = takeOff(free.value, values)
  // An event that is free with all its value is no event any more: no bound raises it.
  const charged = billed.flatMap((value, index) =>
    index < free.events && value.eq(0) ? [] : [{ value, hasFee: index >= free.events }],
  )
  const share = shareSteps(price, sumOf(billed), charged.filter((event) => event.hasFee).length)
  return [...freeSteps(free), ...share, ...boundSteps(price, charged)]
}

function runningTotals(values: readonly Big[]): Big[] {
  let total = new Big(0)
  return values.map((value) => (total = total.plus(value)))
}

function takeOff(free: Big, values: readonly Big[]): Big[] {
  let left = free
  return values.map((value) => {
    const off = lesser(left, value)
    left = left.minus(off)
    return value.minus(off)
  })
}

function freeSteps(free: FreePart): RatingStep[] {
  if (free.events === 0 && free.value.eq(0)) return []
  return [{ kind: 'free', events: String(free.events), value: free.value.toFixed(), amount: '0' }]
}

function shareSteps(price: PercentagePrice, value: Big, eventCount: number): RatingStep[] {
  const steps: RatingStep[] = [
    {
      kind: 'percent',
      value: value.toFixed(),
      ratePercent: price.ratePercent,
      amount: percentOf(value, new Big(price.ratePercent)).toFixed(),
    },
  ]
  if (price.amountPerEvent !== undefined && eventCount > 0) {
    steps.push({
      kind: 'events',
      events: String(eventCount),
      amountPerEvent: price.amountPerEvent,
      amount: new Big(price.amountPerEvent).times(eventCount).toFixed(),
    })
  }
  return steps
}

/** What holding each event within its bounds adds, or takes off, over all of them. */
function boundSteps(
  price: PercentagePrice,
  events: readonly { value: Big; hasFee: boolean }[],
): RatingStep[] {
  const amounts = events.map(({ value, hasFee }) =>
    percentOf(value, new Big(price.ratePercent)).plus(hasFee ? (price.amountPerEvent ?? 0) : 0),
  )
  const { leastPerEvent: least, greatestPerEvent: greatest } = price
  const below = least === undefined ? [] : amounts.filter((amount) => amount.lt(least))
  const above = greatest === undefined ? [] : amounts.filter((amount) => amount.gt(greatest))
  return [...boundStep('least_per_event', least, below), ...boundStep('greatest_per_event', greatest, above)]
}

function boundStep(
  kind: 'least_per_event' | 'greatest_per_event',
  bound: string | undefined,
  amounts: readonly Big[],
): RatingStep[] {
  if (bound === undefined || amounts.length === 0) return []
  const amount = sumOf(amounts.map((amount) => new Big(bound).minus(amount)))
  return [{ kind, events: String(amounts.length), bound, amount: amount.toFixed() }]
}
