import type Big from 'big.js'
import { ratePrice } from '#domain/pricing/rate.ts'
import { roundDecimal, type RoundingMode } from '#domain/money.ts'
import type { Adapter, Vector } from '../adapter.ts'
import { decimal } from '../calendar-inputs.ts'
import { roundingModeOf } from '../taxed-lines.ts'

function money({ inputs, policy }: Vector) {
  const mode = roundingModeOf(inputs['mode'] ?? inputs['round'], policy)
  return { value: roundDecimal(decimal(inputs['value']), Number(inputs['digits'] ?? 2), mode) }
}

function metric({ inputs }: Vector) {
  const value = decimal(inputs['value'])
  return {
    value: roundDecimal(value, Number(inputs['precision'] ?? 0), metricMode(inputs['function'], value)),
  }
}

/** A ceiling lies up the number line, and our `up` away from zero: below zero the one is the other's `down`. */
function metricMode(name: unknown, value: Big): RoundingMode {
  const mode = roundingModeOf(name)
  if (value.gte(0) || (mode !== 'up' && mode !== 'down')) return mode
  return mode === 'up' ? 'down' : 'up'
}

function quantity({ inputs, policy }: Vector) {
  const mode = roundingModeOf(inputs['round'] ?? inputs['mode'], policy)
  const rounded = roundDecimal(decimal(inputs['quantity']), Number(inputs['digits'] ?? 0), mode)
  const unitAmount = decimal(inputs['unit_amount']).toFixed()
  return { quantity: rounded, amount: ratePrice({ model: 'per_unit', unitAmount }, rounded).amount }
}

export const adapters: Readonly<Record<string, Adapter>> = {
  'round.money': money,
  'round.metric': metric,
  'round.quantity': quantity,
}
