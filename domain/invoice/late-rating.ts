import Big from 'big.js'
import { assert } from '../assert.ts'
import { fromMinor, roundHalfAwayFromZero } from '../money.ts'
import { ratePrice } from '../pricing/rate.ts'
import type { RatedPrice } from '../pricing/rated-price.ts'
import { unitPriceOf } from '../pricing/unit-price.ts'
import { explainBound, explainNotBilled, explainPrice, explainRounding, notBilledOf } from './explanation.ts'
import { tellSteps } from './formula-text.ts'
import type { LateUsagePart } from './lines.ts'
import { lineFacts, usageContext, type RatedLine } from './rated-line.ts'

/**
 * Tiers go on counting: the price of the whole quantity less what was billed of it, at the period's price. What was billed had
 * been rounded, so that many small late values come to the cent of one.
 */
export function rateLateUsage(part: LateUsagePart, currency: string): RatedLine {
  const added = rateAdded(part, currency)
  const { explanation } = added
  return {
    ...added,
    kind: 'late_usage',
    lateEventIds: part.eventIds,
    explanation: {
      ...explanation,
      formula: `late: ${explanation.formula}`,
      ...(part.isOfSplitCycle ? { cycle: part.cycle } : {}),
    },
  }
}

/** Usage that is added to what was billed of its cycle before. */
export type AddedUsage = Omit<LateUsagePart, 'kind' | 'eventIds' | 'isOfSplitCycle'>

/** @throws as `ratePrice` */
export function rateAdded(part: AddedUsage, currency: string): Omit<RatedLine, 'kind'> {
  const { line, servicePeriod, price, late } = part
  const { charged, billedMinor, notBilled } = rateWhole(part, currency)
  const billed = fromMinor(billedMinor, currency)
  const ratedMinor = roundHalfAwayFromZero(charged.amount, currency) - billedMinor
  return {
    ...lineFacts(line),
    quantity: new Big(late.usage.quantity).minus(notBilled).toFixed(),
    unitPrice: unitPriceOf(price),
    servicePeriod,
    taxedOn: servicePeriod.start,
    ratedMinor,
    explanation: {
      formula: `${tellSteps(charged.steps, { unit: late.usage.unit })}${
        billedMinor === 0 ? '' : `, less ${billed.toFixed()} that were billed`
      }`,
      ...explainPrice({ price, priceListItemId: null }, charged),
      ...explainBound(part, price),
      usage: late.usage,
      ...explainNotBilled(notBilled),
      billedQuantity: part.billedQuantity,
      ...explainRounding(charged.amount.minus(billed), ratedMinor, currency),
    },
  }
}

interface RatedWhole {
  readonly charged: RatedPrice
  readonly billedMinor: number
  /** Of what is added. */
  readonly notBilled: Big
}

/**
 * A share of values is owed for each event by itself, so that late ones are priced alone. Where one takes another back, which would have
 * cost less, or the first ones cost nothing, all of them are priced as they are by now.
 */
function rateWhole(part: AddedUsage, currency: string): RatedWhole {
  const { price, late } = part
  const quantity = new Big(late.usage.quantity)
  const { events, ...context } = usageContext(part, price, late)
  if (part.valuesByNow !== undefined) {
    assert(
      part.billedMinor !== undefined,
      'single values are billed with their period, and what they came to is known',
    )
    const byNow = { kind: 'each', values: part.valuesByNow } as const
    const charged = ratePrice(price, quantity.plus(part.billedQuantity), { ...context, events: byNow })
    return { charged, billedMinor: part.billedMinor, notBilled: new Big(0) }
  }
  if (price.model === 'percentage' && events?.kind === 'each') {
    const charged = ratePrice(price, quantity, { ...context, events })
    return { charged, billedMinor: 0, notBilled: notBilledOf(charged) }
  }
  const billed = ratePrice(price, new Big(part.billedQuantity), context)
  const charged = ratePrice(price, quantity.plus(part.billedQuantity), context)
  const billedMinor = part.billedMinor ?? roundHalfAwayFromZero(billed.amount, currency)
  return { charged, billedMinor, notBilled: notBilledOf(charged).minus(notBilledOf(billed)) }
}
