import Big from 'big.js'
import { sumOf } from '#domain/pricing/decimal.ts'
import { rateDifference } from '#domain/pricing/difference.ts'
import type { PercentageTier, Price, PriceTier } from '#domain/pricing/price.ts'
import { ratePrice } from '#domain/pricing/rate.ts'
import { amountOf, type RatedPrice, type RatingStep } from '#domain/pricing/rated-price.ts'
import type { Adapter } from '../adapter.ts'
import { decimal, has, type Inputs } from '../calendar-inputs.ts'

/** A decimal in text, as prices hold it; what is left out is 0. */
function written(value: unknown): string {
  return decimal(value ?? 0).toFixed()
}

function listOf(inputs: Inputs, name: string): readonly Inputs[] {
  const value = inputs[name]
  if (!Array.isArray(value)) throw new Error(`${name} is no list`)
  return value as Inputs[]
}

function upToOf(tier: Inputs): string | null {
  return has(tier, 'up_to') ? written(tier['up_to']) : null
}

export function tiersOf(inputs: Inputs, name = 'tiers'): PriceTier[] {
  return listOf(inputs, name).map((tier) => ({
    upTo: upToOf(tier),
    unitAmount: written(tier['unit_amount']),
    flatAmount: written(tier['flat_amount']),
  }))
}

function percentageTiersOf(inputs: Inputs): PercentageTier[] {
  return listOf(inputs, 'tiers').map((tier) => ({
    upTo: upToOf(tier),
    ratePercent: written(tier['rate_percent']),
    flatAmount: written(tier['flat_amount']),
  }))
}

function rate(price: Price, quantity: unknown): RatedPrice {
  return ratePrice(price, decimal(quantity))
}

function rateFlat(amount: unknown): Big {
  return rate({ model: 'flat', amount: written(amount) }, 0).amount
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

function perUnit(unitAmount: unknown): Price {
  return { model: 'per_unit', unitAmount: written(unitAmount) }
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

function roundingOf(value: unknown, fallback: 'up' | 'down' | 'exact'): 'up' | 'down' | 'exact' {
  if (value === undefined || value === null) return fallback
  if (value === 'up' || value === 'down') return value
  if (value === 'none' || value === 'exact') return 'exact'
  throw new Error(`packages are not rounded ${JSON.stringify(value)}`)
}

function packagePrice(inputs: Inputs): Price {
  return {
    model: 'package',
    packageSize: written(inputs['package_size']),
    packageAmount: written(inputs['package_amount']),
    rounding: roundingOf(inputs['round'], inputs['partial_packages'] === true ? 'exact' : 'up'),
    minimumPackages: Number(inputs['minimum_packages'] ?? 0),
    includedQuantity: written(inputs['free_units'] ?? inputs['included']),
  }
}

function packagesOf(steps: readonly RatingStep[]): string {
  const step = steps.find((step) => 'packages' in step)
  return step?.packages ?? '0'
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
  if (!has(inputs, 'event_amount')) return { amount: rate(price, inputs['total']).amount }
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
    const eventsBefore = Number(inputs['event_index']) - 1
    return rateEvents(price, value, { kind: 'each', values: [value], eventsBefore })
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

const transformQuantity: Adapter = ({ inputs }) => {
  const rated = rate(
    {
      model: 'package',
      packageSize: written(inputs['divide_by']),
      packageAmount: written(inputs['unit_amount']),
      rounding: roundingOf(inputs['round'], 'exact'),
    },
    inputs['quantity'],
  )
  return { billed_units: packagesOf(rated.steps), amount: rated.amount }
}

/** What the earlier part of a period left free comes off the later part: the billed quantities of both are compared. */
const freeUnits: Adapter = ({ inputs }) => {
  const price: Price = {
    model: 'per_unit',
    unitAmount: written(inputs['unit_amount']),
    includedQuantity: written(inputs['free_units']),
  }
  const before = decimal(inputs['before_period'] ?? 0)
  const later = rateDifference(price, before, sumOf([before, decimal(inputs['quantity'])]))
  return {
    billable: later.quantity,
    before_period_billable: ratePrice(price, before).billedQuantity,
    amount: later.amount,
  }
}

const prepaidQuantity: Adapter = ({ inputs }) => {
  const amounts = listOf(inputs, 'items').map((item) => {
    const price: Price = has(item, 'package_size')
      ? packagePrice(item)
      : {
          model: 'per_unit',
          unitAmount: written(item['unit_amount']),
          includedQuantity: written(item['included']),
        }
    return rate(price, item['quantity']).amount
  })
  const [credits, seats] = amounts
  return {
    credits_amount: credits,
    seats_amount: seats,
    total: sumOf([rateFlat(inputs['base']), ...amounts]),
  }
}

const lateDelta: Adapter = ({ id, inputs, expected }) => {
  const isVolume = 'reversed' in expected || id.includes('.volume.')
  const price = latePrice(inputs, isVolume ? 'volume' : 'graduated')
  const billed = decimal(inputs['already_billed_quantity'] ?? inputs['before_period'] ?? 0)
  const total = has(inputs, 'in_period')
    ? sumOf([billed, decimal(inputs['in_period'])])
    : decimal(inputs['quantity'])
  const late = rateDifference(price, billed, total)
  return {
    delta: late.amount,
    net: late.amount,
    amount: late.amount,
    reversed: late.reversed,
    charged: late.charged.amount,
    lines: late.steps.map(({ amount }) => amount),
    // At one a package, the amount is the number of packages.
    packages: has(inputs, 'package_size')
      ? rateDifference(packagePrice({ ...inputs, package_amount: 1 }), billed, total).amount
      : null,
  }
}

function latePrice(inputs: Inputs, model: 'volume' | 'graduated'): Price {
  if (has(inputs, 'package_size')) return packagePrice(inputs)
  return has(inputs, 'tiers') ? { model, tiers: tiersOf(inputs) } : perUnit(decimal(inputs['unit_amount']))
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
  'charge.per_unit': ({ inputs }) => ({
    amount: rate(perUnit(inputs['unit_amount']), inputs['quantity']).amount,
  }),
  'charge.transform_quantity': transformQuantity,
  'charge.free_units': freeUnits,
  'charge.prepaid_quantity': prepaidQuantity,
  'late.delta': lateDelta,
}
