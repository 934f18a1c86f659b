import Big from 'big.js'
import { fromMinor, roundHalfAwayFromZero } from '../money.ts'
import { ratePrice } from '../pricing/rate.ts'
import type { RatedPrice } from '../pricing/rated-price.ts'
import { unitPriceOf } from '../pricing/unit-price.ts'
import { explainBound, explainPrice, explainRounding } from './explanation.ts'
import { tellSteps } from './formula-text.ts'
import type { LateUsagePart } from './lines.ts'
import { lineFacts, usageContext, type RatedLine } from './rated-line.ts'

/**
 * Tiers go on counting: the price of the whole quantity less what was billed of it, at the period's price. What was billed had
 * been rounded, so that many small late values come to the cent of one.
 */
export function rateLateUsage(part: LateUsagePart, currency: string): RatedLine {
  const { line, servicePeriod, price, late } = part
  const { charged, billedMinor } = rateWhole(part, currency)
  const billed = fromMinor(billedMinor, currency)
  const ratedMinor = roundHalfAwayFromZero(charged.amount, currency) - billedMinor
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
      formula: `late: ${tellSteps(charged.steps, { unit: late.usage.unit })}${
        billedMinor === 0 ? '' : `, less ${billed.toFixed()} that were billed`
      }`,
      ...explainPrice({ price, priceListItemId: null }, charged),
      ...explainBound(part, price),
      usage: late.usage,
      billedQuantity: part.billedQuantity,
      ...explainRounding(charged.amount.minus(billed), ratedMinor, currency),
    },
  }
}

/** A share of values is owed for each event by itself, so that late ones are priced alone. */
function rateWhole(part: LateUsagePart, currency: string): { charged: RatedPrice; billedMinor: number } {
  const { price, late } = part
  const quantity = new Big(late.usage.quantity)
  const { events, ...context } = usageContext(part, price, late)
  if (price.model === 'percentage' && events?.kind === 'each') {
    const after = { ...events, eventsBefore: part.billedEvents }
    return { charged: ratePrice(price, quantity, { ...context, events: after }), billedMinor: 0 }
  }
  const billed = new Big(part.billedQuantity)
  const charged = ratePrice(price, billed.plus(quantity), context)
  const billedMinor =
    part.billedMinor ?? roundHalfAwayFromZero(ratePrice(price, billed, context).amount, currency)
  return { charged, billedMinor }
}
