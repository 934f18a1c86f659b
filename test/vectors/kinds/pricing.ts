import Big from 'big.js'
import { sumOf } from '#domain/pricing/decimal.ts'
import { rateDifference } from '#domain/pricing/difference.ts'
import type { PercentageTier, Price } from '#domain/pricing/price.ts'
import { ratePrice } from '#domain/pricing/rate.ts'
import { amountOf, type RatedPrice } from '#domain/pricing/rated-price.ts'
import type { Adapter } from '../adapter.ts'
import { decimal, has, type Inputs } from '../calendar-inputs.ts'
import {
  listOf,
  packagePrice,
  packagesOf,
  perUnit,
  rate,
  rateFlat,
  tiersOf,
  upToOf,
  written,
} from '../priced.ts'

function percentageTiersOf(inputs: Inputs): PercentageTier[] {
  return listOf(inputs, 'tiers').map((tier) => ({
    upTo: upToOf(tier),
    ratePercent: written(tier['rate_percent']),
    flatAmount: written(tier['flat_amount']),
  }))
}

/** What is used and what recurs are two lines of one document. */
function withRecurring(used: RatedPrice, inputs: Inputs) {
  const amount = sumOf([used.amount, rateFlat(inputs['recurring'])])
  return { usage: used.amount, amount, total: amount }
}

function tierAmounts({ steps }: RatedPrice): Big[] {
  return steps.filter((step) => step.kind === 'tier').map(amountOf)
}

const graduated: Adapter = ({ inputs }) => {
  if (!has(inputs, 'tiers')) return alreadySplit(inputs)
  const rated = rate({ model: 'graduated', tiers: tiersOf(inputs) }, inputs['quantity'])
  return { ...withRecurring(rated, inputs), lines: tierAmounts(rated) }
}

/** Quantities that were split into tiers before: each is a line of its own at its own rate. */
function alreadySplit(inputs: Inputs) {
  const amountsOf = (name: string) =>
    has(inputs, name)
      ? listOf(inputs, name).map((part) => rate(perUnit(part['rate']), part['quantity']).amount)
      : []
  const [minutes, mbytes] = [amountsOf('minutes'), amountsOf('mbytes')]
  const usage = sumOf([...minutes, ...mbytes])
  const total = sumOf([usage, rateFlat(inputs['recurring'])])
  return {
    usage,
    amount: total,
    total,
    lines: [...minutes, ...mbytes],
    minutes_amount: sumOf(minutes),
    mbytes_amount: sumOf(mbytes),
  }
}

const volume: Adapter = ({ inputs }) => {
  const reached = has(inputs, 'tier_reached') ? { tiers: [inputs['tier_reached']] } : inputs
  const tiers = tiersOf(reached)
  return withRecurring(rate({ model: 'volume', tiers }, inputs['quantity']), inputs)
}

const stairstep: Adapter = ({ inputs }) => {
  const tiers = tiersOf(inputs).map(({ upTo, flatAmount }) => ({ upTo, flatAmount: flatAmount ?? '0' }))
  return withRecurring(rate({ model: 'stairstep', tiers }, inputs['quantity']), inputs)
}

const packages: Adapter = ({ inputs }) => {
  const rated = rate(packagePrice(inputs), inputs['quantity'])
  return { packages: packagesOf(rated.steps), ...withRecurring(rated, inputs) }
}

/** Minutes in started blocks and megabytes by the unit, both by the tier policy that is asked for. */
const tieredPackages: Adapter = (vector) => {
  const { inputs, kind } = vector
  if (has(inputs, 'package_size')) return packages(vector)
  const model = kind === 'tier.volume_package' || inputs['policy'] === 'TOP_TIER' ? 'volume' : 'graduated'
  const inBlocks = has(inputs, 'minutes')
    ? { size: 'minute_block', tiers: 'minute_tiers_in_blocks', quantity: 'minutes' }
    : { size: 'block_size', tiers: 'tiers_in_blocks', quantity: 'quantity' }
  const minutes = rate(
    { model, tiers: tiersOf(inputs, inBlocks.tiers), packageSize: written(inputs[inBlocks.size]) },
    inputs[inBlocks.quantity],
  )
  const mbytes = has(inputs, 'mbytes')
    ? rate({ model, tiers: tiersOf(inputs, 'mbyte_tiers') }, inputs['mbytes']).amount
    : new Big(0)
  const usage = sumOf([minutes.amount, mbytes])
  const amount = sumOf([usage, rateFlat(inputs['recurring'])])
  return {
    blocks: packagesOf(minutes.steps),
    minutes_amount: minutes.amount,
    mbytes_amount: mbytes,
    usage,
    amount,
    total: amount,
  }
}

