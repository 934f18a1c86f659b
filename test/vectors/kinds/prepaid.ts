import { consumeBalances, remaining, rollOver } from '#domain/pricing/prepaid.ts'
import { ratePrice } from '#domain/pricing/rate.ts'
import type { Adapter } from '../adapter.ts'
import { decimal, has } from '../calendar-inputs.ts'

/** A unit costs so many credits, as it would cost so much money. */
const creditCost: Adapter = ({ inputs }) => {
  const unitAmount = decimal(inputs['credit_cost_per_unit']).toFixed()
  return { credits: ratePrice({ model: 'per_unit', unitAmount }, decimal(inputs['units'])).amount }
}

const rollover: Adapter = ({ inputs }) => ({
  next_month_balance: rollOver(
    decimal(inputs['monthly_grant']),
    decimal(inputs['used'] ?? 0),
    has(inputs, 'rollover_cap') ? decimal(inputs['rollover_cap']) : null,
  ),
})

const consumeOrder: Adapter = ({ inputs }) => {
  const balances = [decimal(inputs['rollover_balance']), decimal(inputs['monthly_balance'])]
  const { left } = consumeBalances(balances, decimal(inputs['usage']))
  return { rollover_left: left[0], monthly_left: left[1] }
}

export const adapters: Readonly<Record<string, Adapter>> = {
  'entitlement.balance': ({ inputs }) => ({
    remaining: remaining(decimal(inputs['granted']), decimal(inputs['usage'])),
  }),
  'wallet.credit_cost': creditCost,
  'wallet.rollover': rollover,
  'wallet.consume_order': consumeOrder,
}
