import Big from 'big.js'
import { roundHalfAwayFromZero } from '../money.ts'
import { rateDifference, type RatedDifference } from '../pricing/difference.ts'
import { ratePrice } from '../pricing/rate.ts'
import { unitPriceOf } from '../pricing/unit-price.ts'
import { explainBound, explainPrice, explainRounding } from './explanation.ts'
import { tellSteps } from './formula-text.ts'
import type { LateUsagePart } from './lines.ts'
import { lineFacts, usageContext, type RatedLine } from './rated-line.ts'

/** Tiers go on counting: the price of the whole quantity less the price of what was billed, at the period's price. */
export function rateLateUsage(part: LateUsagePart, currency: string): RatedLine {
  const { line, servicePeriod, price, late } = part
  const difference = rateLate(part)
  const ratedMinor = roundHalfAwayFromZero(difference.amount, currency)
  return {
    ...lineFacts(line),
    kind: 'late_usage',
    quantity: late.usage.quantity,
    unitPrice: unitPriceOf(price),
    servicePeriod,
    taxedOn: servicePeriod.start,
    ratedMinor,
    lateEventIds: part.eventIds,
    explanation: {
      formula: `late: ${tellSteps(difference.charged.steps, { unit: late.usage.unit })}${
        difference.reversed.eq(0) ? '' : `, less ${difference.reversed.neg().toFixed()} that were billed`
      }`,
      ...explainPrice({ price, priceListItemId: null }, difference.charged),
      ...explainBound(part, price),
      usage: late.usage,
      billedQuantity: part.billedQuantity,
      ...explainRounding(difference.amount, ratedMinor, currency),
    },
  }
}

/** A share of values is owed for each event by itself, so that late ones are priced alone. */
function rateLate(part: LateUsagePart): Pick<RatedDifference, 'amount' | 'reversed' | 'charged'> {
  const { price, late } = part
  const quantity = new Big(late.usage.quantity)
  const { events, ...context } = usageContext(part, price, late)
  if (price.model === 'percentage' && events?.kind === 'each') {
    const after = { ...events, eventsBefore: part.billedEvents }
    const charged = ratePrice(price, quantity, { ...context, events: after })
    return { amount: charged.amount, reversed: new Big(0), charged }
  }
  const billed = new Big(part.billedQuantity)
  return rateDifference(price, billed, billed.plus(quantity), context)
}
