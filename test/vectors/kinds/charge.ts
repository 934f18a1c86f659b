import { sumOf } from '#domain/pricing/decimal.ts'
import { rateDifference } from '#domain/pricing/difference.ts'
import type { Price } from '#domain/pricing/price.ts'
import { ratePrice } from '#domain/pricing/rate.ts'
import type { Adapter } from '../adapter.ts'
import { decimal, has, type Inputs } from '../calendar-inputs.ts'
import {
  listOf,
  packagePrice,
  packagesOf,
  perUnit,
  rate,
  rateFlat,
  roundingOf,
  tiersOf,
  written,
} from '../priced.ts'

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
  'charge.per_unit': ({ inputs }) => ({
    amount: rate(perUnit(inputs['unit_amount']), inputs['quantity']).amount,
  }),
  'charge.transform_quantity': transformQuantity,
  'charge.free_units': freeUnits,
  'charge.prepaid_quantity': prepaidQuantity,
  'late.delta': lateDelta,
}