const volumeProrated: Adapter = ({ inputs }) => {
  const price: Price = { model: 'volume', tiers: tiersOf(inputs) }
  const tierQuantity = written(inputs['full_units'])
  return { amount: ratePrice(price, decimal(inputs['prorated_units']), { tierQuantity }).amount }
}

const graduatedPercentage: Adapter = ({ inputs }) => {
  const price: Price = { model: 'graduated_percentage', tiers: percentageTiersOf(inputs) }
  if (!has(inputs, 'event_amount')) {
    // Nothing is owed before the first event, not even the first tier's flat fee; where the total is 0, none has come.
    const total = decimal(inputs['total'])
    return { amount: total.eq(0) ? 0 : rate(price, total).amount }
  }
  const previous = decimal(inputs['previous_total'] ?? 0)
  const total = sumOf([previous, decimal(inputs['event_amount'])])
  return { amount: rateDifference(price, previous.eq(0) ? null : previous, total).amount }
}

function percentagePrice(inputs: Inputs): Price {
  const optional = (name: string, field: string) =>
    has(inputs, name) ? { [field]: written(inputs[name]) } : {}
  return {
    model: 'percentage',
    ratePercent: written(inputs['rate_percent']),
    ...optional('fixed_per_event', 'amountPerEvent'),
    ...optional('per_event_min', 'leastPerEvent'),
    ...optional('per_event_max', 'greatestPerEvent'),
    ...optional('free_total', 'freeValue'),
    ...(has(inputs, 'free_events') ? { freeEvents: Number(inputs['free_events']) } : {}),
  }
}

const percentage: Adapter = ({ inputs }) => {
  const price = percentagePrice(inputs)
  const { events } = inputs
  if (has(inputs, 'event_index')) {
    const value = written(inputs['event_amount'])
    const freeEvents = Math.max(0, Number(inputs['free_events'] ?? 0) - Number(inputs['event_index']) + 1)
    const left = percentagePrice(has(inputs, 'free_events') ? { ...inputs, free_events: freeEvents } : inputs)
    return rateEvents(left, value, { kind: 'each', values: [value] })
  }
  if (Array.isArray(events)) {
    const values = events.map(written)
    return rateEvents(price, sumOf(values.map(decimal)), { kind: 'each', values })
  }
  if (events === undefined || events === null) return { amount: rate(price, inputs['total']).amount }
  const runningTotals = ((inputs['running_total'] ?? []) as unknown[]).map(written)
  return rateEvents(price, inputs['total'], { kind: 'counted', count: Number(events), runningTotals })
}

function rateEvents(
  price: Price,
  total: unknown,
  events: NonNullable<Parameters<typeof ratePrice>[2]>['events'],
) {
  const { amount, steps } = ratePrice(price, decimal(total), events === undefined ? {} : { events })
  return { amount, free_events_used: steps.find((step) => step.kind === 'free')?.events ?? '0' }
}

export const adapters: Readonly<Record<string, Adapter>> = {
  'tier.graduated': graduated,
  'tier.volume': volume,
  'tier.stairstep': stairstep,
  'tier.capacity': stairstep,
  'tier.package': packages,
  'tier.graduated_package': tieredPackages,
  'tier.volume_package': tieredPackages,
  'tier.volume_prorated': volumeProrated,
  'tier.graduated_percentage': graduatedPercentage,
  'tier.percentage': percentage,
}
